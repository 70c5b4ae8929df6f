"""e+e- -> e+e- l+ l- by two equivalent photons: the photons, the pair, the scattered electrons.

Cross-sections at 10.58 GeV stand against a table in ``tests/reference/test_sm_benchmarks.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.kinematics import dot, invariant_mass, to_rest_frame
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.production.two_photon import TwoPhoton
from darkbelle.gen.sampling import Bound, unweight

ROOT_S = 10.58
BEAM = np.array([ROOT_S / 2, 0.0, 0.0, np.sqrt(ROOT_S**2 / 4 - MASS_E**2)])


def unweighted(hard: TwoPhoton, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    momenta, weight = hard.sample(np.full(n, ROOT_S**2), rng)
    kept, _ = unweight(weight, Bound.from_pilot(weight), rng)
    return momenta[:, :, kept]


@pytest.fixture(scope="module")
def muons() -> np.ndarray:
    momenta = unweighted(TwoPhoton(MASS_MU, 0.5), 220_000, 81)
    assert momenta.shape[2] > 100_000
    return momenta


def test_masses_of_pairs(muons: np.ndarray):
    w = invariant_mass(muons[2] + muons[3])
    grid = np.geomspace(0.5, ROOT_S, 2001)
    spectrum = TwoPhoton(MASS_MU, 0.5).mass_spectrum(np.array(ROOT_S**2), grid)
    cumulative = np.concatenate([[0], np.cumsum(np.diff(grid) * (spectrum[1:] + spectrum[:-1]))])
    assert stats.kstest(np.interp(w, grid, cumulative / cumulative[-1]), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("mass", [MASS_MU, MASS_TAU])
def test_mass_spectrum_integrates_to_the_cross_section(mass: float):
    hard, s = TwoPhoton(mass), np.array([ROOT_S**2])
    grid = np.geomspace(2 * mass, ROOT_S, 4001)
    integral = np.trapezoid(hard.mass_spectrum(s, grid) * grid, np.log(grid))
    assert hard.cross_section(s)[0] == pytest.approx(integral, rel=1e-3)
    assert np.all(hard.mass_spectrum(s, np.array([1.9 * mass, 11.0])) == 0)


def test_leptons_in_the_frame_of_the_photons(muons: np.ndarray):
    """[1 + 2 b^2 (1 - b^2)(1 - c^2) - b^4 c^4]/(1 - b^2 c^2)^2 at each W, integrated by scipy."""
    pair = muons[2] + muons[3]
    photon = to_rest_frame(BEAM[:, None] - muons[0], pair)[1:]
    lepton = to_rest_frame(muons[2], pair)[1:]
    sizes = np.sqrt(np.sum(photon**2, axis=0) * np.sum(lepton**2, axis=0))
    cosine = np.sum(photon * lepton, axis=0) / sizes
    w = invariant_mass(pair)
    # In a narrow range of W the density is one.
    near = np.abs(w - 0.6) < 0.05
    b2 = 1 - 4 * MASS_MU**2 / np.mean(w[near]) ** 2
    grid = np.linspace(-1, 1, 20_001)
    gap = 1 - b2 * grid**2
    density = (1 + 2 * b2 * (1 - b2) * (1 - grid**2) - b2**2 * grid**4) / gap**2
    cumulative = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    share = np.interp(cosine[near], grid, cumulative / cumulative[-1])
    assert near.sum() > 10_000
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_photons_are_those_of_the_electrons(muons: np.ndarray):
    """(q1 + q2)^2 = W^2, both are space-like, and beyond the kinematic limit of their y."""
    q1 = BEAM[:, None] - muons[0]
    q2 = np.array([1, 1, 1, -1])[:, None] * BEAM[:, None] - muons[1]
    w2 = invariant_mass(muons[2] + muons[3]) ** 2
    assert np.abs(dot(q1 + q2, q1 + q2) / w2 - 1).max() < 1e-9
    plus = BEAM[0] + BEAM[3]
    for q, y in ((q1, (q1[0] + q1[3]) / plus), (q2, (q2[0] - q2[3]) / plus)):
        pt2 = q[1] ** 2 + q[2] ** 2
        expected = (pt2 + (MASS_E * y) ** 2) / (1 - y)
        assert np.abs(-dot(q, q) - expected).max() < 1e-9
        assert np.all((y > 0) & (y < 1))


def photons(y: np.ndarray, q2_max: np.ndarray) -> np.ndarray:
    """[1 + (1 - y)^2]/y - 2 m_e^2 y/Q^2 integrated over dQ^2/Q^2 from m_e^2 y^2/(1 - y)."""
    q2_min = (MASS_E * y) ** 2 / (1 - y)
    ends = np.log(q2_max / q2_min), 1 / q2_min - 1 / q2_max
    n = (1 + (1 - y) ** 2) / y * ends[0] - 2 * MASS_E**2 * y * ends[1]
    return np.where(q2_max > q2_min, n, 0.0)


def largest(y: np.ndarray, w: float, pt: float = np.inf) -> np.ndarray:
    """Q^2 at the end of the spectrum, or at a transverse momentum of the electron."""
    end = np.minimum(w**2 / 4, ROOT_S**2 * (1 - y))
    return np.minimum((pt**2 + (MASS_E * y) ** 2) / (1 - y), end)


@pytest.fixture(scope="module")
def narrow() -> tuple[float, np.ndarray]:
    """Pairs of a mass close to one, and that mass."""
    momenta = unweighted(TwoPhoton(MASS_MU, 1.0), 1_000_000, 82)
    w = invariant_mass(momenta[2] + momenta[3])
    return 1.05, momenta[:, :, np.abs(w - 1.05) < 0.05]


def test_transverse_momentum_of_electrons(narrow: tuple[float, np.ndarray]):
    """Share below 1, 10 and 100 MeV: it is kept as drawn, with Q^2 (1 - y) = pt^2 + m_e^2 y^2."""
    w, momenta = narrow
    pt = np.hypot(momenta[0, 1], momenta[0, 2])
    y = np.geomspace(w**2 / ROOT_S**2, 1, 4002)[1:-1]
    other = w**2 / ROOT_S**2 / y
    luminosity = photons(other, largest(other, w)) * other * y  # per ln(y) and photon of the first
    whole = np.sum(luminosity * photons(y, largest(y, w)))
    for cut in (1e-3, 1e-2, 1e-1):
        expected = np.sum(luminosity * photons(y, largest(y, w, cut))) / whole
        error = np.sqrt(expected * (1 - expected) / len(pt))
        # The range of W is not quite narrow enough for less than 0.3 %.
        assert abs(np.mean(pt < cut) - expected) < 4 * error + 0.003


def test_fractions_of_photons(narrow: tuple[float, np.ndarray]):
    """Of the light-cone momentum, where neither electron has 10 MeV across and Q^2 << W^2."""
    w, momenta = narrow
    cut = 0.01
    quiet = np.all(np.hypot(momenta[:2, 1], momenta[:2, 2]) < cut, axis=0)
    mass = invariant_mass(momenta[2] + momenta[3])[quiet]
    electron = momenta[0][:, quiet]
    found = 1 - (electron[0] + electron[3]) / (BEAM[0] + BEAM[3])
    scaled = np.log(found * ROOT_S / mass) / np.log(ROOT_S / mass)
    y = np.geomspace(w**2 / ROOT_S**2, 1, 4002)[1:-1]
    other = w**2 / ROOT_S**2 / y
    density = photons(y, largest(y, w, cut)) * photons(other, largest(other, w, cut)) * y * other
    cumulative = np.cumsum(density)
    grid = np.log(y * ROOT_S / w) / np.log(ROOT_S / w)
    assert quiet.sum() > 25_000
    share = np.interp(scaled, grid, cumulative / cumulative[-1])
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_charge_and_parity(muons: np.ndarray):
    """e- forward as e+ backward, l- as l+, and the pair as often forward as backward."""
    electron, positron, minus, plus = muons
    for first, second in ((electron[0], positron[0]), (electron[3], -positron[3])):
        assert stats.ks_2samp(first[::2], second[1::2]).pvalue > 1e-3
    for component in (0, 3):
        assert stats.ks_2samp(minus[component, ::2], plus[component, 1::2]).pvalue > 1e-3
    pair = minus + plus
    assert stats.binomtest(int(np.sum(pair[3] > 0)), pair.shape[1]).pvalue > 1e-3
    assert np.mean(electron[3] > 0) > 0.999


def test_pair_goes_where_the_harder_photon_went(muons: np.ndarray):
    """W^2 = y1 y2 s and the rapidity ln(y1/y2)/2, where both electrons go down the beam pipe."""
    electron, positron, minus, plus = muons
    quiet = np.all([(np.hypot(*p[1:3]) < 0.01) & (p[0] > 1) for p in (electron, positron)], axis=0)
    pair = (minus + plus)[:, quiet]
    y1, y2 = (1 - 2 * p[0, quiet] / ROOT_S for p in (electron, positron))
    assert quiet.sum() > 20_000
    assert np.abs(y1 * y2 * (ROOT_S / invariant_mass(pair)) ** 2 - 1).max() < 2e-3
    assert np.abs(np.arctanh(pair[3] / pair[0]) - np.log(y1 / y2) / 2).max() < 2e-3
