"""Draw what Pythia's backgrounds leave in a search for B+ -> K+ S, S -> pi+ pi- (arXiv:2306.02830).

Usage: python examples/backgrounds_from_pythia.py [PICTURE.png]

Above: the mass of good vertices of two tracks, taken for pions, that lie at least 2 mm from the
beams and point back to them: K_S, and Lambda under a wrong mass. Below: the same for vertices at
any distance that make a candidate of B+ -> K+ S, of each event the one of the least |Delta E|. The
dashed signal has an arbitrary rate. All are scaled by the cross-section to the luminosity.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import awkward as ak
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import gen, geometry, samples
from darkbelle.detsim import VertexStatus

N_EVENTS, LUMI = 16_384, 1.0
STYLE = {
    "uds": (r"$u\bar{u}$, $d\bar{d}$, $s\bar{s}$", "#0072B2"),
    "charm": (r"$c\bar{c}$", "#56B4E9"),
    "bbbar": (r"$B\bar{B}$", "#E69F00"),
}
MASS, CTAU, FRACTION = 1.5, 1.0, 1e-3
FARTHER, SIGNIFICANCE, MOST_CHI2, POINTING = 0.2, 10.0, 10.0, 0.05
"""Displaced vertices: transverse distance [cm] and its significance, chi2, angle to flight."""
K_PLUS_TO_PIONS = 2
"""Column of the candidates of B+ -> K+ S with S -> pi+ pi-."""
BINS = np.linspace(0.25, 2.25, 101), np.linspace(0.25, 2.25, 21)
Histograms = tuple[np.ndarray, np.ndarray]


def histograms(process: gen.Process, path: Path) -> Histograms:
    """Masses of displaced vertices, and of S in the candidates, for the luminosity."""
    samples.produce(samples.Run(process, geometry.load("belle2"), seed=1), path, n_events=N_EVENTS)
    with samples.open(path) as sample:
        vertices = sample.vertices
        far = (vertices.flight_xy > FARTHER) & (vertices.flight_xy_significance > SIGNIFICANCE)
        good = (vertices.fit_status == int(VertexStatus.OK)) & (vertices.chi2 < MOST_CHI2)
        points = vertices.pointing_angle < POINTING
        masses = ak.to_numpy(ak.flatten(vertices.mass_pipi[far & good & points]))
        of_s = sample.column("events", "b_tracks_mass")[:, K_PLUS_TO_PIONS]
        scale = LUMI * sample.cross_section.value / len(sample)
    found = masses, of_s[np.isfinite(of_s)]
    above, below = (
        scale * np.histogram(values, bins)[0] for values, bins in zip(found, BINS, strict=True)
    )
    return above, below


def draw(axis: Axes, bins: np.ndarray, backgrounds: list[np.ndarray], signal: np.ndarray) -> None:
    """Backgrounds on top of one another, the signal as a line."""
    below = np.zeros(len(bins) - 1)
    for (label, colour), content in zip(STYLE.values(), backgrounds, strict=True):
        axis.stairs(below + content, bins, baseline=below, fill=True, color=colour, label=label)
        below = below + content
    label = rf"$B^+ \to K^+ S$, $m_S$ = {MASS:g} GeV, $c\tau$ = {CTAU:g} cm"
    axis.stairs(signal, bins, color="#D55E00", ls="--", lw=1.2, label=label)
    axis.set_yscale("log")
    axis.set_ylabel(f"per {1000 * (bins[1] - bins[0]):.0f} MeV in {LUMI:g} fb$^{{-1}}$")


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "backgrounds_from_pythia.png")
    carries = ("b_to_k_tracks",)
    signal = gen.BToKScalar(
        mass=MASS, ctau=CTAU, decay="pipi", branching_fraction=FRACTION, rest_of_event="pythia"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        backgrounds = [
            histograms(gen.PythiaEvents(final_state=name, carries=carries), path / f"{name}.h5")
            for name in STYLE
        ]
        signals = histograms(signal, path / "signal.h5")
    figure = Figure(figsize=(8, 6), layout="constrained", dpi=150)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for i, axis in enumerate((upper, lower)):
        draw(axis, BINS[i], [each[i] for each in backgrounds], signals[i])
    upper.set_title("vertices at least 2 mm from the beams, Belle II", fontsize="medium")
    upper.legend(frameon=False, fontsize="small")
    lower.set_title(r"candidates of $B^+ \to K^+ S$", fontsize="medium")
    lower.set_xlabel(r"mass as $\pi^+\pi^-$ [GeV]")
    lower.set_xlim(BINS[0][0], BINS[0][-1])
    figure.savefig(picture)


if __name__ == "__main__":
    main()
