"""Deposits of what passes the crystals, against transforms of the spectra of single losses."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.detsim.straggling import greatest_transfer, straggling
from tests.detsim.sending import P_VALUE, belle2, mass_of
from tests.grids import spanned

MUON, PION, PROTON = 13, 211, 2212
XI = 0.1535e-3 * (55 + 53) / (132.905 + 126.904) * 4.51 * 30
"""GeV in 30 cm of CsI: PDG 2024, Eq. 34.12."""
NO_SHOWERS = "calorimeter.showers.critical_energy_mev=1e9"
"""Electrons stay where they are made, and nothing radiates."""
STEP, N_STEPS = 1e-4, 2**16
"""Of the transforms [GeV]: up to 6.5 GeV."""


def draw(pdg_id: int, p: float, *overrides: str, n: int = 200_000, path: float = 1.0) -> np.ndarray:
    """Energies above the most probable one [GeV]."""
    columns = (np.full(n, p), np.full(n, mass_of(pdg_id)), np.full(n, pdg_id != PION))
    ecl = belle2(*overrides).calorimeter
    return straggling(*columns, np.full(n, path), ecl, np.random.default_rng(1))


def top_transfer(p: float, mass: float) -> float:
    """Of an electron that is hit head-on, from the energies in the centre of mass."""
    m_e = 0.51099895e-3
    return 2 * m_e * p**2 / (mass**2 + m_e**2 + 2 * m_e * math.hypot(p, mass))


def collisions(t: np.ndarray, pdg_id: int, p: float, path: float = 1.0) -> np.ndarray:
    """Knock-on electrons an energy [1/GeV]."""
    energy, top = math.hypot(p, mass_of(pdg_id)), top_transfer(p, mass_of(pdg_id))
    beta2 = (p / energy) ** 2
    spin = 0.0 if pdg_id == PION else t**2 / (2 * energy**2)
    return np.where(t < top, XI * path / beta2 / t**2 * (1 - beta2 * t / top + spin), 0.0)


def photons(t: np.ndarray, pdg_id: int, p: float) -> np.ndarray:
    """Photons an energy in 16.1 X0, longer by the mass squared: PDG 2024, Eq. 34.28."""
    y = t / math.hypot(p, mass_of(pdg_id))
    length = 16.1 * (0.51099895e-3 / mass_of(pdg_id)) ** 2
    return np.where(y < 1, length / t * (4 / 3 * (1 - y) + y**2), 0.0)


def contained(t: np.ndarray, offset: float, depths: np.ndarray) -> np.ndarray:
    """Share of showers on lengths [X0] of what 16.1 X0 hold, shape (len(t), len(depths))."""
    a = 1 + 0.5 * np.maximum(np.log(t / 11.2e-3) + offset, 0.0)[:, None]
    return stats.gamma.cdf(depths / 2, a) / stats.gamma.cdf(16.1 / 2, a)


@cache
def survival(
    pdg_id: int, p: float, showers: bool = False, path: float = 1.0, extra: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Energies above the most probable one, and the probability of more.

    Every collision above 0.2 MeV counts by itself, those below are a Gaussian; a second Gaussian
    makes the full width of muons of 4 GeV 60 MeV.
    """
    t = (np.arange(N_STEPS) + 0.5) * STEP
    number = collisions(t, pdg_id, p, path) * STEP
    number[:2] = 0.0
    if showers:
        depths = (np.arange(50) + 0.5) / 50 * 16.1
        lost = np.zeros(N_STEPS)
        for spectrum, offset in ((number, -0.5), (photons(t, pdg_id, p) * STEP, 0.5)):
            hard = (t > 11.2e-3) & (spectrum > 0)
            seen = t[hard, None] * contained(t[hard], offset, depths)
            weight = np.broadcast_to(spectrum[hard, None] / 50, seen.shape)
            lost += np.histogram(seen, np.arange(N_STEPS + 1) * STEP, weights=weight)[0]
        number = np.where(t > 11.2e-3, 0.0, number) + lost
    sigma = instrument() if extra is None else extra
    k = 2 * np.pi * np.fft.fftfreq(N_STEPS, STEP)
    spread = sigma**2 + XI * path * 2e-4
    phase = np.fft.fft(number) * np.exp(-0.5j * k * STEP) - number.sum() - spread * k**2 / 2
    density = np.roll(np.fft.ifft(np.exp(phase)).real, N_STEPS // 4)
    x = (np.arange(N_STEPS) - N_STEPS // 4) * STEP
    x -= x[density.argmax()]
    return x, 1 - np.cumsum(density)


@cache
def instrument() -> float:
    """Sigma [GeV] that makes muons of 4 GeV 60 MeV wide."""
    sigmas = np.array([0.015, 0.018, 0.021])
    widths = [fwhm(*survival(MUON, 4.0, extra=float(sigma))) for sigma in sigmas]
    return float(np.interp(0.06, widths, sigmas))


def fwhm(x: np.ndarray, above: np.ndarray) -> float:
    density = -np.diff(above)
    high = np.flatnonzero(density > density.max() / 2)
    return float(x[high[-1]] - x[high[0]])


def agrees(energies: np.ndarray, threshold: float, expected: float, tolerance: float) -> bool:
    """Whether as many are above as expected, within a tolerance and a binomial error."""
    count, n = int((energies > threshold).sum()), len(energies)
    low, high = expected * (1 - tolerance), expected * (1 + tolerance)
    if low <= count / n <= high:
        return True
    nearest = low if count / n < low else high
    return bool(stats.binomtest(count, n, nearest).pvalue > P_VALUE)


FAST = [(MUON, 2.0), (MUON, 4.0), (MUON, 7.0), (PION, 3.0), (PION, 6.0)]


def test_card() -> None:
    assert belle2().calorimeter.tracks.knock_on_gev == pytest.approx(XI, rel=2e-3)


@pytest.mark.parametrize(("pdg_id", "p"), [*FAST, (PROTON, 1.0), (MUON, 0.3)])
def test_greatest_transfer(pdg_id: int, p: float) -> None:
    mass = mass_of(pdg_id)
    found = greatest_transfer(np.array([p / mass]), np.array([mass]))
    assert found == pytest.approx(top_transfer(p, mass), rel=1e-9)


@pytest.mark.parametrize(("pdg_id", "p"), FAST)
def test_tail_is_that_of_knock_on_electrons(pdg_id: int, p: float) -> None:
    """Within 2 % of all collisions; these take a little more than the hardest of them alone."""
    energies, top = draw(pdg_id, p, NO_SHOWERS), top_transfer(p, mass_of(pdg_id))
    x, above = survival(pdg_id, p)
    for threshold in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8):
        expected = float(np.interp(threshold, x, above))
        assert agrees(energies, threshold, expected, 0.02)
        if threshold < 0.8 * top:
            alone, softer = (
                integrate.quad(collisions, t, top, (pdg_id, p))[0]
                for t in (threshold, threshold - 5 * XI)
            )
            assert alone < expected < softer


@pytest.mark.parametrize(("pdg_id", "p"), spanned(FAST, [(MUON, 2.0), (MUON, 4.0), (PION, 3.0)]))
def test_electrons_and_photons_shower(pdg_id: int, p: float) -> None:
    """On what is left of the crystals where they begin: a third fewer muons leave 0.3 GeV more."""
    energies = draw(pdg_id, p)
    x, above = survival(pdg_id, p, showers=True)
    for threshold in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8):
        assert agrees(energies, threshold, float(np.interp(threshold, x, above)), 0.02)


