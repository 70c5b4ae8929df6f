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
from scipy.optimize import brentq
from scipy.special import ndtri

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
ALPHA_OF_PAPER = 137.036 / 127.9  # over ours; the cross-section has two factors of it
# How many photons above 1 GeV leave no cluster: no figure is published. The card's number is of
# photons that analyses use; the other one is an assumption, cf. docs/fits.md.
LOSSES = {"assumed": 1e-4, "card": 0.01}
PER_SIGMA = (-10, -6, -3, -2, -1, 0, 1, 2, 3, 6, 10)  # edges of the bins around the mass
NEAR = 1.5  # GeV^2, over which backgrounds of light ones are averaged
LIGHT = 2.0  # GeV, below which recoils beside the barrel are left out, and single photons matter


def finding(above_1_gev: float) -> tuple[str, ...]:
    """Changes of the card: the efficiency to find a cluster above 1 GeV, the rest as it is."""
    return (
        "calorimeter.clustering.energy_edges_gev=[0.0, 0.1, 0.2, 1.0]",
        f"calorimeter.clustering.efficiency=[0.91, 0.97, 0.99, {above_1_gev}]",
    )


@dataclass(frozen=True)
class Background:
    """A process, simulated and averaged where few events are left of many."""

    process: gen.Process
    n_events: int
    reach: float  # GeV^2 on either side over which it is averaged: the rarer, the more
    changes: tuple[str, ...] = ()  # of the card
    masses: tuple[float, float] = (0.0, math.inf)  # of the Z', where it is used
    factor: float = 1.0


