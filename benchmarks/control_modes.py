"""Widths and efficiencies of control modes, generated and simulated, next to published ones.

Usage: python -m benchmarks.control_modes

Candidates are made of the true particles' tracks and photons, so that combinations of others are
neither a background nor a gain. Widths are, by what the publication says,

- "FWHM/2.355": that of the smoothed peak,
- the standard deviation of a fit, or windows of so many: that of a Gaussian, or of one with two
  widths, fitted within 1.5 of it,
- an "average" resolution: the mean of the widths of two Gaussians, by their areas,
- any other "resolution": half of the central 68.27 %, of reconstructed less true values where
  these differ from one decay to the next.

No masses are fitted but where the publication says so. Efficiencies are shares of generated decays.
Factors that stand for a trained classifier or for the identification of a publication (its own
rates) are given with the rows; where the range of such a factor is published, its middle is taken.

Rows M18, M26, M27 and M29 are in ``photons.py``, M73 and M75 in ``luminosity.py``, M31 and M33 in
``tests/reference/test_three_pion_fit.py``. D*+ are made without their width of 83 keV, which is
left out of M05 here; it would make 0.138 MeV of 60,000 events 0.157.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.b_modes import (
    CONTINUUM,
    ID_KAON,
    ID_PION,
    M_PHI,
    d_kaon,
    d_star_lepton,
    d_star_lepton_share,
    hard_photons,
    j_psi_omega,
    j_psi_pi0,
    k_pi,
    k_pi0,
    k_short_of_d,
    k_short_pi,
    phi_k_short,
    phi_share,
    three_k_shorts,
    three_muons,
    two_photons,
)
from benchmarks.charm_modes import d_s_share, d_star, lambda_c
from benchmarks.recoil_widths import core_width
from benchmarks.widths import average_width, full_width, half_central, lower_width
from darkbelle.units import MeV, um

FS = 1e-6  # ns


@dataclass(frozen=True)
class Published:
    """A published figure and how it is measured here with some events."""

    row: str
    what: str
    value: float
    unit: str
    tolerance: float
    source: str
    measure: Callable[[int], float]


def _width(
    row: str,
    what: str,
    value: float,
    source: str,
    measure: Callable[[int], float],
    unit: str = "MeV",
    error: float = 0.0,
) -> Published:
    scale = {"MeV": MeV, "fs": FS, "um": um, "GeV": 1.0}[unit]
    tolerance = math.hypot(0.20, error / value)
    return Published(row, what, value, unit, tolerance, source, lambda n: measure(n) / scale)


def _share(
    row: str,
    what: str,
    value: float,
    source: str,
    measure: Callable[[int], float],
    factor: float = 1.0,
    error: float = 0.0,
) -> Published:
    tolerance = math.hypot(0.15, error / value)
    return Published(row, what, value, "%", tolerance, source, lambda n: factor * measure(n))


_LIFETIME, _HADRONIC, _CHARMLESS = "2108.03216", "2308.05048", "2310.06381"
_PHI, _PSI_PI0, _PSI_OMEGA, _TAU = "2307.02802", "2410.08622", "2412.13338", "2405.07386"
_SLNU = "2310.01170"

ROWS: tuple[Published, ...] = (
    _width(
        "M01",
        "D0 of D*+: mass, FWHM",
        4.42,
        _LIFETIME,
        lambda n: full_width(d_star(n).mass),
        error=0.1,
    ),
    _width(
        "M03",
        "D0 of D*+: decay time",
        70,
        _LIFETIME,
        lambda n: average_width(d_star(n).time, -500 * FS, 500 * FS),
        "fs",
    ),
    _width(
        "M05", "D*+: mass difference", 0.16, _LIFETIME, lambda n: core_width(d_star(n).difference)
    ),
    _width(
        "M07",
        "Lambda_c: decay length",
        40,
        "2206.15227",
        lambda n: half_central(lambda_c(n).length),
        "um",
    ),
    _width(
        "M07",
        "Lambda_c: decay time",
        87,
        "2206.15227",
        lambda n: half_central(lambda_c(n).time),
        "fs",
    ),
    Published("M09", "D_s -> phi pi within 8 MeV", 95, "%", 0.05, "2306.00365", d_s_share),
    _width(
        "M10",
        "K_S of B -> D K: mass",
        2.17,
        _HADRONIC,
        lambda n: core_width(k_short_of_d(n)),
        error=0.2,
    ),
    _width(
        "M12",
        "K_S of B0 -> phi K_S: mass",
        2.0,
        _PHI,
        lambda n: average_width(phi_k_short(n).values("k_short"), 0.480, 0.515),
    ),
    _width(
        "M13",
        "D0 of B+ -> D0 K+: mass",
        4.0,
        _HADRONIC,
        lambda n: core_width(d_kaon(n).values("d")),
    ),
    _width(
        "M15",
        "phi of B0 -> phi K_S: mass",
        3.0,
        _PHI,
        lambda n: average_width(phi_k_short(n).values("phi"), M_PHI - 0.01, M_PHI + 0.01),
    ),
    _width(
        "M16",
        "J/psi of B0 -> J/psi pi0: mass",
        13,
        _PSI_PI0,
        lambda n: average_width(j_psi_pi0(n).values("j_psi"), 2.9, 3.2),
    ),
    _width(
        "M19",
        "B0 -> J/psi pi0: Delta E",
        50,
        _PSI_PI0,
        lambda n: half_central(j_psi_pi0(n).delta_es),
    ),
    _share(
        "M21",
        "B0 -> J/psi pi0",
        48,
        _PSI_PI0,
        lambda n: j_psi_pi0(n).share((-0.3, 0.3), (5.2, 5.3)),
        0.97 * 0.99,
        2,
    ),
    _width(
        "M24", "B0 -> J/psi omega: M_bc", 3.0, _PSI_OMEGA, lambda n: core_width(j_psi_omega(n).mbcs)
    ),
    _width(
        "M25",
        "omega of B0 -> J/psi omega: mass",
        15,
        _PSI_OMEGA,
        lambda n: half_central(j_psi_omega(n).values("omega")),
    ),
    _width("M40", "tau -> 3 mu: mass", 4.8, _TAU, lambda n: lower_width(three_muons(n).mass)),
    _width(
        "M42", "tau -> 3 mu: Delta E", 14.9, _TAU, lambda n: lower_width(three_muons(n).delta_e)
    ),
    _share("M44", "tau -> 3 mu", 30.7, _TAU, lambda n: three_muons(n).efficiency),
    _width("M76", "photons of 5.29 GeV", 0.08, "2407.00965", hard_photons, "GeV"),
    _share("M80", "B0 -> K+ pi-", 49.91, _CHARMLESS, k_pi, CONTINUUM * ID_KAON * ID_PION),
    _share("M82", "B+ -> K+ pi0", 36.91, _CHARMLESS, k_pi0, 0.988 * CONTINUUM * ID_KAON),
    _share(
        "M84", "B+ -> K_S pi+", 15.89, _CHARMLESS, k_short_pi, 0.5 * 0.692 * CONTINUUM * ID_PION
    ),
    _share("M86", "B0 -> phi K_S", 33, _PHI, phi_share, 0.95),
    _share("M88", "B0 -> K_S K_S K_S", 28.3, "2403.02590", three_k_shorts, 0.91**3),
    _share("M89", "B0 -> gamma gamma", 30.8, "2405.19734", two_photons, 0.90 * 0.82 * 0.89),
    _share("M94", "B0 -> D* e nu", 22.0, _SLNU, lambda n: d_star_lepton_share(n, "e")),
    _share("M94", "B0 -> D* mu nu", 23.5, _SLNU, lambda n: d_star_lepton_share(n, "mu")),
    _width("M99", "B+ -> D0 K+: M_bc", 3.3, _HADRONIC, lambda n: core_width(d_kaon(n).mbcs)),
    _width(
        "M100",
        "D0 of B0 -> D* l nu: mass",
        4.41,
        _SLNU,
        lambda n: core_width(d_star_lepton(n, "mu").values("d")),
    ),
)


def main() -> None:
    """Print the table."""
    print(f"{'row':5}  {'what':32} {'published':>9} {'here':>9}  {'ratio':>5}  tolerance  source")
    for row in ROWS:
        here = row.measure(20_000)
        print(
            f"{row.row:5}  {row.what:32} {row.value:9.4g} {here:9.4g}  {here / row.value:5.2f}"
            f"  {row.tolerance:>9.0%}  arXiv:{row.source} [{row.unit}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
