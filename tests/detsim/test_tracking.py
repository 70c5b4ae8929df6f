"""From particles to tracks: pulls, tails, finding, outcomes."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy import stats

from darkbelle.detsim import FitStatus, HelixIndex, RecoEvents, simulate, tracking
from darkbelle.detsim.helix import omega_from_pt, perigee
from darkbelle.detsim.track_fit import highland_variance
from darkbelle.detsim.tracking import (
    BLOCK,
    ChargedParticles,
    MeasuredTracks,
    measure,
)
from darkbelle.gen.events import Origin, Outcome, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import charges
from darkbelle.geometry import Experiment, load
from darkbelle.geometry.card import Detector
from tests.detsim.ends import leaves_tracker
from tests.grids import spanned

P_VALUE = 1e-5
MASS = {11: 0.000511, 13: 0.105658, 22: 0.0, 211: 0.139570, 12: 0.0, 2112: 0.939565}
LUMINOUS = np.array([12e-4, 0.25e-4, 290e-4])  # cm
NO_TAILS = "tracking.tails.fraction=0.0"
ALL_HITS = (
    *(f"silicon.{name}.hit_efficiency=1.0" for name in load("belle2").silicon),
    "drift_chamber.hit_efficiency=1.0",
)


@cache
def belle2(*overrides: str) -> Experiment:
    return load("belle2", overrides)


def particles(
    n: int,
    p: float | tuple[float, float],
    theta_deg: tuple[float, float],
    *,
    start: tuple[float, float, float] | None = None,
    seed: int = 1,
) -> ChargedParticles:
    """Muons of both charges, isotropic within the limits, from the luminous region or one point."""
    rng = np.random.default_rng(seed)
    phi = rng.uniform(-np.pi, np.pi, n)
    cosine = rng.uniform(*np.sort(np.cos(np.radians(theta_deg))), n)
    magnitude = rng.uniform(*(p if isinstance(p, tuple) else (p, p)), n)
    sine = np.sqrt(1 - cosine**2)
    momentum = magnitude * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    position = rng.normal(size=(n, 3)) * LUMINOUS if start is None else np.tile(start, (n, 1))
    charge = rng.choice(np.array([-1, 1], np.int8), n)
    return ChargedParticles(position, momentum.T, charge, np.full(n, MASS[13]))


def true_helix(sent: ChargedParticles, field: float = 1.5) -> np.ndarray:
    px, py, pz = sent.momentum.T
    pt = np.hypot(px, py)
    omega = omega_from_pt(pt, sent.charge, field)
    return perigee(sent.position, np.arctan2(py, px), omega, pz / pt)[0]


def pulls(tracks: MeasuredTracks, sent: ChargedParticles) -> np.ndarray:
    """Fitted minus true over the error, of the tracks with a covariance, (n, 5)."""
    deviation = tracks.helix - true_helix(sent)
    deviation[:, HelixIndex.PHI0] = np.remainder(deviation[:, HelixIndex.PHI0] + 3, 2 * np.pi) - 3
    good = tracks.positive & (tracks.n_hits[Detector.CDC] >= 10)
    return (deviation / np.sqrt(np.einsum("nii->ni", tracks.cov)))[good]


def assert_unit_gaussian(found: np.ndarray) -> None:
    """Mean 0 and width 1: errors of 1/sqrt(n) and 1/sqrt(2 n), five parameters at 4.5 sigma."""
    n = len(found)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=4.5 / math.sqrt(n))
    np.testing.assert_allclose(found.std(axis=0), 1, atol=4.5 / math.sqrt(2 * n))


BEAMS = list(product([0.3, 1.0, 5.0], [(17, 40), (40, 120), (120, 150)]))


@pytest.mark.parametrize(
    ("p", "theta_deg"),
    spanned(BEAMS, [(0.3, (40, 120)), (0.3, (120, 150)), (1.0, (40, 120)), (5.0, (17, 40))]),
)
def test_pulls_of_prompt_tracks(p: float, theta_deg: tuple[float, float]) -> None:
    """40,000 tracks allow the widths 1.6 %; hit efficiencies are those of the card."""
    sent = particles(40_000, p, theta_deg)
    tracks = measure(sent, belle2(NO_TAILS), np.random.default_rng(2))
    found = pulls(tracks, sent)
    assert len(found) > 20_000
    assert_unit_gaussian(found)


@pytest.mark.parametrize("start", [(2.0, 1.0, 1.0), (0.0, 12.0, -4.0), (-30.0, 10.0, 20.0)])
def test_pulls_of_displaced_tracks(start: tuple[float, float, float]) -> None:
    """Flying outwards within 40 deg of the radius: seen from the origin they have large d0."""
    sent = particles(40_000, (1.0, 3.0), (60, 120), start=start)
    outwards = sent.momentum[:, :2] @ np.array(start[:2]) / np.hypot(*start[:2])
    chosen = np.flatnonzero(outwards > 0.75 * np.linalg.norm(sent.momentum, axis=1))
    sent = sent.take(chosen)
    found = pulls(measure(sent, belle2(NO_TAILS), np.random.default_rng(2)), sent)
    assert len(found) > 6_000
    assert_unit_gaussian(found)


def test_pulls_of_correlated_parameters() -> None:
    """chi2 of all five together has five degrees of freedom."""
    sent = particles(20_000, 1.0, (40, 120))
    tracks = measure(sent, belle2(NO_TAILS), np.random.default_rng(3))
    deviation = tracks.helix - true_helix(sent)
    deviation[:, HelixIndex.PHI0] = np.remainder(deviation[:, HelixIndex.PHI0] + 3, 2 * np.pi) - 3
    chi2 = np.einsum(
        "ni,ni->n", deviation, np.linalg.solve(tracks.cov, deviation[..., None])[..., 0]
    )
    assert stats.kstest(chi2[tracks.positive], stats.chi2(5).cdf).pvalue > P_VALUE


def test_tails_are_those_of_the_card() -> None:
    """A fraction f is wider by w: the pulls follow (1 - f) N(0, 1) + f N(0, w)."""
    tails = belle2().tracking.tails
    assert (tails.fraction, tails.width_factor) == (0.05, 3.0)
    sent = particles(100_000, 1.0, (40, 120))
    found = pulls(measure(sent, belle2(), np.random.default_rng(4)), sent)

    def mixture(x: np.ndarray) -> np.ndarray:
        wide = stats.norm.cdf(x / tails.width_factor)
        return (1 - tails.fraction) * stats.norm.cdf(x) + tails.fraction * wide

    for parameter in found.T:
        assert stats.kstest(parameter, mixture).pvalue > P_VALUE
        beyond = 2 * mixture(np.array(-4.0))  # 0.92 %, against 0.006 % without tails
        assert (
            stats.binomtest(int((np.abs(parameter) > 4).sum()), len(found), beyond).pvalue > P_VALUE
        )
    # A track is in the tail with all its parameters.
    beyond = np.abs(found[:, [HelixIndex.D0, HelixIndex.Z0]]) > 4
    assert beyond.all(axis=1).mean() > 5 * beyond.mean(axis=0).prod()


def test_the_core_does_not_know_of_tails() -> None:
    sent = particles(500, 1.0, (40, 120))
    with_tails = measure(sent, belle2(), np.random.default_rng(5))
    without = measure(sent, belle2(NO_TAILS), np.random.default_rng(5))
    np.testing.assert_array_equal(with_tails.cov, without.cov)


@pytest.mark.parametrize(
    "sent",
    [
        particles(5_000, (0.05, 7.0), (10, 165)),
        particles(5_000, (0.05, 0.3), (5, 175), seed=2),
        particles(5_000, (0.1, 3.0), (10, 165), start=(40.0, 30.0, 10.0)),
    ],
    ids=["prompt", "soft", "displaced"],
)
def test_every_covariance_is_positive_or_flagged(sent: ChargedParticles) -> None:
    """A track needs three strip or ten wire hits; with these all five parameters are fixed.

    Unless it is so soft that it scatters by more than it bends: those are found by nobody.
    """
    tracks = measure(sent, belle2(), np.random.default_rng(6))
    silicon = tracks.n_hits[Detector.PXD] + tracks.n_hits[Detector.SVD]
    wires = tracks.n_hits[Detector.CDC].astype(int)
    assert not tracks.positive[2 * silicon + wires < 4].any()
    pt, finding = np.hypot(*sent.momentum.T[:2]), belle2().tracking.finding
    softest = finding.pt_edges_gev[np.flatnonzero(finding.pt_efficiency)[0]]
    axial_layers_in_a_row = 2 * 8  # of the first superlayer, there and back
    enough = (silicon >= 3) | (wires > axial_layers_in_a_row)
    assert tracks.positive[enough & (pt > softest)].all()
    assert tracks.positive[enough].mean() > 0.998
    assert 0 < tracks.accepted.sum() < len(sent)
    assert (tracks.positive | ~tracks.accepted).all()
    assert (tracks.accepted | ~tracks.found).all()
    cov = tracks.cov[tracks.accepted]
    np.testing.assert_array_equal(np.isfinite(tracks.cov), True)
    np.testing.assert_array_equal(np.isfinite(tracks.helix), True)
    sigma = np.sqrt(np.einsum("nii->ni", cov))
    correlation = cov / (sigma[:, :, None] * sigma[:, None, :])
    np.testing.assert_allclose(correlation, correlation.transpose(0, 2, 1), atol=1e-12)
    assert np.linalg.eigvalsh(correlation).min() > 1e-9


def test_no_particles() -> None:
    none = ChargedParticles(np.empty((0, 3)), np.empty((0, 3)), np.empty(0, np.int8), np.empty(0))
    tracks = measure(none, belle2(), np.random.default_rng(7))
    assert tracks.helix.shape == (0, 5)
    assert tracks.cov.shape == (0, 5, 5)
    assert tracks.found.shape == tracks.accepted.shape == tracks.positive.shape == (0,)
    assert {d: n.shape for d, n in tracks.n_hits.items()} == dict.fromkeys(Detector, (0,))


def test_one_particle() -> None:
    tracks = measure(particles(1, 1.0, (89, 91)), belle2(*ALL_HITS), np.random.default_rng(8))
    assert tracks.positive.tolist() == [True]
    assert {d: n.tolist() for d, n in tracks.n_hits.items()} in (
        {Detector.PXD: [1], Detector.SVD: [4], Detector.CDC: [56]},
        {Detector.PXD: [2], Detector.SVD: [4], Detector.CDC: [56]},
    )


@pytest.mark.parametrize("block", [512, pytest.param(BLOCK, marks=pytest.mark.validation)])
@pytest.mark.parametrize(("blocks", "more"), [(1, -1), (1, 0), (1, 1), (2, 3)])
def test_blocks_make_no_difference_to_covariances(
    blocks: int, more: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every hit present the covariance is no matter of chance."""
    monkeypatch.setattr(tracking, "BLOCK", block)
    n = blocks * block + more
    sent = particles(n, (0.2, 5.0), (20, 140))
    whole = measure(sent, belle2(*ALL_HITS), np.random.default_rng(9))
    assert len(whole.found) == n
    last = sent.take(np.arange(len(sent) - 2, len(sent)))
    alone = measure(last, belle2(*ALL_HITS), np.random.default_rng(9))
    np.testing.assert_allclose(whole.cov[-2:], alone.cov, rtol=1e-12)


