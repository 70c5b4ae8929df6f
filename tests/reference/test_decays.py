"""Particles, momenta, phase space and the rest of the event against the handbook of decays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from particle.converters import EvtGenName2PDGIDBiMap

from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.kinematics import breakup_momentum, two_body
from darkbelle.gen.line_shapes import line_shape
from darkbelle.gen.particles import B0, B_PLUS, K0, species
from darkbelle.gen.phasespace import decay_at_rest, draw_chain
from tests.gen.decays.beauty import contents, mesons
from tests.reference.reading import rows

PARTICLES = rows("decays_particles")
MOMENTA = rows("decays_twobody_momenta")
VOLUMES = rows("decays_phase_space_volumes")
MASS = {row["name"]: row["mass_GeV"] for row in PARTICLES}


@pytest.mark.parametrize("row", PARTICLES, ids=lambda row: row["name"])
def test_masses_widths_and_lives(row: dict):
    """1e-6 in mass, the digits that the table has; what need not fly does so less than 1 um."""
    known = species(int(row["pdg_id"]))
    assert known.mass == pytest.approx(row["mass_GeV"], rel=1e-6)
    if math.isnan(row["ctau_cm"]):
        assert known.ctau < 1e-4
    else:
        assert known.ctau == pytest.approx(row["ctau_cm"], rel=2e-5)
    shape = line_shape(int(row["pdg_id"]))
    if shape is not None:
        assert shape.mass == row["mass_GeV"]
        assert shape.width == row["width_GeV"]


@pytest.mark.parametrize("row", MOMENTA, ids=lambda row: row["decay"])
def test_momenta_of_two_bodies(row: dict):
    mass = np.array([row["M_GeV"]])
    first, second = two_body(mass, row["m1_GeV"], row["m2_GeV"], np.array([1.0]), np.array([0.0]))
    assert first[3, 0] == pytest.approx(row["pstar_GeV"], rel=1e-8)
    assert second[3, 0] == pytest.approx(-row["pstar_GeV"], rel=1e-8)
    assert (first[0, 0], second[0, 0]) == pytest.approx((row["E1_GeV"], row["E2_GeV"]), rel=1e-8)


def daughters(case: str, n: int) -> list[float]:
    """Masses by the names in the table; what has none is massless, ``a(1.0)`` is of its mass."""
    if case == "massless":
        return [0.0] * n
    names = {"mu": "mu-", "pi": "pi+", "pi-": "pi+", "K-": "K+"}
    known = case.split("->")[1].split()
    return [1.0 if k == "a(1.0)" else MASS.get(names.get(k, k), 0.0) for k in known]


@pytest.mark.parametrize("row", VOLUMES, ids=lambda row: f"{row['case']}-{row['n']:.0f}")
def test_volumes_of_phase_space(row: dict):
    """By the mean weight of GENBOD, handbook section 7; 1 %, the weights themselves give 0.3 %."""
    n, mass = int(row["n"]), row["M_GeV"]
    own = np.array(daughters(row["case"], n))
    rng = np.random.default_rng(1)
    size = 100_000
    _, product = draw_chain(np.full(size, mass), np.tile(own[:, None], size), rng)
    free = mass - own.sum()
    unit = (2 * np.pi) ** (4 - 3 * n) * np.pi ** (n - 1) * 2 ** (n - 2) / mass
    volume = unit * free ** (n - 2) / math.factorial(n - 2) * product.mean()
    assert volume == pytest.approx(row["Phi_n"], rel=0.01)


@pytest.mark.parametrize("n", [4, 6])
def test_momenta_fill_phase_space(n: int):
    """Of n massless daughters, the mass squared of n - 1 has the mean (n-2)/n.

    From the volumes, Phi_n = Int dmu^2 (1 - mu^2/M^2) Phi_(n-1)(mu): mu^2/M^2 has the density
    x^(n-3) (1 - x), with the mean (n-2)/n.
    """
    momenta = decay_at_rest(np.ones(20_000), [0.0] * n, np.random.default_rng(2))
    for left in momenta:
        mean, error = (x := 1 - 2 * left[0]).mean(), x.std() / math.sqrt(20_000)
        assert mean == pytest.approx((n - 2) / n, abs=4 * error)


# ---- the rest of the event -----------------------------------------------------------------------


@pytest.mark.parametrize("parent", ["D0", "D+"])
def test_charm_decays_as_in_the_toy(parent: str):
    names = {"K0": K0, "nu": 0}
    table = {}
    for row in rows("decays_toy_roe_charm"):
        if row["parent"] == parent:
            codes = [names.get(k) or EvtGenName2PDGIDBiMap[k] for k in row["daughters"].split()
                     if k != "nu"]  # fmt: skip
            table[tuple(sorted(map(int, codes)))] = row["weight"]
    total = sum(table.values())
    found = {}
    for mode in decay_modes(421 if parent == "D0" else 411):
        codes = (K0 if code == -K0 else code for code in mode.daughters if code not in (12, 14))
        found[tuple(sorted(codes))] = mode.fraction
    assert found == pytest.approx({codes: weight / total for codes, weight in table.items()})


def grown(level: RestOfEvent, pdg_id: int, n: int) -> TruthEvents:
    return level(mesons(pdg_id, n), np.random.default_rng(5))


def test_contents_of_the_toy():
    """A mean of both mesons; decays to taus are among those that are not semileptonic.

    Tolerances: 4 standard errors of both samples (0.02 in multiplicity), and rounding.
    """
    (row,) = (row for row in rows("decays_roe_multiplicity") if row["source"] == "toy")
    both = [contents(grown(RestOfEvent.TOY, code, 10_000)) for code in (B_PLUS, B0)]
    mean = {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}
    assert mean["semileptonic"] == pytest.approx(0.206, abs=0.012)
    assert mean["tauonic"] == pytest.approx(0.024, abs=0.005)
    for name, tolerance in (
        ("charged_all", 0.06),
        ("charged_semileptonic", 0.09),
        ("charged_nonSL", 0.07),
        ("photons", 0.12),
        ("charged_K", 0.025),
        ("K_L", 0.02),
    ):
        assert mean[name] == pytest.approx(row[name], abs=tolerance)


@pytest.mark.parametrize(("parent", "pdg_id"), [("B+", B_PLUS), ("B0", B0)])
def test_contents_of_pythia(parent: str, pdg_id: int):
    """Tolerances: 4 standard errors of 3000 decays."""
    pytest.importorskip("pythia8mc")
    source = rows("decays_roe_multiplicity")
    (row,) = (r for r in source if r["source"].startswith("pythia") and r["parent"] == parent)
    found = contents(grown(RestOfEvent.PYTHIA, pdg_id, 3000))
    for name, tolerance in (
        ("charged_all", 0.2),
        ("charged_semileptonic", 0.25),
        ("charged_nonSL", 0.2),
        ("photons", 0.3),
        ("pi0", 0.15),
        ("charged_K", 0.06),
        ("K_L", 0.05),
        ("mean_p_charged_GeV", 0.02),
        ("mean_E_photon_GeV", 0.01),
    ):
        assert found[name] == pytest.approx(row[name], abs=tolerance)


def test_break_up_momentum_of_the_narrow_states():
    """With the masses of the package: D*+ -> D0 pi+, which 10 keV of mass move by 0.3 MeV."""
    mass = np.array(species(413).mass)
    p = breakup_momentum(mass, species(421).mass, species(211).mass)
    # PDG 2024, column p of the D*(2010)+: 39 MeV
    assert p == pytest.approx(0.039, abs=5e-4)
