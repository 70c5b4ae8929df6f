"""e+e- -> e+e- l+ l- by fusion of two quasi-real photons, in the equivalent-photon approximation.

Good to 5 % for masses W of the pair of 0.5 to 2 GeV, to 10-20 % above. Pairs that one electron
radiates, and identical particles, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import boost, kallen, rotate_z_to, to_rest_frame
from darkbelle.gen.particles import MASS_E
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["TwoPhoton"]

FloatArray = npt.NDArray[np.float64]

_NODE, _NODE_WEIGHT = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True, slots=True)
class TwoPhoton:
    """e-, e+, l-, l+.

    Attributes
    ----------
    mass
        Of the lepton [GeV].
    w_min
        Least mass W of the pair of leptons [GeV]; it is 2 ``mass`` at least.
    """

    mass: float
    w_min: float = 0.0

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self._lightest + 2 * MASS_E

    @property
    def _lightest(self) -> float:
        return max(self.w_min, 2 * self.mass)

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""
        is_open = s > self.threshold**2
        root_s = np.sqrt(np.where(is_open, s, 4 * self.threshold**2))[:, None]
        # In ln(W), with the square root at the threshold of the pair made smooth.
        log_range = np.log(root_s / self._lightest)
        away = (1 + _NODE) / 2
        w = self._lightest * np.exp(log_range * away**2)
        spectrum = self.mass_spectrum(root_s**2, w) * w * away * log_range
        return np.where(is_open, spectrum @ _NODE_WEIGHT, 0.0)

    def mass_spectrum(self, s: FloatArray, w: FloatArray) -> FloatArray:
        """Cross-section per mass W of the pair [fb/GeV], zero below ``w_min``; broadcasts."""
        is_open = (w >= self._lightest) & (w < np.sqrt(s))
        w = np.where(is_open, w, self._lightest)
        w2, s = (w**2)[..., None], np.asarray(s)[..., None]
        # Half of the rapidities, which are symmetric, gathered where the photons take everything.
        log_range = np.maximum(np.log(s / w2) / 2, 0.0)
        away = (1 - _NODE) / 2
        rapidity = log_range * (1 - away**3)
        luminosity = 3 * log_range * away**2
        for y in _fractions(s, w2, rapidity):
            luminosity = luminosity * _flux(y, s, w2)
        spectrum = 2 / w * (luminosity @ _NODE_WEIGHT) * _pair_cross_section(w, self.mass)
        return np.where(is_open, spectrum, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of e-, e+, l-, l+, shape (4, 4, n), and weights [fb], one event at each s.

        Drawn are 1/W^2 and the rapidity of the pair, flat, which give the fractions y of the
        photons, y1 y2 = W^2/s, and transverse momenta of the electrons with a density of 1/Q^2.
        W and transverse momenta are kept, the rapidity shrinks with the range that is left to it,
        and the electrons take what four-momentum leaves them: this shifts their Q^2 and y by the
        order Q^2/W^2 that the approximation neglects. Where W leaves too little for the transverse
        momenta, they are made smaller.
        """
        n = len(s)
        is_open = s > self.threshold**2
        s = np.where(is_open, s, 4 * self.threshold**2)
        share_min = (self._lightest / (np.sqrt(s) - 2 * MASS_E)) ** 2
        share = share_min + (1 - share_min) * (1 - rng.random(n))
        w2 = self._lightest**2 / share
        log_range = np.log(s / w2) / 2
        rapidity = 2 * rng.random(n) - 1  # over the largest
        density = share / (1 - share_min) / (2 * log_range)  # in ln(W^2) and the rapidity
        y1, y2 = _fractions(s, w2, rapidity * log_range)
        across1, flux1 = _sample_transverse(y1, s, w2, rng)
        across2, flux2 = _sample_transverse(y2, s, w2, rng)
        electrons, pair = _scatter(s, w2, rapidity, across1, across2)
        lepton, cross_section = _sample_lepton(np.sqrt(w2), self.mass, rng)
        leptons = _into_frame(lepton, electrons[0], pair, s, w2)
        weight = flux1 * flux2 * cross_section / density
        return np.stack([*electrons, *leptons]), np.where(is_open, weight, 0.0)


def _fractions(s: FloatArray, w2: FloatArray, rapidity: FloatArray) -> tuple[FloatArray, ...]:
    """Shares y of the light-cone momenta of e- and e+ that their photons take."""
    mean = np.sqrt(w2 / s)
    return mean * np.exp(rapidity), mean * np.exp(-rapidity)


def _log_virtualities(y: FloatArray, s: FloatArray, w2: FloatArray) -> FloatArray:
    """ln(Q^2_max/Q^2_min), or zero where there is no room.

    Q^2_min = m_e^2 y^2/(1 - y), and Q^2_max = min(W^2/4, s (1 - y)), a choice that brings the
    cross-section above W = 0.5 GeV to that of the full calculation.
    """
    rest = np.maximum(1 - y, 1e-15)
    ratio = np.minimum(w2 / 4, s * rest) * rest / (MASS_E * y) ** 2
    return np.log(np.maximum(ratio, 1.0))


def _flux(y: FloatArray, s: FloatArray, w2: FloatArray) -> FloatArray:
    """Photons per ln(y), y n(y) (Budnev et al., Phys. Rept. 15 (1975) 181, eq. 6.17b).

    n(y) = (alpha/2 pi) {[1 + (1 - y)^2]/y ln(Q^2_max/Q^2_min)
    - 2 m_e^2 y (1/Q^2_min - 1/Q^2_max)}.
    """
    log = _log_virtualities(y, s, w2)
    flux: FloatArray = (1 + (1 - y) ** 2) * log + 2 * (1 - y) * np.expm1(-log)
    return ALPHA_EM / (2 * np.pi) * flux


