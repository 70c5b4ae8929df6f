"""Production against tables made without this package; origins in ``tables/README.md``."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.annihilation import AnnihilationSource
from darkbelle.gen.isr import IsrSpectrum, Radiator
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.gen.processes import MuMuZPrime
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.emission import (
    PSEUDOSCALAR,
    SCALAR,
    VECTOR,
    FermionPair,
    Invariants,
    LeptonPairAndBoson,
    Masses,
    cross_section,
    sample,
    squared_amplitude,
)
from darkbelle.geometry import Collider, load
from tests.grids import spanned
from tests.reference.reading import rows

FB_PER_PB = 1e3
S = 10.58**2
LEPTONS = {"mu": MASS_MU, "tau": MASS_TAU}
COUPLINGS = {"vector": VECTOR, "scalar": SCALAR, "pseudoscalar": PSEUDOSCALAR}
SHORT = {"V": VECTOR, "S": SCALAR, "P": PSEUDOSCALAR}


@pytest.fixture(scope="module")
def collider() -> Collider:
    """Belle II scaled to sqrt(s) = 10.58 GeV exactly, without spread of the energies."""
    nominal = load("belle2").collider
    scale = 10.58 / nominal.sqrt_s
    energies = {"her": nominal.e_her_gev * scale, "ler": nominal.e_ler_gev * scale}
    overrides = [f"collider.presets.Y4S.e_{beam}_gev={e!r}" for beam, e in energies.items()]
    collider = load("belle2", [*overrides, "collider.beam_spread=false"]).collider
    assert collider.sqrt_s == pytest.approx(10.58, rel=1e-14)
    return collider


# ---- amplitudes ----------------------------------------------------------------------------------


def momentum(row: dict, particle: str) -> np.ndarray:
    return np.array([[row[f"{particle}_{component}"]] for component in "Exyz"])


@pytest.mark.parametrize("row", rows("fsr_amplitude_points"))
def test_squared_amplitudes(row: dict):
    """Traces of explicit Dirac spinors; the table gives 15 digits, so 1e-9 leaves room for them."""
    masses = Masses(LEPTONS[row["lepton"]], row["m_X"])
    p1, p2, k, f = (momentum(row, particle) for particle in ("p1", "p2", "k", "l1"))
    beams = np.array([[0.0], [0.0], [0.0], [np.sqrt(S)]])
    events = HardEvents(np.array([S]), beams, np.stack([p1, p2, k]))
    at = Invariants.of(events)
    for column, coupling in (("T_V", VECTOR), ("T_S", SCALAR), ("T_P", PSEUDOSCALAR)):
        assert squared_amplitude(coupling, masses, at) == pytest.approx(row[column], rel=1e-9)
    kept = FermionPair(masses)(events, np.stack([f, k - f]))
    assert kept == pytest.approx(row["w_corr"], rel=1e-9)


# ---- cross-sections ------------------------------------------------------------------------------


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("lepton", LEPTONS)
def test_total_cross_sections(lepton: str, coupling: str):
    """Seven digits in the table; a quadrature of another kind made them."""
    for row in rows(f"{lepton}{lepton}_{coupling}_xsec"):
        masses = Masses(LEPTONS[lepton], row["m_X_GeV"])
        found = cross_section(COUPLINGS[coupling], masses, np.array([S]))
        assert found == pytest.approx(row["sigma_pb"] * FB_PER_PB, rel=2e-6), row


VECTOR_ROWS = rows("mumu_vector_xsec")


@pytest.fixture(scope="module")
def zprime_ratios(collider: Collider) -> list[tuple[float, float]]:
    """Monte Carlo over quadrature, and its standard error, for each row of the vector table."""
    ratios = []
    for i, row in enumerate(VECTOR_ROWS):
        process = MuMuZPrime(mass=row["m_X_GeV"], coupling=0.1, isr=False)
        found = process.cross_section(collider, np.random.default_rng([11, i]))
        branching = process.model.branching_fraction("nu_mu", "nu_tau")
        expected = 0.1**2 * branching * row["sigma_pb"] * FB_PER_PB
        ratios.append((found.value / expected, found.error / expected))
    return ratios


@pytest.mark.parametrize("i", range(len(VECTOR_ROWS)))
def test_cross_section_of_the_zprime_process(i: int, zprime_ratios: list[tuple[float, float]]):
    ratio, error = zprime_ratios[i]
    assert error < 0.002
    assert abs(ratio - 1) < min(0.005, 4 * error)


def test_cross_sections_of_the_zprime_process_together(zprime_ratios: list[tuple[float, float]]):
    """A common factor shows at 0.1 %."""
    ratio, error = np.array(zprime_ratios).T
    mean = np.average(ratio, weights=error**-2)
    assert abs(mean - 1) < 4 / np.sqrt(np.sum(error**-2)) < 0.0011


# ---- distributions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    spanned(rows("fsr_moments"), rows("fsr_moments")[::3]),
    ids=lambda r: f"{r['lepton']}-{r['type']}-{r['m_X_GeV']}",
)
def test_moments(row: dict):
    """Means over 100 000 weighted events within 5 combined standard errors.

    252 comparisons: the chance of a false alarm, were the seed to change, is 1.4e-4 in all.
    """
    masses = Masses(LEPTONS[row["lepton"]], row["m_X_GeV"])
    rng = np.random.default_rng([12, int(10 * masses.boson)])
    drawn = sample(COUPLINGS[row["type"]], masses, np.full(100_000, S), rng)
    k, p1, pair = drawn.k, drawn.p1, drawn.p1 + drawn.p2
    cos_x = k[3] / np.sqrt(np.sum(k[1:] ** 2, axis=0))
    cos_l = p1[3] / np.sqrt(np.sum(p1[1:] ** 2, axis=0))
    quantities = {
        "E_X": k[0],
        "c2_X": cos_x**2,
        "f_X_c05": np.abs(cos_x) < 0.5,
        "c2_l": cos_l**2,
        "E_l": p1[0],
        "m_ll": np.sqrt(pair[0] ** 2 - np.sum(pair[1:] ** 2, axis=0)),
    }
    for name, value in quantities.items():
        mean = np.average(value, weights=drawn.weight)
        error = np.sqrt(np.sum((drawn.weight * (value - mean)) ** 2)) / np.sum(drawn.weight)
        combined = np.hypot(error, row[f"{name}_err"])
        # The table's own digits add up to 5e-6 of the value.
        assert abs(mean - row[name]) < 5 * combined + 5e-6 * row[name], name


# ---- initial-state radiation ---------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("isr_radiator"), ids=lambda row: f"x={row['x']}")
def test_radiator(row: dict):
    """Eight digits, but for the integers of the steepest rows."""
    radiator = Radiator.at(S)
    x = np.array([row["x"]])
    assert radiator(x) == pytest.approx(row["H"], rel=1e-7)
    soft = radiator.exponent * x ** (radiator.exponent - 1)
    assert soft == pytest.approx(row["soft"], rel=1e-7)
    first_order = radiator.exponent / 2 * (1 + (1 - x) ** 2) / x
    assert first_order == pytest.approx(row["O1"], rel=1e-6)


def test_constants_of_the_radiator():
    radiator = Radiator.at(S)
    assert radiator.exponent == pytest.approx(0.08769209, abs=5e-9)
    assert radiator.soft_virtual == pytest.approx(1.06863556, abs=5e-9)


@pytest.mark.parametrize(
    "row",
    spanned(rows("fsr_isr_ratio"), rows("fsr_isr_ratio")[::3]),
    ids=lambda r: f"{r['lepton']}-{r['type']}-{r['m_X_GeV']}",
)
def test_radiation_corrects_the_cross_section(row: dict):
    """The integral over x by importance sampling: weight times Born is nearly a constant."""
    masses = Masses(LEPTONS[row["lepton"]], row["m_X_GeV"])

    def born(s: np.ndarray) -> np.ndarray:
        return cross_section(SHORT[row["type"]], masses, s)

    spectrum = IsrSpectrum.build(S, masses.threshold, born)
    x, weight = spectrum.sample(10_000, np.random.default_rng(13))
    values = weight * born(S * (1 - x))
    error = values.std() / np.sqrt(len(values))
    assert error < 5e-5 * values.mean()
    assert values.mean() == pytest.approx(row["sigma_isr_pb"] * FB_PER_PB, rel=2e-4)
    assert values.mean() / born(np.array([S])) == pytest.approx(row["ratio"], rel=2e-4)


@pytest.mark.parametrize(("mass", "expected_pb"), [(0.1, 631.758), (5.0, 1.86039)])
def test_radiation_in_the_event_source(mass: float, expected_pb: float, collider: Collider):
    hard = LeptonPairAndBoson(VECTOR, Masses(MASS_MU, mass), 1.0)
    source = AnnihilationSource(hard, collider, isr=True, rng=np.random.default_rng(14))
    found = source.cross_section
    assert found.error < 0.002 * found.value
    assert abs(found.value - expected_pb * FB_PER_PB) < 4 * found.error


# ---- widths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("zprime_br"), ids=lambda row: f"{row['m_Zp_GeV']}")
def test_widths_of_the_zprime(row: dict):
    model = LmuLtau(row["m_Zp_GeV"], 1.0)
    assert model.width == pytest.approx(row["width_GeV"], rel=1e-6)
    assert model.ctau == pytest.approx(row["ctau_m"] * 100, rel=1e-6)
    found = (
        model.branching_fraction("nu_mu", "nu_tau"),
        model.branching_fraction("mumu"),
        model.branching_fraction("tautau"),
    )
    expected = (row["BR_inv"], row["BR_mumu"], row["BR_tautau"])
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)
