"""Draw how well two displaced vertices are found, against radius and lifetime: the docs' picture.

Usage: python examples/inelastic_dark_matter.py [PICTURE.png]

e+e- -> h' A'(-> chi1 chi2) at Belle II, chi2 -> chi1 e+e- and h' -> mu+ mu-. A vertex counts if it
is fitted from its own two tracks and lies more than 2 mm away from the beams. All lines come from
one sample of a chi2 that hardly ever decays inside the detector, but for the half of its decays
that are drawn up to 120 cm: it is reweighted to each lifetime, which is right for whatever needs
the vertex within that distance. The points are samples of their own, without weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import detsim, gen, geometry
from darkbelle.gen.particles import CHI2, DARK_HIGGS
from darkbelle.ragged import event_of

CTAU, REACH, DISPLACED = 1000.0, 120.0, 0.2  # cm
MODEL = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5, "ctau_hp": 10.0}
N_EVENTS, N_DIRECT, SEED = 120_000, 20_000, 1
LIFETIMES, DIRECT = np.geomspace(0.2, 10_000, 61), (0.3, 3.0, 30.0, 300.0, 3000.0)  # cm
EDGES = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 14, 17, 20, 25, 30, 35, 40, 50, 60, 80])
PARENTS = {CHI2: r"$\chi_2 \to \chi_1 e^+e^-$", DARK_HIGGS: r"$h' \to \mu^+\mu^-$"}
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"


def found_vertices(reco: detsim.RecoEvents) -> np.ndarray:
    """Whether chi2 and h' have a displaced vertex, shape (2, n_events)."""
    truth, vertices, event = reco.truth, reco.vertices, event_of(reco.vertex_offsets)

    def parents(tracks: np.ndarray) -> np.ndarray:
        rows = truth.offsets[event] + reco.tracks.truth_index[reco.track_offsets[event] + tracks]
        return np.where(truth.particles.parent[rows] < 0, rows, truth.parents(rows))

    plus, minus = parents(vertices.track_plus), parents(vertices.track_minus)
    is_good = (vertices.fit_status == detsim.VertexStatus.OK) & (vertices.flight_xy > DISPLACED)
    found = np.zeros((2, reco.n_events), dtype=bool)
    for row, parent in zip(found, PARENTS, strict=True):
        row[event[is_good & (plus == minus) & (truth.particles.pdg_id[plus] == parent)]] = True
    return found


def flights(truth: gen.TruthEvents, pdg_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Transverse flight of the only such particle, and proper one: length times mass over p."""
    p = truth.particles
    rows = p.pdg_id == pdg_id
    x, y, z = ((getattr(p, f"decay_{axis}") - getattr(p, axis))[rows] for axis in "xyz")
    per_momentum = p.mass[rows] / np.sqrt(p.px**2 + p.py**2 + p.pz**2)[rows]
    return np.hypot(x, y), np.sqrt(x**2 + y**2 + z**2) * per_momentum


def reweighted(truth: gen.TruthEvents, ctau: float | np.ndarray) -> np.ndarray:
    """Weights as if chi2 lived ``ctau`` instead of CTAU: times a ratio of two exponentials."""
    _, proper = flights(truth, CHI2)
    ratio = CTAU / ctau
    return truth.weight * ratio * np.exp((1 - ratio) / CTAU * proper)


def draw_radii(axis: Axes, truth: gen.TruthEvents, found: np.ndarray) -> None:
    """Share of the decays at each radius that are found."""
    weights = reweighted(truth, MODEL["ctau_hp"]), truth.weight
    for (parent, label), row, weight, colour in zip(
        PARENTS.items(), found, weights, (BLUE, GREEN), strict=True
    ):
        radius, _ = flights(truth, parent)
        born, _ = np.histogram(radius, EDGES, weights=weight)
        kept, _ = np.histogram(radius[row], EDGES, weights=weight[row])
        axis.stairs(kept / born, EDGES, baseline=None, color=colour, label=label)
    axis.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0, 1))
    axis.set_xlabel("radius of the decay [cm]")
    axis.set_ylabel("vertex found")
    axis.legend(frameon=False, title=rf"$c\tau$ = {MODEL['ctau_hp']:g} cm")


def draw_lifetimes(
    axis: Axes, truth: gen.TruthEvents, found: np.ndarray, direct: np.ndarray
) -> None:
    """Share of all events that are found, by lifetime of the chi2."""
    weight = reweighted(truth, LIFETIMES[:, None])
    chosen = np.stack([found[0], found.all(axis=0)])
    lines = np.einsum("cn,kn->kc", weight, chosen) / N_EVENTS
    errors = np.sqrt(np.einsum("cn,kn->kc", weight**2, chosen)) / N_EVENTS
    styles = ((r"$e^+e^-$ of $\chi_2$", BLUE), (r"and $\mu^+\mu^-$ of $h'$", ORANGE))
    for (label, colour), line, error, share in zip(styles, lines, errors, direct, strict=True):
        axis.fill_between(LIFETIMES, line - error, line + error, color=colour, alpha=0.25, lw=0)
        axis.plot(LIFETIMES, line, color=colour, lw=1.2, label=label)
        spread = np.sqrt(share * (1 - share) / N_DIRECT)
        axis.errorbar(DIRECT, share, spread, fmt="o", ms=4, color=colour, capsize=2)
    axis.set(xscale="log", yscale="log", xlim=(LIFETIMES[0], LIFETIMES[-1]), ylim=(1e-4, 1))
    axis.set_xlabel(r"$c\tau$ of $\chi_2$ [cm]")
    axis.set_ylabel("share of events")
    axis.legend(frameon=False, title="lines: one weighted sample\npoints: one sample each")


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "inelastic_dark_matter.png")
    rng, experiment = np.random.default_rng(SEED), geometry.load("belle2")

    def sample(n: int, **how: float) -> tuple[gen.TruthEvents, np.ndarray]:
        process = gen.InelasticDarkMatter(**MODEL, **how)
        truth = process.generate(experiment.collider, n, rng)
        return truth, found_vertices(detsim.simulate(truth, experiment, rng=rng))

    truth, found = sample(N_EVENTS, ctau=CTAU, reach=REACH)
    each = [sample(N_DIRECT, ctau=ctau)[1] for ctau in DIRECT]
    direct = np.array([(row[0].mean(), row.all(axis=0).mean()) for row in each]).T

    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    draw_radii(left, truth, found)
    draw_lifetimes(right, truth, found, direct)
    figure.suptitle(
        rf"$e^+e^- \to h'A'(\to\chi_1\chi_2)$, $m_{{A'}}$ = {MODEL['m_ap']:g} GeV, "
        rf"$m_{{\chi_1}}$ = {MODEL['m_chi1']:g} GeV, $\Delta$ = {MODEL['delta']:g} GeV, "
        rf"$m_{{h'}}$ = {MODEL['m_hp']:g} GeV, $c\tau_{{h'}}$ = {MODEL['ctau_hp']:g} cm",
        fontsize="medium",
    )
    figure.savefig(picture)


if __name__ == "__main__":
    main()
