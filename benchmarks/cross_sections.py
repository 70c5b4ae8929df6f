"""Cross-sections of the processes next to published ones.

Usage: python benchmarks/cross_sections.py

Those of mu mu Z' at g' = 1 are ratios of published limits, on the cross-section times the branching
fraction and on g'^2 (arXiv:1912.11276), which were made with alpha = 1/127.9.

"10 to 170 degrees" is in the centre of mass, whatever row M72 says: boosted to the laboratory the
window holds two thirds of the Bhabha events. Row M70 has no window at all: what has both muons in
it is a seventh less, and 1.1472 nb is the total of KKMC in arXiv:1808.10567 (1.148 nb), as M77 is
that of tau pairs, which nobody cuts on. The difference are muon pairs that lose half of their
energy or more to the beams' radiation and leave along the beams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from darkbelle import geometry
from darkbelle.gen.processes import (
    AnnihilationProcess,
    Bhabha,
    GammaAlp,
    GammaGamma,
    MuMu,
    MuMuZPrime,
    TauTau,
)
from darkbelle.gen.processes.cuts import Frame, GeneratorCuts
from darkbelle.geometry import Collider
from darkbelle.units import ALPHA_EM, deg

SEED = 1
FB_PER_PB, FB_PER_NB = 1e3, 1e6
COUPLING = 0.01
MADGRAPH = (1 / 127.9 / ALPHA_EM) ** 2
"""The rate scales as the square of this alpha over that of the package."""
N_EVENTS = 400_000


@dataclass(frozen=True)
class Row:
    """A published cross-section [fb], its tolerance (relative), and how it is found here."""

    row: str
    what: str
    value: float
    tolerance: float
    source: str
    found: Callable[[], float]


def _at(card: str) -> Collider:
    return geometry.load(card).collider


def total(process: AnnihilationProcess, card: str = "belle2") -> float:
    """Cross-section [fb]."""
    found = process.cross_section(_at(card), np.random.default_rng(SEED))
    assert found is not None
    return found.value


def z_prime(mass: float) -> float:
    """Mu mu Z' with an invisible Z' at g' = 1 [fb], by the alpha of the published ones.

    At a coupling at which the Z' is narrow, as it is in the published ones.
    """
    process = MuMuZPrime(mass=mass, coupling=COUPLING, decay="invisible")
    return MADGRAPH * total(process, "belle2-2018") / COUPLING**2


def seen(process: AnnihilationProcess, cuts: GeneratorCuts, n_events: int = N_EVENTS) -> float:
    """Cross-section within cuts [fb]."""
    collider, rng = _at("belle2"), np.random.default_rng(SEED)
    generator = process.prepare(collider, rng)
    passed = cuts.passed(generator.generate(n_events, rng), collider)
    return float(generator.cross_section.value * passed.mean())


_WINDOW = (10 * deg, 170 * deg)
PAIR = GeneratorCuts(n_charged=2, theta=_WINDOW, frame=Frame.CMS)
PHOTONS = GeneratorCuts(n_photons=2, theta=_WINDOW, frame=Frame.CMS, energy=0.5)

_SEARCH, _LUMI, _BOOK = "1912.11276", "2407.00965", "1808.10567"

_Z_PRIME = (
    ("A201x", 0.500, 121_500.0, 0.03),
    ("A204x", 2.135, 16_900.0, 0.03),
    ("A206x", 2.683, 10_040.0, 0.03),
    ("A209x", 4.045, 2_066.0, 0.03),
    ("A210x", 4.634, 1_084.0, 0.03),
    ("A212x", 5.527, 411.3, 0.06),
    ("A213x", 5.868, 287.5, 0.06),
)

ROWS = (
    *(
        Row(row, f"mu mu Z', {mass} GeV", value, tolerance, _SEARCH, partial(z_prime, mass))
        for row, mass, value, tolerance in _Z_PRIME
    ),
    Row(
        "I33", "gamma a at 1e-3/GeV, light a, without radiation", 0.1184 * FB_PER_PB, 0.001,
        "2007.13071", lambda: total(GammaAlp(mass=0.001, coupling=1e-3, isr=False)),
    ),
    Row("M70", "mu mu", 1.1472 * FB_PER_NB, 0.0051 / 1.1472, _LUMI, lambda: total(MuMu())),
    Row("M77", "tau tau", 0.919 * FB_PER_NB, 0.03, "2405.07386", lambda: total(TauTau())),
    Row(
        "M72", "e e, 10 to 170 deg", 295.38 * FB_PER_NB, 0.03, _LUMI,
        lambda: seen(Bhabha(theta_min=8 * deg), PAIR),
    ),
    Row(
        "gg", "gamma gamma, 10 to 170 deg", 4.99 * FB_PER_NB, 0.01, _BOOK,
        lambda: seen(GammaGamma(theta_min=3 * deg), PHOTONS),
    ),
)  # fmt: skip
"""Generator cross-sections are held to 3 %, or to what the rows say where it is less."""


def main() -> None:
    """Print the table, and what is left of the muon pairs in the window."""
    print(f"{'row':6} {'what':48} {'published':>11} {'here [fb]':>11}  ratio tolerance  arXiv")
    for row in ROWS:
        here = row.found()
        print(
            f"{row.row:6} {row.what:48} {row.value:11.5g} {here:11.5g} {here / row.value:6.3f}"
            f"  {row.tolerance:8.2%}  {row.source}"
        )
    within = seen(MuMu(), PAIR)
    print(f"       {'both muons in 10 to 170 deg':48} {'':11} {within:11.5g}")


if __name__ == "__main__":
    main()
