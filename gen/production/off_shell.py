"""e+e- -> h' A'*(-> chi1 chi2): dark Higgsstrahlung of inelastic dark matter beyond narrow width.

Duerr, Ferber, Garcia-Cely, Hearty, Schmidt-Hoberg, arXiv:2012.08595. The h' radiated by the chi
changes the rate by less than 0.1 % where the A' can be on shell, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.models.dark_photon import chi1_chi2_width
from darkbelle.gen.production.higgsstrahlung import sample_pair, stripped_cross_section

__all__ = ["OffShellHiggsstrahlung"]

FloatArray = npt.NDArray[np.float64]

FAR = 0.1
"""Share of events with Q^2 from 1/Q^2, for what lies far from the resonance."""

REACH = 10
"""Widths below its mass down to which there is an A'.

Where beams radiate down to the mass of the A', e+e- -> gamma A', A' -> h' chi1 chi2 makes the same
particles; a virtual A' does that here, and sampling would have to find its narrow peak.
"""


@lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [0, 1], gathered at both ends, where roots vanish."""
    x, w = np.polynomial.legendre.leggauss(128)
    u = (x + 1) / 2
    return u**2 * (3 - 2 * u), 3 * u * (1 - u) * w


@dataclass(frozen=True, slots=True)
class OffShellHiggsstrahlung:
    """e+e- -> A'* h' with the A' bound for chi1 chi2; particles A' of its own mass Q, h'.

    Attributes
    ----------
    m_ap, m_hp, m_chi1, m_chi2
        Masses [GeV]; m_ap must differ from m_chi1 + m_chi2.
    epsilon
        Kinetic mixing.
    alpha_d
        g_D^2/4 pi of the coupling of A' to chi1 chi2.
    q_phi
        Dark charge of the dark Higgs; 2 lets it give chi its Majorana masses.
    visible_width
        Width of the A' to all but chi1 chi2 [GeV].
    """

    m_ap: float
    m_hp: float
    m_chi1: float
    m_chi2: float
    epsilon: float
    alpha_d: float
    q_phi: float = 2.0
    visible_width: float = 0.0

    @property
    def least_mass(self) -> float:
        """Least mass Q of the A' [GeV]."""
        return self.m_chi1 + self.m_chi2

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        own = self._mass_times_width / self.m_ap
        return self.m_hp + max(self.least_mass, self.m_ap - REACH * own)

    def width(self, mass2: FloatArray) -> FloatArray:
        """Width of an A' of squared mass Q^2 to chi1 chi2 [GeV], zero where it cannot decay."""
        delta = self.m_chi2 - self.m_chi1
        return chi1_chi2_width(np.sqrt(mass2), self.m_chi1, delta, self.alpha_d)

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], by quadrature in Q^2."""
        is_open, s = self._opened(s)
        node, weight = _nodes()
        mass2, density = self._resonant(s[:, None], node)
        total = np.sum(self.distribution(s[:, None], mass2) / density * weight, axis=1)
        return np.where(is_open, total, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of A' and h', shape (2, 4, n), and weights [fb]."""
        is_open, s = self._opened(s)
        u, least2 = rng.random(len(s)), self.least_mass**2
        mass2, _ = self._resonant(s, u)
        log_range = np.log((np.sqrt(s) - self.m_hp) ** 2 / least2)
        far = rng.random(len(s)) < FAR
        mass2[far] = least2 * np.exp(u * log_range)[far]
        density = (1 - FAR) * self._breit_wigner(s, mass2) + FAR / (log_range * mass2)
        weight = np.where(is_open, self.distribution(s, mass2) / density, 0.0)
        return sample_pair(s, np.sqrt(mass2), self.m_hp, rng), weight

    def _opened(self, s: FloatArray) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether each s is above threshold, and s where it is."""
        # Closer to it, the range of Q^2 drowns in rounding.
        is_open = s > (1 + 1e-9) * self.threshold**2
        return is_open, np.where(is_open, s, 2 * self.threshold**2)

    @property
    def _scale(self) -> float:
        """Width of the sampled Breit-Wigner in Q^2 [GeV^2], that of the A'.

        Where the A' is too light to decay, its distance from the least Q^2.
        """
        gap = self.least_mass**2 - self.m_ap**2
        return gap if gap > 0 else self._mass_times_width

    @property
    def _mass_times_width(self) -> float:
        return self.m_ap * (float(self.width(np.array(self.m_ap**2))) + self.visible_width)

    def _arc(self, s: FloatArray) -> tuple[float, FloatArray]:
        """Tan(t) at the least Q^2, and the range of t, where Q^2 = m_A'^2 + scale tan(t)."""
        m2 = self.m_ap**2
        low = (self.least_mass**2 - m2) / self._scale
        high = ((np.sqrt(s) - self.m_hp) ** 2 - m2) / self._scale
        return low, np.arctan2(high - low, 1 + low * high)

    def _resonant(self, s: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Q^2 of a Breit-Wigner, u of it being below, and its density."""
        low, arc = self._arc(s)
        sin, cos = np.sin(u * arc), np.cos(u * arc)
        # Counted from the least Q^2, near which the width vanishes.
        mass2 = self.least_mass**2 + self._scale * (1 + low**2) * sin / (cos - low * sin)
        return mass2, self._breit_wigner(s, mass2)

    def _breit_wigner(self, s: FloatArray, mass2: FloatArray) -> FloatArray:
        """Density of `_resonant` [1/GeV^2]."""
        _, arc = self._arc(s)
        density: FloatArray = self._scale / arc / ((mass2 - self.m_ap**2) ** 2 + self._scale**2)
        return density

    def distribution(self, s: FloatArray, mass2: FloatArray) -> FloatArray:
        """Derivative of the cross-section by Q^2 [fb/GeV^2].

        Both propagators have the same fixed width, of all decays: s may come close to m_A'^2.
        """
        m2, own = self.m_ap**2, self._mass_times_width
        couplings = (self.epsilon * self.q_phi) ** 2 * self.alpha_d * m2
        decay = np.sqrt(mass2) * self.width(mass2) / np.pi
        propagators = ((s - m2) ** 2 + own**2) * ((mass2 - m2) ** 2 + own**2)
        production = stripped_cross_section(s, mass2, self.m_hp)
        distribution: FloatArray = couplings * production * decay / propagators
        return distribution
