"""Expected limits on the invisible Z' of L_mu - L_tau: the search of arXiv:2212.03066, repeated.

Usage: python examples/zprime_limit.py [PICTURE.png] [--quick]

Signal and backgrounds are simulated, selected as in the paper, binned in the squared recoil mass
and given to pyhf as workspaces of one channel a mass; the limits are at 90 % CL (CLs, asymptotic).
What differs from the paper, and how much, stands in docs/fits.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import awkward as ak
import numpy as np
from matplotlib.figure import Figure

from darkbelle import gen, geometry, samples
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import along_axes, dot
from darkbelle.gen.particles import MASS_MU
from darkbelle.samples.fits.limits import expected_limits
from darkbelle.samples.fits.shape_fit import fit_shape
from darkbelle.samples.fits.templates import Template, templates
from darkbelle.samples.fits.workspace import Channel, workspace

LUMI = 79.7  # 1/fb, of 2019 and 2020: all of it with the card of 2020
LINES = ("ff30", "ffo")  # two tracks in the drift chamber, no Bhabha
COUPLING = 0.01
# The card loses one photon in a hundred at all energies above 0.2 GeV, a guess. One above 1 GeV
# that did not convert before is not lost in 16 radiation lengths, exp(-7/9 x 16) = 4e-6: 1e-4 here.
HARD_PHOTONS = (
    "calorimeter.clustering.energy_edges_gev=[0.0, 0.05, 0.1, 1.0]",
    "calorimeter.clustering.efficiency=[0.85, 0.93, 0.98, 0.9999]",
)
PUBLISHED = ((0.1, 3e-3), (8.0, 1.0))  # mass and g' as the abstract has them
PER_SIGMA = (-10, -6, -3, -2, -1, 0, 1, 2, 3, 6, 10)  # edges of the bins around the mass
# GeV^2 on either side, above 4 GeV^2, over which backgrounds are averaged: the rarer, the more.
AROUND = {"mumu": 20.0, "tautau": 5.0, "tautau_pi": 10.0, "ee-mumu": 20.0}
LEAST_SMOOTH = 2.5  # GeV, below which muon pairs with a lost photon peak at zero

MUONS_WITH_PHOTON = {"n_charged": 2, "n_photons": 1, "theta": (0.1, 3.04), "energy": 0.4}
TWO_MUONS = {"n_charged": 2, "theta": (0.6, 2.15), "energy": 0.45}
BACKGROUNDS = {  # with numbers of events: many where few are left of many
    "mumu": (gen.MuMu(cuts=MUONS_WITH_PHOTON), 700_000),
    "tautau": (gen.TauTau(minus="mu", plus="mu"), 300_000),
    "tautau_pi": (gen.TauTau(minus="mu", plus="pi"), 100_000),
    # 0.5 GeV across the thrust axis is a mass of 1 GeV.
    "ee-mumu": (gen.EEMuMu(w_min=1.0, cuts=TWO_MUONS), 400_000),
}
FACTORS = {"tautau_pi": 2.0}  # the pion may have either charge
RATE_ERRORS = {"mumu": 0.1, "tautau": 0.05, "ee-mumu": 0.2}  # of the selected rates, own estimates
SYSTEMATICS = ("tracking", "muon_id", "trigger_l1", "momentum_resolution")
MASSES = (0.1, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
N_SIGNAL = 20_000
QUICK_MASSES, QUICK_SHARE = (1.0, 3.0, 6.0), 0.04

CUTS = {  # mass: least pt to the thrust axis, least pt of the pair [GeV]
    0.0: (0.7, 0.5),
    1.0: (0.7, 0.5),
    2.0: (0.8, 1.25),
    3.0: (0.8, 1.75),
    4.0: (0.9, 1.75),
    5.0: (0.85, 2.0),
    6.0: (0.8, 2.0),
    7.0: (0.7, 1.75),
    8.0: (0.5, 1.5),
}  # near the best of a grid by Punzi's figure of merit, physics/0308063, for other seeds


@dataclass(frozen=True)
class Pairs:
    """Two muons an event that pass all but the last step of the selection."""

    passed: np.ndarray  # of all events of the sample
    pt_thrust: np.ndarray  # of a muon to the thrust axis of both, of those that pass
    pt_pair: np.ndarray  # of both, across the beams in the centre of mass


@cache
def pairs(path: Path, variation: str | None) -> Pairs:
    """The selection of the paper up to its classifier, kept for all masses."""
    sample = samples.open(path)
    return _select(sample if variation is None else sample.varied(variation))


def _select(sample: samples.Sample) -> Pairs:
    collider = sample.experiment.collider
    tracks = sample.tracks
    good = (tracks.fit_status == 0) & (abs(tracks.d0) < 0.5) & (abs(tracks.z0) < 2.0)
    # No other track either: clusters of photons that converted far out belong to their tracks.
    two = (ak.num(tracks) == 2) & ak.all(good, axis=1) & (ak.sum(tracks.charge, axis=1) == 0)
    rows = np.flatnonzero(ak.to_numpy(two) & sample.fired(LINES))
    tracks, clusters = tracks[rows], sample.clusters[rows]
    p = np.stack([_of_two(tracks[name]) for name in ("px", "py", "pz")])  # (3, n, 2)
    lab = np.concatenate([np.sqrt((p**2).sum(axis=0) + MASS_MU**2)[None], p])
    recoil = collider.four_momentum[:, None] - lab.sum(axis=2)
    axes = axes_of_collision(collider)
    cms = np.stack([along_axes(lab[..., i], axes)[1:] for i in (0, 1)], axis=-1)
    theta, phi = np.degrees(np.arctan2(np.hypot(p[0], p[1]), p[2])), np.arctan2(p[1], p[0])
    apart = np.degrees(np.abs((phi[:, 0] - phi[:, 1] + np.pi) % (2 * np.pi) - np.pi))
    mass2 = dot(recoil, recoil)
    angle = np.degrees(np.arctan2(np.hypot(recoil[1], recoil[2]), recoil[3]))
    light = (angle > 34) & ((angle < 89) | (angle > 91))  # there is a gap in the barrel at 90
    photons = clusters[(clusters.track_index < 0) & (clusters.energy > 0.1)]
    pair = cms.sum(axis=-1)
    pt_pair = np.hypot(pair[0], pair[1])
    kept = (
        ak.to_numpy(ak.all(tracks.pid_mu_loose, axis=1))
        & (theta.min(axis=1) > 37)
        & (theta.max(axis=1) < 120)
        & (apart > 30)
        & (np.hypot(p[0], p[1]).min(axis=1) > 0.4)
        & (_angle(cms[..., 0], cms[..., 1]) < 179)
        & (angle < 123)
        & ((mass2 > 4) | light)
        & (ak.to_numpy(ak.sum(photons.energy, axis=1)) < 0.5)
        & (_nearest(photons, recoil[1:]) > 15)
        & (pt_pair > 0.5)
    )
    passed = np.zeros(len(sample), dtype=bool)
    passed[rows[kept]] = True
    return Pairs(passed, _across_thrust(cms)[kept], pt_pair[kept])


def _of_two(values: ak.Array) -> np.ndarray:
    return ak.to_numpy(ak.flatten(values)).reshape(-1, 2)


def _angle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Between momenta, shape (3, n) each [degrees]."""
    cosine = (one * other).sum(axis=0)
    cosine /= np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _nearest(photons: ak.Array, recoil: np.ndarray) -> np.ndarray:
    """Least angle of a photon to the recoil [degrees], 180 without one."""
    across = np.sin(photons.theta)
    unit = recoil / np.linalg.norm(recoil, axis=0)
    cosine = across * np.cos(photons.phi) * unit[0] + across * np.sin(photons.phi) * unit[1]
    cosine = ak.fill_none(ak.max(cosine + np.cos(photons.theta) * unit[2], axis=1), -1.0)
    return np.degrees(np.arccos(np.clip(ak.to_numpy(cosine), -1, 1)))