def _sample_transverse(
    y: FloatArray, s: FloatArray, w2: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Transverse momentum of an electron, shape (2, n), and the weight that averages to `_flux`.

    Q^2 = (m_e^2 y^2 + pt^2)/(1 - y) is exact, y being the share of the light-cone momentum.
    """
    log = _log_virtualities(y, s, w2)
    drawn = log * rng.random(len(y))  # ln(Q^2/Q^2_min)
    pt = MASS_E * y * np.sqrt(np.expm1(drawn))
    phi = azimuths(len(y), rng)
    weight = (1 + (1 - y) ** 2 - 2 * (1 - y) * np.exp(-drawn)) * log
    return pt * np.stack([np.cos(phi), np.sin(phi)]), ALPHA_EM / (2 * np.pi) * weight


def _scatter(
    s: FloatArray, w2: FloatArray, share: FloatArray, across1: FloatArray, across2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Momenta of e-, e+, shape (2, 4, n), and of the pair.

    ``share`` is the rapidity of the pair over the largest that is possible.
    """
    root_s = np.sqrt(s)
    size = np.sqrt(np.sum(across1**2, axis=0)) + np.sqrt(np.sum(across2**2, axis=0))
    # Transverse masses add up to at most sqrt(s), if twice the transverse momenta fit as well.
    room = np.maximum(root_s - np.sqrt(w2) - 2 * MASS_E, 0.0)
    fit = np.minimum(1.0, room / np.maximum(2 * size, 1e-300))
    across1, across2 = fit * across1, fit * across2
    across = -across1 - across2
    transverse_mass = np.sqrt(w2 + np.sum(across**2, axis=0))
    t1, t2 = (MASS_E**2 + np.sum(p**2, axis=0) for p in (across1, across2))
    least2 = (np.sqrt(t1) + np.sqrt(t2)) ** 2
    cosh_max = (s + transverse_mass**2 - least2) / (2 * root_s * transverse_mass)
    rapidity = share * np.arccosh(np.maximum(cosh_max, 1.0))
    # Light-cone momenta e + pz and e - pz; the electrons share what the pair leaves.
    plus, minus = transverse_mass * np.exp(rapidity), transverse_mass * np.exp(-rapidity)
    rest_plus, rest_minus = root_s - plus, root_s - minus
    rest2 = rest_plus * rest_minus
    root = np.sqrt(np.maximum(kallen(rest2, t1, t2), 0.0))
    plus1 = (rest2 + t1 - t2 + root) / (2 * rest_minus)
    minus2 = (rest2 + t2 - t1 + root) / (2 * rest_plus)
    electrons = np.stack(
        [
            _from_light_cone(plus1, t1 / plus1, across1),
            _from_light_cone(t2 / minus2, minus2, across2),
        ]
    )
    return electrons, _from_light_cone(plus, minus, across)


def _from_light_cone(plus: FloatArray, minus: FloatArray, across: FloatArray) -> FloatArray:
    """Four-momentum from e + pz, e - pz and (px, py)."""
    return np.stack([(plus + minus) / 2, *across, (plus - minus) / 2])


def _pair_cross_section(w: FloatArray, mass: float) -> FloatArray:
    """Cross-section of gamma gamma -> l+ l- [fb] (Budnev et al., appendix E, real photons)."""
    rapidity = np.arccosh(np.maximum(w / (2 * mass), 1.0))
    tau = (2 * mass / w) ** 2
    bracket = (2 + 2 * tau - tau**2) * rapidity - np.tanh(rapidity) * (1 + tau)
    return 4 * np.pi * ALPHA_EM**2 * HBAR_C2 / w**2 * bracket


def _sample_lepton(
    w: FloatArray, mass: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Momentum of l- in the frame of the photons, the first along +z, and `_pair_cross_section`.

    The cosine c is drawn from 1/(1 - beta^2 c^2), and the second is a weight that averages to it:
    (2 pi alpha^2 beta/W^2) [1 + 2 b^2 (1 - b^2)(1 - c^2) - b^4 c^4]/(1 - b^2 c^2)^2, b = beta.
    """
    # A floor on the rapidity of the lepton keeps what follows finite.
    gamma = np.maximum(w / (2 * mass), 1 + 1e-15)
    eta_max = np.arccosh(gamma)
    eta = (2 * rng.random(len(w)) - 1) * eta_max
    gap, tau = 1 / np.cosh(eta) ** 2, 1 / gamma**2  # 1 - beta^2 c^2 and 1 - beta^2
    weight = (2 - gap + 2 * tau * (1 - tau / gap)) * 2 * eta_max
    along = w / 2 * np.tanh(eta)
    across = np.sqrt(np.maximum(w**2 / 4 * gap - mass**2, 0.0))
    phi = azimuths(len(w), rng)
    lepton = np.stack([w / 2, across * np.cos(phi), across * np.sin(phi), along])
    return lepton, 2 * np.pi * ALPHA_EM**2 * HBAR_C2 / w**2 * weight


def _into_frame(
    lepton: FloatArray, electron: FloatArray, pair: FloatArray, s: FloatArray, w2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Both leptons, from the frame of the photons to that of the beams."""
    beam = np.sqrt(s) / 2
    zero = np.zeros_like(beam)
    photon = np.stack([beam, zero, zero, np.sqrt(beam**2 - MASS_E**2)]) - electron
    axis = to_rest_frame(photon, pair)[1:]
    axis /= np.sqrt(np.sum(axis**2, axis=0))
    first = boost(rotate_z_to(lepton, axis), pair, np.sqrt(w2))
    return first, pair - first
