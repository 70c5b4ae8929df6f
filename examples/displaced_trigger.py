"""Draw which triggers keep a displaced pair of tracks, against its radius: the docs' picture.

Usage: python examples/displaced_trigger.py [PICTURE.png]

S -> mu+ mu- and S -> e+ e- of 2 GeV with a momentum of 2 GeV in the barrel, and nothing else in
the event. Left: lines of level one that run. Right: events that level one and then the high level
keep, with and without its line for displaced vertices.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import detsim, geometry
from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import ELECTRON, MUON, species

MASS, MOMENTUM, N_EVENTS = 2.0, 2.0, 60_000
EDGES = np.array([0, 1, 2, 3, 4, 6, 8, 10, 12.5, 15, 17.5, 20, 25, 30, 35, 40, 50, 60, 80, 100])
LINES = {
    MUON: ("stt", "cdcklm1", "fy30", "cdcklm2", "fyo", "hie"),
    ELECTRON: ("hie", "stt", "fy30", "lml6", "lml13", "fyo"),
}
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00")


def pairs(lepton: int, rng: np.random.Generator) -> tuple[TruthEvents, np.ndarray]:
    """Events of one pair each, and the radii at which they are born [cm]."""
    theta, phi = rng.uniform(1.2, 1.9, N_EVENTS), rng.uniform(-np.pi, np.pi, N_EVENTS)
    direction = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    span = rng.integers(0, len(EDGES) - 1, N_EVENTS)
    radius = rng.uniform(EDGES[span], EDGES[span + 1])
    vertex = np.stack([*(direction * radius / np.sin(theta)), 0 * radius])
    energy = np.full(N_EVENTS, np.hypot(MOMENTUM, MASS))
    scalar = np.stack([energy, *(MOMENTUM * direction)])
    mass = species(lepton).mass or 0.0
    angles = rng.uniform(-1, 1, N_EVENTS), rng.uniform(-np.pi, np.pi, N_EVENTS)
    slots = [
        Slot(code, Status.FINAL, Origin.PRIMARY, mass, boost(momentum, scalar), vertex)
        for code, momentum in zip(
            (lepton, -lepton), two_body(np.full(N_EVENTS, MASS), mass, mass, *angles), strict=True
        )
    ]
    return assemble(slots, np.ones(N_EVENTS), np.zeros((4, N_EVENTS)), None), radius


def draw(axis: Axes, radius: np.ndarray, passed: np.ndarray, label: str, **style: object) -> None:
    """Efficiency in bins of the radius."""
    efficiency = [passed[(radius >= low) & (radius < high)].mean() for low, high in pairwise(EDGES)]
    axis.stairs(efficiency, EDGES, label=label, baseline=None, **style)


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "displaced_trigger.png")
    experiment = geometry.load("belle2-run2")
    l1, hlt = experiment.trigger.l1.line_names, experiment.trigger.hlt.line_names
    figure = Figure(figsize=(10, 7), layout="constrained", dpi=150)
    rows = figure.subplots(2, 2, sharex=True, sharey=True)
    for (left, right), lepton in zip(rows, LINES, strict=True):
        rng = np.random.default_rng(1)
        truth, radius = pairs(lepton, rng)
        trigger = detsim.simulate(truth, experiment, rng=rng).trigger
        for line, colour in zip(LINES[lepton], COLOURS, strict=True):
            draw(left, radius, trigger.l1[:, l1.index(line)], line, color=colour)
        unprescaled = np.array(experiment.trigger.hlt.ratios) == 1
        displaced = hlt.index("displaced_vertex")
        others = unprescaled & (np.arange(len(hlt)) != displaced)
        draw(right, radius, trigger.l1_prescaled.any(axis=1), "level one", color="0.6", lw=2)
        draw(right, radius, trigger.hlt[:, unprescaled].any(axis=1), "and high level, all lines",
             color="#D55E00")  # fmt: skip
        draw(right, radius, trigger.hlt[:, others].any(axis=1), "without the displaced vertex",
             color="#0072B2", ls="--")  # fmt: skip
        draw(right, radius, trigger.hlt[:, displaced], "the displaced vertex alone",
             color="#009E73", ls=":")  # fmt: skip
        flavour = r"\mu" if lepton == MUON else "e"
        for axis in (left, right):
            axis.legend(frameon=False, fontsize="x-small", ncols=2, loc="upper right",
                        title=rf"$S \to {flavour}^+{flavour}^-$")  # fmt: skip
        left.set_ylabel("efficiency")
    rows[0][0].set(xlim=(EDGES[0], EDGES[-1]), ylim=(0, 1.35))
    for axis in rows[1]:
        axis.set_xlabel("radius of the vertex [cm]")
    figure.suptitle(
        rf"$m_S$ = {MASS:g} GeV, $p_S$ = {MOMENTUM:g} GeV, barrel of Belle II, card belle2-run2",
        fontsize="medium",
    )
    figure.savefig(picture)


if __name__ == "__main__":
    main()