def _across_thrust(cms: np.ndarray) -> np.ndarray:
    """Momentum of a muon across the thrust axis of the two, shape (3, n, 2).

    The axis is along the longer of their sum and difference; both muons have the same.
    """
    total, difference = cms.sum(axis=-1), cms[..., 0] - cms[..., 1]
    back = (difference**2).sum(axis=0) > (total**2).sum(axis=0)
    axis = np.where(back, difference, total)
    axis /= np.linalg.norm(axis, axis=0)
    return np.linalg.norm(np.cross(cms[..., 0].T, axis.T), axis=1)


def selection(mass: float) -> Callable[[samples.Sample], np.ndarray]:
    """All of the selection, its last step by mass in the place of the paper's classifier."""
    knots = np.array([(at, *cuts) for at, cuts in CUTS.items()]).T
    least_thrust, least_pair = (float(np.interp(mass, knots[0], row)) for row in knots[1:])

    def select(sample: samples.Sample) -> np.ndarray:
        found = pairs(sample.path, sample.variation.name if sample.variation else None)
        passed = found.passed.copy()
        passed[passed] = (found.pt_thrust > least_thrust) & (found.pt_pair > least_pair)
        return passed

    return select


def preselected(sample: samples.Sample) -> np.ndarray:
    """The selection without its last step."""
    return pairs(sample.path, None).passed


def smooth(template: Template, select: Callable, reach: float, path: Path) -> Template:
    """A background that is flat nearby: its mean in a wider range.

    Where the last step of the selection leaves none of what was there, one event is taken.
    """
    centre, (low, high) = template.edges[[0, -1]].mean(), template.edges[[0, -1]]
    wide = (min(max(centre - reach, 4.0), low), max(centre + reach, high))
    (after,), (before,) = (
        templates(path, "recoil_mass2", wide, LUMI, selection=one) for one in (select, preselected)
    )
    with samples.open(path) as sample:
        one = LUMI * sample.cross_section.value / sample.attributes["n_generated"]
    one = min(one, before.expected[0])
    counted = max(after.expected[0], one)
    error = max(math.sqrt(after.variance[0]), one) / counted if counted else 0.0
    return replace(
        template,
        expected=counted * np.diff(template.edges) / (wide[1] - wide[0]),
        variance=np.zeros_like(template.variance),  # common to all bins: an error of the rate
        rate_error=math.hypot(template.rate_error, error),
    )