def test_seeds() -> None:
    sent = particles(100, 1.0, (40, 120))
    one, same, other = (
        measure(sent, belle2(), np.random.default_rng(seed)).helix for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.any(one == other)


@pytest.mark.parametrize("theta_deg", [2.0, 10.0, 160.0, 178.0])
def test_tracks_along_the_beam_leave_nothing(theta_deg: float) -> None:
    sent = particles(100, 1.0, (theta_deg, theta_deg))
    tracks = measure(sent, belle2(), np.random.default_rng(10))
    assert not tracks.accepted.any()
    assert not tracks.found.any()
    assert not tracks.positive.any()
    assert tracks.n_hits[Detector.CDC].max() == 0


def test_soft_tracks_turn_before_the_chamber() -> None:
    """At 30 MeV a track reaches 2 R = 13.3 cm: three strip layers twice, no wire."""
    tracks = measure(particles(200, 0.030, (89, 91)), belle2(*ALL_HITS), np.random.default_rng(11))
    assert tracks.n_hits[Detector.CDC].max() == 0
    assert set(tracks.n_hits[Detector.SVD]) == {6}
    assert not tracks.accepted.any()  # below 0.05 GeV the card's efficiency is zero
    assert not tracks.found.any()


def test_hits_follow_their_efficiencies() -> None:
    """56 wire layers, 4 strip layers and one or two pixel layers are crossed at 90 deg."""
    experiment, n = belle2(), 5_000
    tracks = measure(particles(n, 2.0, (80, 100)), experiment, np.random.default_rng(12))
    strips = [layer for layer in experiment.silicon.values() if layer.detector is Detector.SVD]
    assert len({layer.hit_efficiency for layer in strips}) == 1
    for detector, crossed, efficiency in (
        (Detector.CDC, 56 * n, experiment.drift_chamber.hit_efficiency),
        (Detector.SVD, 4 * n, strips[0].hit_efficiency),
    ):
        hits = int(tracks.n_hits[detector].sum())
        assert stats.binomtest(hits, crossed, efficiency).pvalue > P_VALUE
    # Only 60 of 360 deg have the second pixel layer; no hit falls into the gap at z = 1.36 cm.
    both = (tracks.n_hits[Detector.PXD] == 2).mean() / experiment.silicon["pxd1"].hit_efficiency
    expected = 60 / 360 * experiment.silicon["pxd2"].hit_efficiency
    assert both == pytest.approx(expected, abs=4.5 * math.sqrt(expected / n) + 0.005)


def test_a_displaced_start_inside_the_chamber() -> None:
    """From r = 50 cm outwards: wires beyond only, larger errors, all finite."""
    sent = particles(2_000, 1.0, (80, 100), start=(50.0, 0.0, 5.0))
    outwards = sent.momentum[:, 0] > 0.9
    tracks = measure(sent, belle2(*ALL_HITS), np.random.default_rng(13))
    layers = np.concatenate([s.radius_cm for s in belle2().drift_chamber.superlayers])
    beyond = int((layers > 50.4).sum())  # a stereo layer is 0.4 cm nearer at mid-length
    assert set(tracks.n_hits[Detector.CDC][outwards]) <= {beyond, beyond + 1}
    assert tracks.n_hits[Detector.SVD][outwards].max() == 0
    assert tracks.accepted[outwards].all()
    assert tracks.positive[outwards].all()
    assert np.isfinite(tracks.cov).all()
    prompt = measure(particles(2_000, 1.0, (80, 100)), belle2(*ALL_HITS), np.random.default_rng(13))
    sigma = np.sqrt(np.einsum("nii->ni", tracks.cov[outwards]).mean(axis=0))
    assert (sigma > 2 * np.sqrt(np.einsum("nii->ni", prompt.cov).mean(axis=0)))[[0, 3]].all()


@pytest.mark.parametrize(
    ("pt", "efficiency"),
    [(0.06, 0.36), (0.12, 0.71), (0.18, 0.83), (0.25, 0.90), (0.4, 0.98), (0.8, 0.985), (3, 0.985)],
)
@pytest.mark.parametrize(
    ("theta_deg", "factor"),
    spanned(
        [(18.5, 0.88), (23.0, 0.95), (90.0, 1.0), (142.0, 0.95), (147.0, 0.88)],
        [(23.0, 0.95), (147.0, 0.88)],
    ),
)
def test_finding_efficiency(pt: float, efficiency: float, theta_deg: float, factor: float) -> None:
    """[tracking.finding] of the card, for tracks that left enough hits."""
    p = pt / math.sin(math.radians(theta_deg))
    sent = particles(5_000, p, (theta_deg, theta_deg))
    tracks = measure(sent, belle2(), np.random.default_rng(14))
    assert not tracks.found[~tracks.accepted].any()
    n_accepted, n_found = int(tracks.accepted.sum()), int(tracks.found.sum())
    assert n_accepted > 4_000
    assert stats.binomtest(n_found, n_accepted, efficiency * factor).pvalue > P_VALUE


def test_hits_that_make_a_track() -> None:
    """Three in strips or ten in the chamber, between 17 and 150 degrees, as the card says."""
    sent = particles(20_000, 0.5, (8, 165))
    tracks = measure(sent, belle2(), np.random.default_rng(15))
    silicon = tracks.n_hits[Detector.SVD]
    cos_theta = sent.momentum[:, 2] / np.linalg.norm(sent.momentum, axis=1)
    inside = (cos_theta < np.cos(np.radians(17))) & (cos_theta > np.cos(np.radians(150)))
    enough = (silicon >= 3) | (tracks.n_hits[Detector.CDC] >= 10)
    np.testing.assert_array_equal(tracks.accepted, enough & inside)
    assert 0 < tracks.accepted.sum() < len(tracks.accepted)


def test_pixel_hits_make_no_track() -> None:
    """Without wires three strip hits are needed, however many pixels there are."""
    worn = [f"silicon.svd{i}.hit_efficiency=0.6" for i in (3, 4, 5, 6)]
    experiment = belle2("drift_chamber.hit_efficiency=0.0", *worn)
    tracks = measure(particles(5_000, 1.0, (40, 120)), experiment, np.random.default_rng(15))
    strips, pixels = tracks.n_hits[Detector.SVD], tracks.n_hits[Detector.PXD]
    assert ((strips == 2) & (pixels > 0)).sum() > 500
    np.testing.assert_array_equal(tracks.accepted, strips >= 3)


def test_nothing_is_found_outside_the_polar_acceptance() -> None:
    sent = particles(2_000, 2.0, (151, 153))
    tracks = measure(sent, belle2(*ALL_HITS), np.random.default_rng(16))
    assert (tracks.n_hits[Detector.SVD] >= 3).any()
    assert not tracks.accepted.any()
    assert not tracks.found.any()


@pytest.mark.parametrize("field", [1.5, -1.5])
def test_the_field_s_direction(field: float) -> None:
    """omega has the sign of charge times field."""
    experiment = belle2(f"solenoid.field_t={field}", *ALL_HITS)
    sent = particles(500, 1.0, (60, 120))
    tracks = measure(sent, experiment, np.random.default_rng(17))
    np.testing.assert_array_equal(
        np.sign(tracks.helix[:, HelixIndex.OMEGA]), sent.charge * np.sign(field)
    )


def test_mirrored_tracks_have_mirrored_covariances() -> None:
    """y -> -y, charge -> -charge: d0, phi0 and omega change their signs.

    Stereo angles are mirrored as well, and the pixel ladders left out.
    """
    off = [f"silicon.{name}.hit_efficiency=0.0" for name in ("pxd1", "pxd2")]
    experiment = belle2(*ALL_HITS, *off)
    chamber = experiment.drift_chamber
    turned = tuple(
        s.model_copy(update={"stereo_mrad": tuple(-angle for angle in s.stereo_mrad)})
        for s in chamber.superlayers
    )
    no_ladders = {name: layer for name, layer in experiment.silicon.items() if name[:3] != "pxd"}
    plain = experiment.model_copy(update={"silicon": no_ladders})
    chamber = chamber.model_copy(update={"superlayers": turned})
    mirrored = plain.model_copy(update={"drift_chamber": chamber})
    sent = particles(500, (0.3, 3.0), (20, 140))
    flip = np.array([1, -1, 1])
    image = replace(
        sent, position=sent.position * flip, momentum=sent.momentum * flip, charge=-sent.charge
    )
    one = measure(sent, plain, np.random.default_rng(18))
    other = measure(image, mirrored, np.random.default_rng(18))
    signs = np.array([-1, -1, -1, 1, 1])
    sigma = np.sqrt(np.einsum("nii->ni", one.cov))
    difference = (other.cov * np.outer(signs, signs) - one.cov) / (
        sigma[:, :, None] * sigma[:, None]
    )
    np.testing.assert_allclose(difference, 0, atol=1e-7)


@pytest.mark.parametrize(
    ("p", "mass", "thickness", "expected_mrad"),
    [(1.0, 0.0, 1.0, 13.6), (2.0, 0.0, 0.01, 0.561), (0.5, 0.5, 0.05, 7.849)],
)
def test_highland(p: float, mass: float, thickness: float, expected_mrad: float) -> None:
    """PDG 2024, Eq. 34.16, by hand.

    13.6 MeV/(beta p) sqrt(x) (1 + 0.038 ln(x/beta^2)): the second is
    6.8 * 0.1 * (1 - 0.038 * 4.6052), the third, beta^2 being 1/2,
    38.467 * 0.22361 * (1 - 0.038 * 2.3026).
    """
    beta = p / math.hypot(p, mass)
    variance = highland_variance(np.array([thickness]), np.array([p]), np.array([beta]))[0]
    assert math.sqrt(variance * thickness) * 1e3 == pytest.approx(expected_mrad, rel=1e-3)


def event(*slots: tuple[int, tuple[float, float, float]]) -> list[Slot]:
    """Final particles from the origin: code and momentum [GeV]."""
    made = []
    for pdg_id, p in slots:
        mass = MASS[abs(pdg_id)]
        momentum = np.array([[math.sqrt(np.dot(p, p) + mass**2)], *([x] for x in p)])
        made.append(
            Slot(
                pdg_id,
                Status.FINAL,
                Origin.GUN,
                mass,
                np.repeat(momentum, 200, 1),
                np.zeros((4, 200)),
            )
        )
    return made


@cache
def mixed_events() -> tuple[TruthEvents, RecoEvents]:
    """200 times: beam, photon, mu-, neutrino, mu+ along the beam, pi-, neutron, decayed pi+."""
    n = 200
    slots = event(
        (22, (0.0, 1.0, 0.0)),
        (13, (1.0, 0.2, 0.3)),
        (12, (0.5, 0.0, 0.5)),
        (-13, (0.02, 0.0, 3.0)),
        (-211, (-0.03, 0.02, 0.01)),
        (2112, (0.0, -1.0, 0.2)),
        (-211, (-0.5, 0.5, 0.2)),
    )
    beam = replace(
        slots[1], status=Status.BEAM, origin=Origin.BEAM, outcome=Outcome.COLLIDED, pdg_id=11
    )
    decayed = replace(slots[1], status=Status.DECAYED, outcome=Outcome.DECAYED, pdg_id=211)
    truth = assemble([beam, *slots, decayed], np.ones(n), np.zeros((4, n)), None)
    return truth, simulate(truth, belle2(), rng=np.random.default_rng(19))


N_SENT = 9
"""Particles in each of the mixed events; those that are born in the detector come behind."""


def outcomes() -> np.ndarray:
    """Outcome of each particle that was sent, (n_events, 9); escaped: met the calorimeter."""
    truth = mixed_events()[1].truth
    rows = truth.offsets[:-1, None] + np.arange(N_SENT)
    return np.where(leaves_tracker(truth.particles), Outcome.ESCAPED, truth.particles.outcome)[rows]


def test_outcomes() -> None:
    """What suits the species, and mostly what is likely."""
    found = outcomes()
    assert (found[:, [0, 3, 8]] == [Outcome.COLLIDED, Outcome.INVISIBLE, Outcome.DECAYED]).all()
    assert not (found == Outcome.UNDETERMINED).any()
    passing = found[:, [1, 2, 4, 6, 7]]
    assert (passing == Outcome.ESCAPED).mean(axis=0).min() > 0.85
    own = [Outcome.CONVERTED, Outcome.DECAYED, Outcome.DECAYED, Outcome.ABSORBED]
    for column, other in zip(passing.T, own, strict=False):
        assert set(column) <= {Outcome.ESCAPED, other}
    assert set(passing[:, 4]) <= {Outcome.ESCAPED, Outcome.DECAYED, Outcome.ABSORBED}
    # The pion of 37 MeV turns among the strips.
    slow = {Outcome.ESCAPED, Outcome.DECAYED, Outcome.ABSORBED, Outcome.STOPPED}
    assert set(found[:, 5]) <= slow
    assert (found[:, 5] != Outcome.ESCAPED).mean() > 0.5


def test_what_is_found() -> None:
    """Both good tracks as often as the card says; neither along the beam nor below 0.04 GeV.

    Those that reach the end of the chamber, that is: all of 200 muons; pions decay within 1.4 m of
    41 (3.4 %) and are absorbed in 0.027 nuclear interaction lengths, which leaves 387.6 +- 3.4.
    """
    reco = mixed_events()[1]
    index, event = reco.tracks.truth_index, track_events(reco)
    sent = index < N_SENT
    assert set(index[sent]) == {2, 7}
    passed = outcomes() == Outcome.ESCAPED
    n_found = int(passed[event[sent], index[sent]].sum())
    n_passed = int(passed[:, [2, 7]].sum())
    assert n_passed > 387.6 - 4.5 * 3.4
    assert stats.binomtest(n_found, n_passed, 0.985).pvalue > P_VALUE


def track_events(reco: RecoEvents) -> np.ndarray:
    """The event of each track."""
    return np.repeat(np.arange(reco.n_events), np.diff(reco.track_offsets))


def test_the_truth_is_left_as_it_was() -> None:
    """The record that was simulated, and what is said in the new one of the same particles."""
    truth, reco = mixed_events()
    assert set(truth.particles.outcome) == {
        Outcome.UNDETERMINED, Outcome.COLLIDED, Outcome.DECAYED
    }  # fmt: skip
    assert len(truth.particles) == 200 * N_SENT < len(reco.truth.particles)
    rows = (reco.truth.offsets[:-1, None] + np.arange(N_SENT)).ravel()
    for name in ("pdg_id", "status", "origin", "parent", "px", "py", "pz", "e", "x", "y", "z", "t"):
        np.testing.assert_array_equal(
            getattr(truth.particles, name), getattr(reco.truth.particles, name)[rows]
        )
    born = np.setdiff1d(np.arange(len(reco.truth.particles)), rows)
    assert (reco.truth.particles.origin[born] >= Origin.CONVERSION).all()


def test_tracks_belong_to_their_particles() -> None:
    """truth_index points at what was tracked, and the track has its momentum."""
    truth, reco = mixed_events()
    tracks, particles_ = reco.tracks, reco.truth.particles
    assert reco.n_events == truth.n_events == 200
    assert reco.track_offsets[-1] == len(tracks)
    index = reco.truth.offsets[track_events(reco)] + tracks.truth_index
    assert (index < reco.truth.offsets[track_events(reco) + 1]).all()
    sent = tracks.truth_index < N_SENT
    assert (particles_.status[index[sent]] == Status.FINAL).all()
    assert (particles_.status[index[~sent]] == Status.SIMULATED).all()
    assert (charges(particles_.pdg_id[index]) != 0).all()
    assert (tracks.fit_status == FitStatus.OK).all()
    assert np.isfinite(tracks.cov).all()

    passed = (tracks.truth_index < N_SENT) & leaves_tracker(particles_)[index]
    index, helix = index[passed], tracks.helix[passed]
    assert len(index) > 381.8 - 4.5 * 4.2  # 98.5 % of those that pass
    pt = np.hypot(particles_.px[index], particles_.py[index])
    omega = omega_from_pt(pt, tracks.charge[passed], 1.5)
    np.testing.assert_allclose(omega, helix[:, HelixIndex.OMEGA], rtol=0.05)
    phi = np.arctan2(particles_.py[index], particles_.px[index])
    np.testing.assert_allclose(helix[:, HelixIndex.PHI0], phi, atol=0.05)
    assert (tracks.charge[passed] == -1).all()
    assert tracks.n_hits_cdc[passed].min() > 40
    assert set(tracks.n_hits_svd[passed]) <= {2, 3, 4}
    assert set(tracks.n_hits_pxd[passed]) <= {0, 1, 2}


def test_first_hits_of_tracks() -> None:
    """At the innermost layer that gave one: pixels, else the first strips, seldom the second."""
    _, reco = mixed_events()
    tracks = reco.tracks
    prompt = (tracks.truth_index < N_SENT) & (tracks.n_hits_svd == 4)
    radius, in_pixels = tracks.first_hit_radius[prompt], tracks.n_hits_pxd[prompt] > 0
    silicon = belle2().silicon
    pixels = [silicon["pxd1"].radius_cm, silicon["pxd2"].radius_cm]
    assert prompt.sum() > 300
    assert np.isin(radius[in_pixels], pixels).all()
    assert (radius[~in_pixels] == silicon["svd3"].radius_cm).all()
    behind = tracks.first_hit_radius[(tracks.truth_index < N_SENT) & (tracks.n_hits_svd < 4)]
    assert np.isin(behind, [*pixels, silicon["svd3"].radius_cm, silicon["svd4"].radius_cm]).all()


@pytest.mark.parametrize("pdg_id", [13, -13])
@pytest.mark.parametrize("field", [1.5, -1.5])
def test_charge_of_a_track(pdg_id: int, field: float) -> None:
    slots = event((pdg_id, (1.0, 0.2, 0.3)))
    truth = assemble(slots, np.ones(200), np.zeros((4, 200)), None)
    experiment = belle2(f"solenoid.field_t={field}")
    reco = simulate(truth, experiment, rng=np.random.default_rng(20))
    assert len(reco.tracks) > 150
    assert set(reco.tracks.charge) == {-pdg_id // 13}


def test_tracks_whose_hits_do_not_fix_all_parameters() -> None:
    """Axial wires alone say nothing of z: many hits, but nothing that could be found."""
    blind = [f"silicon.{name}.hit_efficiency=0.0" for name in belle2().silicon]
    experiment = belle2(*blind, "tracking.finding.min_stereo_hits=0")
    chamber = experiment.drift_chamber
    axial = tuple(
        s.model_copy(update={"stereo_mrad": (0.0,) * len(s.radius_cm)}) for s in chamber.superlayers
    )
    without = experiment.model_copy(
        update={"drift_chamber": chamber.model_copy(update={"superlayers": axial})}
    )
    sent = particles(200, 1.0, (60, 120))
    for card, n_positive in ((without, 0), (experiment, 200)):
        tracks = measure(sent, card, np.random.default_rng(21))
        assert (tracks.n_hits[Detector.CDC] > 20).all()
        assert tracks.positive.sum() == tracks.accepted.sum() == n_positive
        assert tracks.found.any() == (n_positive > 0)
        assert np.isfinite(tracks.helix[tracks.positive]).all()
    truth = assemble(event((13, (1.0, 0.2, 0.3))), np.ones(200), np.zeros((4, 200)), None)
    assert len(simulate(truth, without, rng=np.random.default_rng(21)).tracks) == 0
    assert len(simulate(truth, experiment, rng=np.random.default_rng(21)).tracks) > 150


def test_no_events() -> None:
    truth = assemble(
        [
            replace(
                event((13, (1.0, 0.0, 0.0)))[0], momentum=np.empty((4, 0)), start=np.empty((4, 0))
            )
        ],
        np.empty(0),
        np.empty((4, 0)),
        None,
    )
    reco = simulate(truth, belle2(), rng=np.random.default_rng(22))
    assert reco.n_events == 0
    assert len(reco.tracks) == 0
    assert reco.tracks.cov.shape == (0, 5, 5)
    assert reco.track_offsets.tolist() == [0]


def test_events_without_charged_particles() -> None:
    """Neutrinos leave nothing, photons the pairs that some become, also after a hard loss."""
    unseen = assemble(event((12, (1.0, 0.0, 0.0))), np.ones(200), np.zeros((4, 200)), None)
    reco = simulate(unseen, belle2(), rng=np.random.default_rng(23))
    assert len(reco.tracks) == 0
    assert reco.track_offsets.tolist() == [0] * 201
    photons = assemble(event((22, (1.0, 0.0, 0.0))), np.ones(200), np.zeros((4, 200)), None)
    reco = simulate(photons, belle2(), rng=np.random.default_rng(23))
    owner = reco.truth.offsets[track_events(reco)] + reco.tracks.truth_index
    assert 0 < len(reco.tracks) < 40
    origins = (Origin.CONVERSION, Origin.BREMSSTRAHLUNG)
    assert np.isin(reco.truth.particles.origin[owner], origins).all()
    assert (np.abs(reco.truth.particles.pdg_id[owner]) == 11).all()
