"""Single numbers of the handbook that kinematics, lifetimes and spins decide."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.gen.decays.mixing import OSCILLATION
from darkbelle.gen.decays.spins import from_virtual_photon
from darkbelle.gen.kinematics import breakup_momentum, invariant_mass
from darkbelle.gen.line_shapes import known_line_shape
from darkbelle.gen.particles import B0, B_PLUS, K_STAR0, MASS_TAU, TAU, species
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.units import C, um
from tests.reference.reading import rows

NUMBERS = {row["name"]: row["value"] for row in rows("decays_reference_numbers")}
GAMMA = 10.58 / 2 / MASS_TAU


def momentum(root_s: float, mass: float) -> float:
    return float(breakup_momentum(np.array(root_s), mass, mass))


@pytest.mark.parametrize(("label", "pdg_id"), [("Bp", B_PLUS), ("B0", B0)])
@pytest.mark.parametrize("root_s", [10.5794, 10.58])
def test_momenta_of_b_mesons(label: str, pdg_id: int, root_s: float):
    found = momentum(root_s, species(pdg_id).mass)
    assert found == pytest.approx(NUMBERS[f"pstar_{label}_sqrts_{root_s:g}"], rel=1e-6)


def test_flights():
    tau, b_plus = species(TAU), species(B_PLUS)
    p = momentum(10.58, MASS_TAU)
    assert NUMBERS["tau_gamma_10.58"] == pytest.approx(GAMMA, rel=1e-6)
    assert NUMBERS["tau_p_10.58"] == pytest.approx(p, rel=1e-6)
    assert NUMBERS["tau_beta_10.58"] == pytest.approx(2 * p / 10.58, rel=1e-6)
    assert NUMBERS["tau_mean_flight_10.58"] * um == pytest.approx(p / MASS_TAU * tau.ctau, rel=1e-5)
    flight = momentum(10.5794, b_plus.mass) / b_plus.mass * b_plus.ctau
    assert NUMBERS["Bp_mean_flight_CM_10.5794"] * um == pytest.approx(flight, rel=1e-5)


def test_born_cross_section_of_tau_pairs():
    found = LeptonPair(MASS_TAU).cross_section(np.array([10.58**2]))[0] / 1e6
    assert found == pytest.approx(NUMBERS["sigma_tautau_Born_10.58"], rel=1e-5)


def test_spins_along_the_flight():
    """Averaged over the angle to the beams, each with its rate."""
    cosine, weight = np.polynomial.legendre.leggauss(16)
    flight = np.stack([np.zeros(16), np.zeros(16), np.ones(16)])
    beam = np.stack([np.sqrt(1 - cosine**2), np.zeros(16), cosine])
    rate = weight * (1 + cosine**2 + (1 - cosine**2) / GAMMA**2)
    along = from_virtual_photon(flight, flight, beam, np.full(16, GAMMA))[2]
    mean = np.sum(rate * along) / np.sum(rate)
    assert mean == pytest.approx(NUMBERS["mean_Rzz_over_R00"], rel=1e-6)
    assert (1 + mean) / 2 == pytest.approx(NUMBERS["frac_opposite_helicity"], rel=1e-6)
    assert mean / 9 == pytest.approx(NUMBERS["pipi_mean_cos_cos"], rel=1e-5)


@pytest.mark.parametrize("mass", ["0.8", "0.89556", "1.0"])
def test_running_width_of_the_k_star(mass: str):
    found = known_line_shape(K_STAR0).width_at(np.array([float(mass)]))[0]
    assert found == pytest.approx(NUMBERS[f"Gamma_Kst0_running_m{mass}"], rel=1e-5)


def test_oscillation():
    x = OSCILLATION * species(B0).ctau / C
    assert x == pytest.approx(NUMBERS["B0_x_d"], rel=1e-5)
    assert x**2 / (2 * (1 + x**2)) == pytest.approx(NUMBERS["B0_chi_d"], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "card", "energies"),
    [("BelleII", "belle2", (7.007, 4.0)), ("Belle", "belle", (8, 3.5))],
)
def test_beams(name: str, card: str, energies: tuple[float, float]):
    """At the handbook's energies, which are not quite those of the cards."""
    collider = geometry.load(card).collider
    directions = np.stack([collider.direction_her, collider.direction_ler])
    electron, positron = (
        energy * np.array([1.0, *direction])
        for energy, direction in zip(energies, directions, strict=True)
    )
    total = electron + positron
    mass = float(invariant_mass(total))
    assert mass == pytest.approx(NUMBERS[f"sqrt_s_{name}"], rel=1e-6)
    boost = float(np.linalg.norm(total[1:])) / mass
    assert boost == pytest.approx(NUMBERS[f"boost_betagamma_{name}"], rel=1e-5)
