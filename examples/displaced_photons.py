"""Draw what the calorimeter sees of a -> gamma gamma away from the beams: the docs' picture.

Usage: python examples/displaced_photons.py [PICTURE.png]

a of 5 GeV in the barrel of Belle II, decaying at a fixed distance from the beams. Above: the share
with two clusters of their own. Below: the mass of the two as photons from the origin over the true
one, median and central 68.27 %; lines: the geometry of a symmetric decay, k E / sqrt(p^2 + k^2 m^2)
with k = 1 - L/R, R being the radius of the showers of a prompt a.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import detsim, geometry
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import PHOTON
from darkbelle.ragged import event_of
from darkbelle.units import C

ENERGY, N_EVENTS, SEED = 5.0, 10_000, 1
DISTANCES = np.arange(0.0, 166.0, 5.0)
COLOURS = {0.5: "#0072B2", 1.0: "#009E73", 2.0: "#D55E00"}


def decays(mass: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Momenta of the photons, shape (2, 4, n), and points of birth (x, y, z, t), shape (4, n)."""
    distance = np.repeat(DISTANCES, N_EVENTS)
    n, momentum = len(distance), np.sqrt(ENERGY**2 - mass**2)
    theta, phi = rng.uniform(1.2, 1.9, n), rng.uniform(-np.pi, np.pi, n)
    direction = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    alp = np.stack([np.full(n, ENERGY), *(momentum * direction)])
    angles = rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)
    pair = two_body(np.full(n, mass), 0.0, 0.0, *angles)
    flight = distance / np.sin(theta)
    birth = np.stack([*(flight * direction), flight * ENERGY / momentum / C])
    return np.array([boost(photon, alp) for photon in pair]), birth


def measured(mass: float, experiment: geometry.Experiment) -> tuple[np.ndarray, np.ndarray, float]:
    """Whether two clusters are found, the mass they have, and the radius of prompt showers [cm].

    Of every decay, shape (n_distances, n_events); the mass is NaN where they are not found.
    """
    rng = np.random.default_rng(SEED)
    pair, birth = decays(mass, rng)
    n = birth.shape[1]
    slots = [Slot(PHOTON, Status.FINAL, Origin.PRIMARY, 0.0, p, birth) for p in pair]
    truth = assemble(slots, np.ones(n), np.zeros((4, n)), None)
    reco = detsim.simulate(truth, experiment, rng=rng)

    clusters = reco.clusters
    event = event_of(reco.cluster_offsets)
    sine = np.sin(clusters.theta)
    seen = np.full((2, 4, n), np.nan)
    for i, photon in enumerate(seen):
        rows = clusters.truth_index == i
        momentum = np.stack(
            [np.ones_like(sine), sine * np.cos(clusters.phi), sine * np.sin(clusters.phi),
             np.cos(clusters.theta)]
        )  # fmt: skip
        photon[:, event[rows]] = (clusters.energy * momentum)[:, rows]
    energy, *p = seen.sum(axis=0)
    mass2 = energy**2 - np.sum(np.square(p), axis=0)
    found = np.isfinite(energy).reshape(len(DISTANCES), -1)
    prompt = event < N_EVENTS
    radius = float(np.median((clusters.r * sine)[prompt]))
    return found, np.sqrt(np.maximum(mass2, 0.0)).reshape(found.shape), radius


def expected(mass: float, radius: float) -> np.ndarray:
    """Reconstructed over true mass of a symmetric decay at each distance."""
    k = 1 - DISTANCES / radius
    return k * ENERGY / np.sqrt(ENERGY**2 - mass**2 + (k * mass) ** 2)


def draw(efficiency: Axes, ratio: Axes, mass: float, experiment: geometry.Experiment) -> None:
    found, values, radius = measured(mass, experiment)
    style = {"color": COLOURS[mass], "label": rf"$m_a$ = {mass:g} GeV"}
    efficiency.plot(DISTANCES, found.mean(axis=1), "o-", ms=3.5, lw=1, **style)
    enough = (found.sum(axis=1) > 100) & (DISTANCES % 10 == 0)
    low, middle, high = np.nanquantile(values[enough], [0.158655, 0.5, 0.841345], axis=1) / mass
    shift = {0.5: -1.0, 1.0: 0.0, 2.0: 1.0}[mass]  # for bars not to cover each other
    ratio.errorbar(
        DISTANCES[enough] + shift, middle, (middle - low, high - middle), fmt="o", ms=3.5, lw=1,
        **style,
    )  # fmt: skip
    n_before = np.searchsorted(DISTANCES, experiment.calorimeter.inner_radius_cm)
    line = expected(mass, radius)[:n_before]
    ratio.plot(DISTANCES[:n_before], line, lw=1, color=COLOURS[mass])


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "displaced_photons.png")
    experiment = geometry.load("belle2")
    figure = Figure(figsize=(8, 6), layout="constrained", dpi=150)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    for mass in COLOURS:
        draw(upper, lower, mass, experiment)
    ecl = experiment.calorimeter
    for axis in (upper, lower):
        axis.axvspan(
            ecl.inner_radius_cm, ecl.inner_radius_cm + ecl.depth_cm, color="0.93", zorder=0
        )
    lower.annotate("crystals", (ecl.inner_radius_cm + 2, 1.03), fontsize="small", color="0.4")
    lower.annotate(
        r"lines: $\frac{k\,E}{\sqrt{p^2 + k^2 m^2}}$, $k = 1 - L/R$", (4, 0.12), color="0.4"
    )
    upper.set_ylim(0, 1)
    upper.set_ylabel("share with two clusters")
    upper.set_title(
        rf"$a \to \gamma\gamma$, $E_a$ = {ENERGY:g} GeV, barrel of Belle II", fontsize="medium"
    )
    upper.legend(frameon=False, loc="lower left")
    lower.set_xlim(DISTANCES[0] - 2, DISTANCES[-1])
    lower.set_ylim(0, 1.1)
    lower.set_xlabel("distance of the decay from the beams [cm]")
    lower.set_ylabel("reconstructed / true mass")
    figure.savefig(picture)


if __name__ == "__main__":
    main()