@dataclass(frozen=True)
class Limit:
    """Expected limits at 90 % CL for a mass, with the bands of one and two standard deviations."""

    mass: float
    efficiency: float
    n_background: float  # within two widths of the peak
    xsec: np.ndarray  # [fb], -2 ... +2 sigma
    coupling: np.ndarray


def expected_limit(mass: float, signal: Path, backgrounds: dict[str, Path]) -> Limit:
    """The limit on the rate of a signal, and on its coupling by the square root."""
    select = selection(mass)
    with samples.open(signal) as sample:
        passed = select(sample)
        efficiency = passed.mean()
        reference = sample.cross_section.value
        values = sample.column("events", "recoil_mass2")[passed].astype(float)
    peak = fit_shape(values, np.ones(len(values))).shape
    edges = peak.mean + peak.sigma * np.array(PER_SIGMA)
    asked = {"observable": "recoil_mass2", "edges": edges, "lumi": LUMI, "selection": select}
    (wanted,) = templates(signal, **asked)
    others = []
    for name, path in backgrounds.items():
        (template,) = templates(path, **asked)
        if name != "mumu" or mass > LEAST_SMOOTH:
            reach = AROUND[name] if mass > LEAST_SMOOTH else AROUND["tautau"]
            template = smooth(template, select, reach, path)
        factor = FACTORS.get(name, 1.0)
        expected, variance = factor * template.expected, factor**2 * template.variance
        others.append(replace(template, expected=expected, variance=variance))
    specification = workspace([Channel(wanted, others)], rate_errors=RATE_ERRORS)
    xsec = reference * expected_limits(specification)
    middle = slice(PER_SIGMA.index(-2), PER_SIGMA.index(2))
    n_background = sum(one.expected[middle].sum() for one in others)
    coupling = COUPLING * np.sqrt(xsec / reference)
    return Limit(mass, efficiency, n_background, xsec, coupling)


def produce(process: gen.Process, n_events: int, seed: int, path: Path, systematics=()) -> Path:
    """A sample of a process."""
    experiment = geometry.load("belle2-2020", HARD_PHOTONS)
    run = samples.Run(process, experiment, seed, systematics=systematics, chunk_size=4096)
    samples.produce(run, path, n_events=n_events)
    return path


def draw(limits: list[Limit], picture: Path) -> None:
    """Limits on the cross-section and the coupling, with what is published."""
    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=150)
    mass = [one.mass for one in limits]
    for axis, name, label in zip(
        figure.subplots(1, 2),
        ("xsec", "coupling"),
        (r"$\sigma(\mu\mu Z') \times B(Z' \to$ inv.) [fb]", "$g'$"),
        strict=True,
    ):
        bands = np.array([getattr(one, name) for one in limits]).T
        axis.fill_between(mass, bands[0], bands[4], color="#F0E442", lw=0, label=r"$\pm 2\sigma$")
        axis.fill_between(mass, bands[1], bands[3], color="#009E73", lw=0, label=r"$\pm 1\sigma$")
        axis.plot(mass, bands[2], color="black", ls="--", label="expected")
        axis.set(yscale="log", xlabel="$m_{Z'}$ [GeV]", ylabel=f"90 % CL upper limit on {label}")
    axis.plot(*zip(*PUBLISHED, strict=True), "o", color="#D55E00", label="arXiv:2212.03066")
    axis.legend(frameon=False)
    figure.suptitle(
        f"Belle II simulated, {LUMI} fb$^{{-1}}$: $Z' \\to$ invisible", fontsize="medium"
    )
    figure.savefig(picture)


def main() -> None:
    is_quick = "--quick" in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    share = QUICK_SHARE if is_quick else 1.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        backgrounds = {
            name: produce(process, int(share * n), seed, folder / f"{name}.h5")
            for seed, (name, (process, n)) in enumerate(BACKGROUNDS.items(), start=1)
        }
        limits = []
        for mass in QUICK_MASSES if is_quick else MASSES:
            process = gen.MuMuZPrime(mass=mass, coupling=COUPLING)
            n_signal = max(int(share * N_SIGNAL), 4096)
            signal = produce(process, n_signal, 10, folder / f"{mass}.h5", SYSTEMATICS)
            limits.append(expected_limit(mass, signal, backgrounds))
            one = limits[-1]
            print(
                f"{mass:4.1f} GeV: efficiency {one.efficiency:.3f}, background "
                f"{one.n_background:7.1f}, sigma < {one.xsec[2]:6.3g} fb, "
                f"g' < {one.coupling[2]:.3g}",
                flush=True,
            )
    draw(limits, Path(names[0] if names else "zprime_limit.png"))


if __name__ == "__main__":
    main()
