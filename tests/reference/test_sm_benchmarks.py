"""Standard Model processes against tables made without this package; ``tables/README.md``."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.isr import IsrSpectrum
from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.bhabha import Bhabha
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.lepton_pair_photon import (
    Invariants,
    LeptonPairPhoton,
    final_state,
    initial_state,
    interference,
)
from darkbelle.gen.production.photon_pair import PhotonPair
from darkbelle.gen.production.running_coupling import RunningCoupling
from darkbelle.gen.production.two_photon import TwoPhoton
from darkbelle.gen.vacuum_polarisation import hadronic, leptonic, running_factor
from tests.reference.reading import rows

FB_PER_NB = 1e6
FB_PER_PB = 1e3
S = np.array([10.58**2])
BENCHMARKS = {row["name"]: row for row in rows("sm_benchmarks")}
LEPTONS = {"mu": MASS_MU, "tau": MASS_TAU}


def names(start: str) -> list[str]:
    return [name for name in BENCHMARKS if name.startswith(start)]


def test_every_benchmark_is_tested():
    tested = (
        *("born_mumu", "born_tautau", "VP_factor", *RADIATED),
        *(
            name
            for start in ("gammagamma_", "bhabha_", "eemumu_", "mumugamma_")
            for name in names(start)
        ),
    )
    assert set(tested) == set(BENCHMARKS)


# ---- vacuum polarisation -------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("vacuum_polarisation"), ids=lambda row: f"{row['q_GeV']}")
def test_vacuum_polarisation(row: dict):
    """Six digits in the table."""
    q2 = np.array([row["q_GeV"]]) ** 2
    assert leptonic(q2) == pytest.approx(row["dalpha_lep"], rel=5e-6)
    assert hadronic(q2) == pytest.approx(row["dalpha_had"], rel=5e-6)
    assert running_factor(q2) == pytest.approx(row["factor"], rel=5e-6)


def test_running_factor_at_the_upsilon():
    assert running_factor(S) == pytest.approx(BENCHMARKS["VP_factor"]["value"], rel=5e-6)


# ---- two particles -------------------------------------------------------------------------------


@pytest.mark.parametrize("lepton", LEPTONS)
def test_lepton_pairs(lepton: str):
    expected = BENCHMARKS[f"born_{lepton}{lepton}"]["value"] * FB_PER_NB
    assert LeptonPair(LEPTONS[lepton]).cross_section(S) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("angles", ["10_170", "15_165", "30_150"])
def test_photon_pairs_and_bhabha(angles: str):
    theta_min = np.radians(float(angles[:2]))
    for name, hard in (
        ("gammagamma", PhotonPair(theta_min)),
        ("bhabha", Bhabha(theta_min, running=False)),
    ):
        expected = BENCHMARKS[f"{name}_{angles}"]["value"] * FB_PER_NB
        assert hard.cross_section(S) == pytest.approx(expected, rel=5e-6), name


RADIATED = {
    f"{lepton}{lepton}_ISR_{suffix}": hard(LeptonPair(mass))
    for lepton, mass in LEPTONS.items()
    for suffix, hard in (("noVP", lambda pair: pair), ("VP", RunningCoupling))
}


@pytest.mark.parametrize("name", RADIATED)
def test_radiated_lepton_pairs(name: str):
    """The radiator integrated by importance sampling; both sides know their integral to 1e-4."""
    hard: HardProcess = RADIATED[name]
    spectrum = IsrSpectrum.build(float(S[0]), hard.threshold, hard.cross_section)
    x, weight = spectrum.sample(20_000, np.random.default_rng(71))
    values = weight * hard.cross_section(S * (1 - x))
    assert values.std() / np.sqrt(len(values)) < 5e-5 * values.mean()
    assert values.mean() == pytest.approx(BENCHMARKS[name]["value"] * FB_PER_NB, rel=2e-4)


# ---- four particles ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names("eemumu_EPA_W"))
def test_two_photon_cross_sections(name: str):
    """Six digits in the table."""
    w_min = float(name.removeprefix("eemumu_EPA_W"))
    found = TwoPhoton(MASS_MU, w_min).cross_section(S)
    assert found == pytest.approx(BENCHMARKS[name]["value"] * FB_PER_NB, rel=1e-5)


# ---- three particles -----------------------------------------------------------------------------


def momentum(row: dict, particle: str) -> np.ndarray:
    return np.array([[row[f"{particle}_{component}"]] for component in "Exyz"])


@pytest.mark.parametrize("row", rows("mumugamma_points"))
def test_squared_amplitudes_of_the_photon(row: dict):
    """The total is that of explicit Dirac spinors."""
    mass = LEPTONS[row["lepton"]]
    at = Invariants.of(S, *(momentum(row, particle) for particle in ("p1", "p2", "k")))
    parts = [part(mass, at)[0] for part in (initial_state, final_state, interference)]
    assert parts == pytest.approx([row["II"], row["FF"], row["IF"]], rel=1e-9)
    assert sum(parts) == pytest.approx(row["total"], rel=1e-9)


@pytest.fixture(scope="module")
def radiative_muon_pairs() -> dict[str, tuple[float, float]]:
    """Cross-sections within the cuts of the table, by its names, and standard errors [fb]."""
    found = {}
    n = 500_000
    for i, (energy, degrees) in enumerate(((0.5, 30), (1, 20), (3, 30))):
        hard = LeptonPairPhoton(MASS_MU, energy, np.radians(degrees))
        momenta, weight = hard.sample(np.full(n, S[0]), np.random.default_rng([72, i]))
        at = Invariants.of(np.full(n, S[0]), *momenta)
        parts = {
            "FSRonly_": final_state(MASS_MU, at),
            "ISRonly_": initial_state(MASS_MU, at),
        }
        total = sum(parts.values()) + interference(MASS_MU, at)
        cos_theta = momenta[:2, 3] / np.sqrt(np.sum(momenta[:2, 1:] ** 2, axis=1))
        seen = np.all(np.abs(cos_theta) < np.cos(np.radians(degrees)), axis=0)
        for part, squared in {"": total, **parts}.items():
            values = weight * seen * squared / total
            name = f"mumugamma_{part}E{energy}_th{degrees}"
            found[name] = float(values.mean()), float(values.std() / np.sqrt(n))
    return found


@pytest.mark.parametrize("name", names("mumugamma"))
def test_radiative_muon_pairs(name: str, radiative_muon_pairs: dict[str, tuple[float, float]]):
    row = BENCHMARKS[name]
    value, error = radiative_muon_pairs[name]
    assert error < 0.002 * value
    combined = np.hypot(error, row["err"] * FB_PER_PB)
    assert abs(value - row["value"] * FB_PER_PB) < 4 * combined
