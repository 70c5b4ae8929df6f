"""Draw how well a displaced vertex is known against the radius of its birth: the docs' picture.

Usage: python examples/vertex_resolution.py [PICTURE.png]

S -> mu+ mu- of 1 GeV with a momentum of 2 GeV in the barrel. Points are half the central 68.27 %
of fitted minus true position along and across the flight and along z; lines are the medians of
the errors that the fit quotes.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from darkbelle import detsim, geometry
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import MASS_MU, MUON
from darkbelle.ragged import event_of
from darkbelle.units import um

MASS, MOMENTUM, N_EVENTS = 1.0, 2.0, 200_000
EDGES = np.array([0, 0.5, 1, 1.4, 2, 3, 4, 6, 8, 10, 12, 14, 17, 20, 25, 30, 35, 40, 50, 60, 70])
COLOURS = {"along the flight": "#D55E00", "across it": "#0072B2", "along z": "#009E73"}


def scalars(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Four-momenta and points of decay (x, y, z, t), shape (4, n) each."""
    theta, phi = rng.uniform(1.2, 1.9, N_EVENTS), rng.uniform(-np.pi, np.pi, N_EVENTS)
    direction = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    span = rng.integers(0, len(EDGES) - 1, N_EVENTS)
    radius = rng.uniform(EDGES[span], EDGES[span + 1])
    point = direction * radius / np.sin(theta)
    energy = np.full(N_EVENTS, np.hypot(MOMENTUM, MASS))
    return np.stack([energy, *(MOMENTUM * direction)]), np.stack([*point, 0 * radius])


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "vertex_resolution.png")
    rng, experiment = np.random.default_rng(1), geometry.load("belle2")
    scalar, vertex = scalars(rng)
    angles = rng.uniform(-1, 1, N_EVENTS), rng.uniform(-np.pi, np.pi, N_EVENTS)
    muons = two_body(np.full(N_EVENTS, MASS), MASS_MU, MASS_MU, *angles)
    slots = [
        Slot(code, Status.FINAL, Origin.PRIMARY, MASS_MU, boost(muon, scalar), vertex)
        for code, muon in zip((MUON, -MUON), muons, strict=True)
    ]
    truth = assemble(slots, np.ones(N_EVENTS), np.zeros((4, N_EVENTS)), None)
    reco = detsim.simulate(truth, experiment, rng=rng)

    fitted = reco.vertices
    good = fitted.fit_status == detsim.VertexStatus.OK
    event = event_of(reco.vertex_offsets)[good]
    true = vertex[:3, event].T
    residual = np.stack([fitted.x, fitted.y, fitted.z], axis=-1)[good] - true
    radius, azimuth = np.hypot(true[:, 0], true[:, 1]), np.arctan2(true[:, 1], true[:, 0])
    cos, sin, zero, one = np.cos(azimuth), np.sin(azimuth), 0 * azimuth, 0 * azimuth + 1
    axes = dict(
        zip(
            COLOURS,
            np.array([[cos, sin, zero], [-sin, cos, zero], [zero, zero, one]]).swapaxes(1, 2),
            strict=True,
        )
    )

    figure = Figure(figsize=(8, 4.5), layout="constrained", dpi=150)
    axis = figure.subplots()
    for label, colour in COLOURS.items():
        unit = axes[label]
        shift = np.einsum("ni,ni->n", residual, unit) / um
        error = np.sqrt(np.einsum("ni,nij,nj->n", unit, fitted.cov[good], unit)) / um
        bins = [(radius >= low) & (radius < high) for low, high in pairwise(EDGES)]
        width = [np.ptp(np.quantile(shift[chosen], [0.158655, 0.841345])) / 2 for chosen in bins]
        quoted = [np.median(error[chosen]) for chosen in bins]
        middle = (EDGES[1:] + EDGES[:-1]) / 2
        axis.plot(middle, width, "o", ms=4, color=colour, label=label)
        axis.plot(middle, quoted, color=colour, lw=1)
    for name, layer in experiment.silicon.items():
        axis.axvline(layer.radius_cm, color="0.8", lw=0.8, zorder=0)
        axis.text(layer.radius_cm, 1.02, name[-1], transform=axis.get_xaxis_transform(),
                  ha="center", fontsize="x-small", color="0.5")  # fmt: skip
    for superlayer in experiment.drift_chamber.superlayers:
        edges = superlayer.radius_cm[0], superlayer.radius_cm[-1]
        axis.axvspan(*edges, color="0.95", zorder=0)
    axis.set_yscale("log")
    axis.set_xlim(EDGES[0], EDGES[-1])
    axis.set_xlabel("radius of the vertex [cm]")
    axis.set_ylabel("resolution [µm]")
    axis.set_title(
        rf"$S \to \mu^+\mu^-$, $m_S$ = {MASS:g} GeV, $p_S$ = {MOMENTUM:g} GeV, barrel of Belle II",
        fontsize="medium", pad=18,
    )  # fmt: skip
    axis.legend(frameon=False)
    figure.savefig(picture)


if __name__ == "__main__":
    main()