# Only the photon counts: what is lost of the hard ones is linear in their loss, to be had from one
# sample in which nothing is lost and from one in which all is.
WITH_PHOTON = {"n_charged": 2, "n_photons": 1, "theta": (0.1, 3.04), "energy": 0.4}
PHOTON_INSIDE = {"n_charged": 2, "n_photons": 1, "theta": (0.55, 2.2), "energy": 0.7}
TWO_MUONS = {"n_charged": 2, "theta": (0.6, 2.15), "energy": 0.45}
LOST = "lost photon"
BACKGROUNDS = {
    LOST: Background(gen.MuMu(cuts=PHOTON_INSIDE), 60_000, 5.0, finding(0.0)),
    "mumu gap": Background(
        gen.MuMu(cuts=PHOTON_INSIDE), 300_000, 5.0, finding(1.0), masses=(0.0, LIGHT)
    ),
    "mumu": Background(
        gen.MuMu(cuts=WITH_PHOTON), 600_000, 20.0, finding(1.0), masses=(LIGHT, math.inf)
    ),
    "tautau": Background(gen.TauTau(minus="mu", plus="mu"), 300_000, 5.0),
    # The pion may have either charge.
    "tautau pi": Background(gen.TauTau(minus="mu", plus="pi"), 200_000, 10.0, factor=2.0),
    # 0.5 GeV across the thrust axis is a mass of 1 GeV.
    "ee-mumu": Background(gen.EEMuMu(w_min=1.0, cuts=TWO_MUONS), 400_000, 20.0),
}
CLASSIFIER = "its classifier, with the muons' momenta along and across each other"
REMEDIES = {  # what the paper has against a background, and we have not
    LOST: "the loss of photons is an assumption; its classifier",
    "mumu gap": "its fit in the angle of the recoil",
    "mumu": "its fit in the angle of the recoil, its classifier",
    "tautau": CLASSIFIER,
    "tautau pi": CLASSIFIER,
    "ee-mumu": CLASSIFIER,
}
RATE_ERRORS = {"mumu": 0.1, "tautau": 0.05, "ee-mumu": 0.2}  # of the selected rates, own estimates
SYSTEMATICS = ("tracking", "muon_id", "trigger_l1", "momentum_resolution")
MASSES = (0.1, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
N_SIGNAL = 20_000
QUICK_MASSES, QUICK_SHARE = (0.1, 8.0), 0.016

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
class Published:
    """A limit as papers have it in words: one value, or the lowest and the highest."""

    mass: float
    told: str
    values: tuple[float, ...]
    is_xsec: bool = False  # [fb], else g'


# g' of 1 at 6 GeV with 0.276/fb (abstract of arXiv:1912.11276) falls with the luminosity as L^-1/2
# without background, as L^-1/4 with much.
MORE_DATA = 0.276 / LUMI
# With 5 % of efficiency, what the search says, and no background at all (asymptotic, as here).
AT_BEST = ndtri(0.95) ** 2 / 2 / (0.05 * LUMI)
PUBLISHED = (
    Published(0.1, "g' of 3e-3 at low masses (abstract)", (3e-3,)),
    Published(4.0, "0.2 fb at the best mass (observed)", (0.2,), is_xsec=True),
    Published(4.0, "0.34 fb or more expected at its efficiency", (AT_BEST,), is_xsec=True),
    Published(6.0, "g' of 0.06 to 0.24 (1912.11276, scaled)", (MORE_DATA**0.5, MORE_DATA**0.25)),
    Published(8.0, "g' of 1 (abstract)", (1.0,)),
)


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
    if centre < LIGHT**2:
        wide = (max(centre - NEAR, -0.5), min(centre + NEAR, LIGHT**2))
    else:
        wide = (max(centre - reach, LIGHT**2), centre + reach)
    wide = (min(wide[0], low), max(wide[1], high))
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


def times(template: Template, factor: float) -> Template:
    """Other counts of the same shape."""
    return replace(
        template, expected=factor * template.expected, variance=factor**2 * template.variance
    )


@dataclass(frozen=True, eq=False)
class Counts:
    """What is expected around a mass: the signal of `COUPLING`, backgrounds by their names."""

    mass: float
    efficiency: float
    signal: Template
    signal_xsec: float  # [fb]
    backgrounds: dict[str, Template]  # all hard photons lost in that of lost photons

    def at(self, loss: float) -> dict[str, Template]:
        """Backgrounds where this share of hard photons is lost."""
        return self.backgrounds | {LOST: times(self.backgrounds[LOST], loss)}

    def near(self, loss: float) -> dict[str, float]:
        """Numbers of background events within two widths of the peak."""
        middle = slice(PER_SIGMA.index(-2), PER_SIGMA.index(2))
        return {name: one.expected[middle].sum() for name, one in self.at(loss).items()}

    def coupling(self, xsec: np.ndarray | float) -> np.ndarray:
        """The coupling of a cross-section."""
        return COUPLING * np.sqrt(xsec / self.signal_xsec)


@cache
def limits_of(counts: Counts, loss: float, share: float = 1.0) -> np.ndarray:
    """Expected limits on the cross-section at 90 % CL [fb], -2 ... +2 sigma.

    With a share of all backgrounds.
    """
    others = [times(one, share) for one in counts.at(loss).values()]
    specification = workspace([Channel(counts.signal, others)], rate_errors=RATE_ERRORS)
    return counts.signal_xsec * expected_limits(specification)


def count(mass: float, signal: Path, files: dict[str, Path]) -> Counts:
    """Templates of a mass, in bins as wide as its peak."""
    select = selection(mass)
    with samples.open(signal) as sample:
        passed = select(sample)
        xsec = sample.cross_section.value
        values = sample.column("events", "recoil_mass2")[passed].astype(float)
    peak = fit_shape(values, np.ones(len(values))).shape
    edges = peak.mean + peak.sigma * np.array(PER_SIGMA)
    asked = {"observable": "recoil_mass2", "edges": edges, "lumi": LUMI, "selection": select}
    (wanted,) = templates(signal, **asked)
    others = {}
    for name, background in BACKGROUNDS.items():
        if not background.masses[0] <= mass < background.masses[1]:
            continue
        (template,) = templates(files[name], **asked)
        if name != LOST or mass > LIGHT:  # below they peak, and there are enough
            template = smooth(template, select, background.reach, files[name])
        others[name] = times(template, background.factor)
    return Counts(mass, passed.mean(), wanted, xsec, others)


def by_counts(counts: Counts, loss: float, share: float = 1.0) -> float:
    """The median limit of counts alone, without any error: a check of `limits_of` [fb].

    The Asimov data set of arXiv:1007.1727 in closed form: the strength mu of the signal s at which
    2 sum [mu s - b ln(1 + mu s/b)] is (Phi^-1(0.95))^2, 0.95 since CLs of the median is p/0.5.
    """
    signal = counts.signal.expected
    expected = share * sum(one.expected for one in counts.at(loss).values())

    def excess(strength: float) -> float:
        more = strength * signal
        seen = expected > 0
        logs = expected[seen] * np.log1p(more[seen] / expected[seen])
        return 2 * (more.sum() - logs.sum()) - ndtri(0.95) ** 2

    return counts.signal_xsec * brentq(excess, 0.0, 1e6 / signal.sum())


def share_to_reach(counts: Counts, xsec: float) -> float:
    """How much of the backgrounds may be left for a limit of this cross-section, 0 if none."""
    loss = LOSSES["assumed"]
    if by_counts(counts, loss, 0.0) > xsec:
        return 0.0
    if by_counts(counts, loss) <= xsec:
        return 1.0
    return brentq(lambda share: by_counts(counts, loss, share) - xsec, 0.0, 1.0)


def compare(counts: Counts, published: Published) -> str:
    """A line of the table: how far off, and which background would have to be smaller."""
    loss = LOSSES["assumed"]
    ours = limits_of(counts, loss)[2]
    # The same coupling is a larger cross-section in the paper.
    power, unit = (1, 1.0) if published.is_xsec else (2, counts.signal_xsec / COUPLING**2)
    theirs = np.array(published.values) ** power * unit
    theirs *= 1.0 if published.is_xsec else ALPHA_OF_PAPER**2
    ratios = sorted({f"{one:.2g}" for one in (ours / theirs) ** (1 / power)})
    line = f"{counts.mass:4.1f} GeV: {published.told}; here {' to '.join(ratios)} times that"
    if ours <= theirs.max():
        return line
    near = counts.near(loss)
    largest = max(near, key=near.get)
    share = share_to_reach(counts, theirs.max())
    return (
        f"{line}; it would take {share:.2g} of the backgrounds "
        f"({near[largest]:.1f} of {sum(near.values()):.1f} are {largest}): {REMEDIES[largest]}"
    )


def produce(
    process: gen.Process,
    n_events: int,
    seed: int,
    path: Path,
    systematics: tuple[str, ...] = (),
    changes: tuple[str, ...] = (),
) -> Path:
    """A sample of a process."""
    experiment = geometry.load("belle2-2020", changes)
    run = samples.Run(process, experiment, seed, systematics=systematics, chunk_size=4096)
    samples.produce(run, path, n_events=n_events)
    return path


def draw(found: list[Counts], picture: Path) -> None:
    """Limits on the cross-section and the coupling, with what is published."""
    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=150)
    axes = figure.subplots(1, 2)
    mass = [one.mass for one in found]
    names = (r"$\sigma(\mu\mu Z') \times B(Z' \to$ inv.) [fb]", "$g'$")
    for axis, name, in_units in zip(
        axes, names, (lambda _, xsec: xsec, Counts.coupling), strict=True
    ):
        bands = np.array([in_units(one, limits_of(one, LOSSES["assumed"])) for one in found]).T
        card = [in_units(one, limits_of(one, LOSSES["card"])[2]) for one in found]
        axis.fill_between(mass, bands[0], bands[4], color="#F0E442", lw=0, label=r"$\pm 2\sigma$")
        axis.fill_between(mass, bands[1], bands[3], color="#009E73", lw=0, label=r"$\pm 1\sigma$")
        axis.plot(mass, bands[2], color="black", ls="--", label="expected")
        axis.plot(mass, card, color="grey", ls=":", label="1 % of hard photons lost")
        axis.set(yscale="log", xlabel="$m_{Z'}$ [GeV]", ylabel=f"90 % CL upper limit on {name}")
    for one in PUBLISHED:
        axis = axes[0 if one.is_xsec else 1]
        axis.plot([one.mass] * len(one.values), one.values, "o-", color="#D55E00")
    axes[1].plot([], [], "o", color="#D55E00", label="published, in words")
    axes[1].legend(frameon=False)
    figure.suptitle(
        f"Belle II simulated, {LUMI} fb$^{{-1}}$: $Z' \\to$ invisible", fontsize="medium"
    )
    figure.savefig(picture)


