"""A kinetically mixed dark photon: L = -epsilon e A'_m J^m, alone or with chi1 and chi2.

Every visible width is alpha epsilon^2 m/3 times the ratio R of the mode to a pair of massless
muons (Batell, Pospelov, Ritz, arXiv:0903.0363); hadrons from e+e- data (arXiv:1801.04847).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.tabulated import Opening, TabulatedChannel, columns
from darkbelle.gen.particles import KAON, MASS_E, MASS_MU, MASS_TAU, PI0, PION, masses
from darkbelle.units import ALPHA_EM

__all__ = ["HADRONS", "VISIBLE", "DarkPhoton", "chi1_chi2_width", "r_ratio", "r_ratio_nodes"]

FloatArray = npt.NDArray[np.float64]

_LEPTONS: Final = {"ee": MASS_E, "mumu": MASS_MU, "tautau": MASS_TAU}
_EXCLUSIVE: Final = (
    "pipi", "pipipi0", "pi0gamma", "KK", "KKpi", "4pi_charged", "pipi2pi0", "other",
)  # fmt: skip
HADRONS: Final = (*_EXCLUSIVE, "hadrons")
"""Modes below 2 GeV, KK being K+ K- and K0 K0bar; from there on all of them are "hadrons"."""
VISIBLE: Final = (*_LEPTONS, *HADRONS)
_INCLUSIVE_FROM: Final = 2.0
"""GeV"""


def r_ratio(mode: str, q: FloatArray) -> FloatArray:
    """Rate of A'* -> mode over that of massless muons, at the masses q [GeV]; of any shape."""
    if mode in _LEPTONS:
        r = np.minimum(2 * _LEPTONS[mode] / np.maximum(q, 2 * _LEPTONS[mode]), 1.0)
        leptons: FloatArray = (1 + r**2 / 2) * np.sqrt((1 - r) * (1 + r))
        return leptons
    is_inclusive = q >= _INCLUSIVE_FROM
    if mode == "hadrons":
        table = columns("dark_photon_inclusive")
        return np.where(is_inclusive, np.interp(q, table["mass"], table["hadrons"]), 0.0)
    return np.where(is_inclusive, 0.0, _exclusive()[mode](q))


@cache
def r_ratio_nodes(mode: str) -> FloatArray:
    """Masses [GeV] between which the ratio of a mode is smooth, from its first to where it ends."""
    if mode in _LEPTONS:
        nodes = [2 * _LEPTONS[mode], np.inf]
    elif mode == "hadrons":
        nodes = [*columns("dark_photon_inclusive")["mass"], np.inf]
    else:
        opens = _exclusive()[mode].opening.threshold
        tabulated = columns("dark_photon_exclusive")["mass"]
        nodes = [opens, *tabulated[tabulated > opens], _INCLUSIVE_FROM]
    masses_between = np.array(nodes)
    masses_between.setflags(write=False)  # all callers share it
    return masses_between


@cache
def _exclusive() -> dict[str, TabulatedChannel]:
    pion, pi0, kaon = (float(m) for m in masses(np.array([PION, PI0, KAON], np.int32)))
    openings = {
        "pipi": Opening(2 * pion, 1.5),
        "pipipi0": Opening(2 * pion + pi0, 4.0),  # phase space times |p+ x p-|^2
        "pi0gamma": Opening(pi0, 3.0, rise=4.0),
        "KK": Opening(2 * kaon, 1.5),
        # These lie open far below, where the table has nothing of them up to this mass.
        "KKpi": Opening(1.35, 1.0),
        "4pi_charged": Opening(0.8, 1.0),
        "pipi2pi0": Opening(0.86, 1.0),
        "other": Opening(1.45, 1.0),
    }
    table = columns("dark_photon_exclusive")
    return {
        mode: TabulatedChannel.of(opening, table["mass"], table[mode])
        for mode, opening in openings.items()
    }


def chi1_chi2_width(q: FloatArray, m_chi1: float, delta: float, alpha_d: float) -> FloatArray:
    """Width [GeV] of A' of mass q [GeV] into Majorana chi1 chi2, masses m_chi1, m_chi1 + delta.

    L = i g_D A'_m chi1bar gamma^m chi2: (alpha_D q/3) (1 - delta^2/q^2)^(3/2)
    (1 + S^2/2q^2) (1 - S^2/q^2)^(1/2), S the sum of the masses; zero below threshold.
    """
    threshold = 2 * m_chi1 + delta
    inverse = 1 / np.maximum(q, max(threshold, np.finfo(float).tiny))
    total, split = threshold * inverse, delta * inverse
    width: FloatArray = (
        alpha_d * q / 3
        * ((1 - split) * (1 + split)) ** 1.5
        * (1 + total**2 / 2)
        * np.sqrt(np.maximum((1 - total) * (1 + total), 0.0))
    )  # fmt: skip
    return width


@dataclass(frozen=True, slots=True)
class DarkPhoton(Model):
    """Mass [GeV] and mixing of the A'; mass, splitting [GeV] and coupling of chi1, if it exists."""

    mass: float
    epsilon: float
    m_chi1: float | None = None
    delta: float = 0.0
    alpha_d: float = 0.0

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: ee, mumu, tautau, those in `HADRONS`, chi1chi2."""
        q = np.array(self.mass)
        unit = ALPHA_EM * self.epsilon**2 * self.mass / 3
        visible = {mode: unit * float(r_ratio(mode, q)) for mode in VISIBLE}
        dark = (
            0.0
            if self.m_chi1 is None
            else float(chi1_chi2_width(q, self.m_chi1, self.delta, self.alpha_d))
        )
        return visible | {"chi1chi2": dark}