def test_muons_above_half_a_gev() -> None:
    """0.3 GeV above the peak: 1 to 2 % make such an electron, 0.7 to 1.3 % show it."""
    for p, made, seen in ((4.0, 0.0107, 0.0078), (6.0, 0.0170, 0.0124)):
        number = integrate.quad(collisions, 0.3, top_transfer(p, mass_of(MUON)), (MUON, p))[0]
        assert number == pytest.approx(made, rel=0.02)
        assert np.mean(draw(MUON, p) > 0.3) == pytest.approx(seen, rel=0.1)


def test_radiation_alone_is_above_the_greatest_transfer() -> None:
    """Muons of 2 GeV: no collision takes more than 0.31 GeV."""
    n = 1_000_000
    energies = draw(MUON, 2.0, n=n)
    assert (energies > 0.5).mean() == pytest.approx(2.7e-4, rel=0.2)
    assert (draw(MUON, 2.0, NO_SHOWERS) > 0.5).sum() == 0


@pytest.mark.parametrize(
    ("pdg_id", "p", "width"),
    [(MUON, 2.0, 57), (MUON, 4.0, 59), (MUON, 7.0, 59), (PION, 3.0, 58), (MUON, 0.4, 46)],
)
def test_peak(pdg_id: int, p: float, width: float) -> None:
    """At zero within 1 MeV; 60 MeV wide within 3 %, less where T_max is of the size of xi."""
    counts, edges = np.histogram(draw(pdg_id, p), np.linspace(-0.06, 0.1, 161))
    centre = (edges[1:] + edges[:-1]) / 2
    top = counts > 0.8 * counts.max()
    bend = np.poly1d(np.polyfit(centre[top], counts[top], 3))
    mode = min(bend.deriv().roots.real, key=abs)
    high = np.flatnonzero(counts > bend(mode) / 2)
    assert mode == pytest.approx(0.0, abs=0.001)
    wide = edges[high[-1] + 1] - edges[high[0]]
    assert wide == pytest.approx(width * 1e-3, abs=0.0021)


def test_longer_ways() -> None:
    """Twice the electrons on twice the way, and the peak within 2 MeV of its place."""
    energies = draw(MUON, 4.0, NO_SHOWERS, path=2.0)
    x, above = survival(MUON, 4.0, path=2.0)
    for threshold in (-0.02, 0.0, 0.02):
        expected = np.interp([threshold - 0.002, threshold + 0.002], x, above)
        assert expected[1] < np.mean(energies > threshold) < expected[0]
    assert agrees(energies, 0.3, float(np.interp(0.3, x, above)), 0.03)


def test_no_collisions_of_slow_ones() -> None:
    """T_max below xi: a Gaussian, wider by xi T_max (1 - beta^2/2)."""
    p, mass = 1.0, mass_of(PROTON)
    beta2, top = p**2 / (p**2 + mass**2), top_transfer(p, mass)
    energies = draw(PROTON, p, NO_SHOWERS)
    soft = XI / beta2 * top * (1 - beta2 / 2)
    assert energies.mean() == pytest.approx(0.0, abs=2e-4)
    assert energies.std() == pytest.approx(math.hypot(instrument(), math.sqrt(soft)), rel=0.02)


def test_nobody_passes() -> None:
    empty = np.empty(0)
    ecl = belle2().calorimeter
    found = straggling(empty, empty, empty > 0, empty, ecl, np.random.default_rng(1))
    assert found.shape == (0,)


def test_spin() -> None:
    """Of muons of 7 GeV, 15 % more lose 1.5 GeV than without T^2/(2 E^2)."""
    energies = draw(MUON, 7.0, NO_SHOWERS, n=1_000_000)
    expected = float(np.interp(1.5, *survival(MUON, 7.0)))
    assert agrees(energies, 1.5, expected, 0.02)