def main() -> None:
    is_quick = "--quick" in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    share = QUICK_SHARE if is_quick else 1.0
    assumed, card = LOSSES.values()
    print(
        f"Assumed: {assumed:g} of the photons above 1 GeV leave no cluster; in [] {card:g} of the "
        "card. Expected limits at 90 % CL:"
    )
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = {
            name: produce(
                one.process,
                int(share * one.n_events),
                seed,
                folder / f"{name}.h5",
                changes=one.changes,
            )
            for seed, (name, one) in enumerate(BACKGROUNDS.items(), start=1)
        }
        found = []
        for mass in QUICK_MASSES if is_quick else MASSES:
            process = gen.MuMuZPrime(mass=mass, coupling=COUPLING)
            n_signal = max(int(share * N_SIGNAL), 6144)
            signal = produce(process, n_signal, 10, folder / f"{mass}.h5", SYSTEMATICS)
            found.append(count(mass, signal, files))
            print(describe(found[-1]), flush=True)
    print("Published limits, and what keeps these from them:")
    for one in found:
        for published in PUBLISHED:
            if published.mass == one.mass:
                print(compare(one, published))
    draw(found, Path(names[0] if names else "zprime_limit.png"))


def describe(counts: Counts) -> str:
    """Limits of a mass, and the backgrounds within two widths of its peak."""
    limits = {name: limits_of(counts, loss)[2] for name, loss in LOSSES.items()}
    couplings = {name: counts.coupling(xsec) for name, xsec in limits.items()}
    near = ", ".join(f"{name} {n:.1f}" for name, n in counts.near(LOSSES["assumed"]).items())
    return (
        f"{counts.mass:4.1f} GeV: efficiency {counts.efficiency:.3f}, "
        f"sigma < {limits['assumed']:.3g} fb [{limits['card']:.3g}; of counts alone "
        f"{by_counts(counts, LOSSES['assumed']):.3g}], "
        f"g' < {couplings['assumed']:.3g} [{couplings['card']:.3g}]; {near}"
    )


if __name__ == "__main__":
    main()
