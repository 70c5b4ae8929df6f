"""Draw when the photons of a light a -> gamma gamma melt into one cluster: the docs' picture.

Usage: python examples/light_alp.py [PICTURE.png]

e+e- -> gamma a at 10.58 GeV, both photons of a in the barrel of Belle II. They fly apart by 2 m/E
at least, m/(E sqrt(z (1 - z))) if one has the share z of the energy, and all shares are equally
likely. Crystals of 5.5 cm tell two showers apart from 6 cm on: at 126 cm the closest pairs reach
that where m = 0.13 GeV. A much lighter a is one cluster, like a photon; a heavier one is two
clusters, but for photons that convert in the tracker.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from darkbelle import detsim, geometry
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import PHOTON
from darkbelle.ragged import event_of

MASSES, N_EVENTS, SEED = np.geomspace(0.01, 2.0, 50), 30_000, 1
COLOURS = {
    "two clusters": "#0072B2",
    "one merged cluster": "#D55E00",
    "less: converted or lost": "0.6",
}
APART, FACE = 6.0, 126.0  # cm


def photons(mass: float, experiment: geometry.Experiment, rng: np.random.Generator) -> np.ndarray:
    """Pairs of photons in the laboratory, both in the barrel, shape (2, 4, n)."""
    beams = np.repeat(experiment.collider.four_momentum[:, None], N_EVENTS, axis=1)
    cosine = rng.uniform(-1, 1, N_EVENTS)
    # 1 + cos^2 is three parts of a constant and one of the density of a uniform number's cube root.
    cosine = np.where(rng.random(N_EVENTS) < 0.75, cosine, np.cbrt(cosine))
    azimuth = rng.uniform(-np.pi, np.pi, N_EVENTS)
    sqrt_s = np.full(N_EVENTS, experiment.collider.sqrt_s)
    _, alp = two_body(sqrt_s, 0.0, mass, cosine, azimuth)
    angles = rng.uniform(-1, 1, N_EVENTS), rng.uniform(-np.pi, np.pi, N_EVENTS)
    pair = two_body(np.full(N_EVENTS, mass), 0.0, 0.0, *angles)
    laboratory = np.array([boost(boost(photon, alp), beams) for photon in pair])
    theta = np.degrees(np.arctan2(np.hypot(*laboratory[:, 1:3].swapaxes(0, 1)), laboratory[:, 3]))
    barrel = experiment.calorimeter.barrel
    inside = (theta > barrel.theta_min_deg) & (theta < barrel.theta_max_deg)
    return laboratory[:, :, inside.all(axis=0)]


def shares(mass: float, experiment: geometry.Experiment) -> list[float]:
    """Shares of the pairs that leave two clusters, one merged cluster, less."""
    rng = np.random.default_rng(SEED)
    pair = photons(mass, experiment, rng)
    n = pair.shape[-1]
    nowhere = np.zeros((4, n))
    slots = [Slot(PHOTON, Status.FINAL, Origin.PRIMARY, 0.0, p, nowhere) for p in pair]
    reco = detsim.simulate(assemble(slots, np.ones(n), nowhere, None), experiment, rng=rng)

    clusters = reco.clusters
    event = event_of(reco.cluster_offsets)
    direct = clusters.truth_index < 2  # the converted have left theirs to electrons
    two = np.bincount(event, direct, minlength=n) == 2
    merged = ~two & (np.bincount(event, direct & (clusters.n_particles > 1), minlength=n) > 0)
    return [float(found.mean()) for found in (two, merged, ~two & ~merged)]


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "light_alp.png")
    experiment = geometry.load("belle2")
    found = np.array([shares(mass, experiment) for mass in MASSES])

    figure = Figure(figsize=(8, 4), layout="constrained", dpi=150)
    axis = figure.subplots()
    for (label, colour), share in zip(COLOURS.items(), found.T, strict=True):
        axis.plot(MASSES, share, "-o", ms=3.5, lw=1.2, color=colour, label=label)
    scale = experiment.collider.sqrt_s / 4 * APART / FACE
    axis.axvline(scale, color="0.7", lw=0.8, ls="--", zorder=0)
    axis.annotate(
        rf"$\frac{{2m}}{{E}} \cdot {FACE:.0f}$ cm $= {APART:.0f}$ cm", (scale, 0.5),
        xytext=(8, 0), textcoords="offset points", color="0.4", fontsize="small",
    )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(MASSES[0], MASSES[-1])
    axis.set_ylim(0, 1)
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("$m_a$ [GeV]")
    axis.set_ylabel("share of events")
    axis.set_title(
        r"$e^+e^- \to \gamma a$, $a \to \gamma\gamma$ at 10.58 GeV, "
        "both photons in the barrel of Belle II",
        fontsize="medium",
    )
    axis.legend(frameon=False, loc="center right")
    figure.savefig(picture)


if __name__ == "__main__":
    main()
