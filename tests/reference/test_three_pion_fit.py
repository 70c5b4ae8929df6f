"""Published widths of M(3 pi) after the four-constraint fit of pi+ pi- pi0 gamma (2404.04915).

6.6 MeV at the omega and 11 MeV at the J/psi, rows M31 and M33. Here it is 5.3 and 7.5 MeV, half of
the central 68 %: too narrow at the J/psi by a third, for the events made here radiate one photon
and not the softer ones besides that the fit cannot know of. To be repeated with a process that
radiates them.
"""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.kinematics import boost, from_axes
from darkbelle.gen.particles import PHOTON, PI0, PION, masses
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.samples import kinfit
from darkbelle.samples.kinematics import mass_of
from darkbelle.units import deg

M_PION, M_PI0 = masses(np.array([PION, PI0], np.int32))
LEAST_PHOTON = 0.1


def three_pions_and_a_photon(
    mass: float, experiment: Experiment, n: int, rng: np.random.Generator
) -> TruthEvents:
    """e+e- -> V gamma, V -> pi+ pi- pi0 as a vector decays; the photon 20 to 160 degrees away.

    It goes as (1 + cos^2)/sin^2 of its angle in the centre of mass.
    """
    collider = experiment.collider
    cosine = rng.uniform(-0.94, 0.94, 20 * n)
    density = (1 + cosine**2) / (1 - cosine**2)
    cosine = cosine[rng.random(20 * n) * density.max() < density][:n]
    sqrt_s = collider.sqrt_s + collider.sqrt_s_spread * rng.standard_normal(len(cosine))
    energy = (sqrt_s**2 - mass**2) / (2 * sqrt_s)
    phi, sine = rng.uniform(0, 2 * np.pi, len(cosine)), np.sqrt(1 - cosine**2)
    flight = energy * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    axes = axes_of_collision(collider)
    photon = from_axes(np.concatenate([energy[None], flight]), axes)
    vector = from_axes(np.concatenate([(sqrt_s - energy)[None], -flight]), axes)
    pions = decay_at_rest(np.full(len(cosine), mass), [M_PION, M_PION, M_PI0], rng)
    squared = np.sum(np.cross(pions[0, 1:].T, pions[1, 1:].T) ** 2, axis=1)
    kept = rng.random(len(cosine)) * squared.max() < squared
    photon, vector, pions = photon[:, kept], vector[:, kept], pions[:, :, kept]
    plus, minus, neutral = (boost(p, vector) for p in pions)
    n = kept.sum()
    light = (boost(p, neutral) for p in decay_at_rest(np.full(n, M_PI0), [0.0, 0.0], rng))
    born = [(PION, M_PION, plus), (-PION, M_PION, minus)]
    born += [(PHOTON, 0.0, p) for p in (*light, photon)]
    origin = np.zeros((4, n))
    slots = [Slot(c, Status.FINAL, Origin.PRIMARY, m, p, origin) for c, m, p in born]
    return assemble(slots, np.ones(n), origin, None)


def of_particle(reco: RecoEvents, place: int, table: str) -> np.ndarray:
    """Row of the track or photon that a particle of each event is seen as, -1 for none."""
    offsets = getattr(reco, f"{table}_offsets")
    rows = getattr(reco, f"{table}s")
    seen = rows.truth_index == place
    if table == "cluster":
        seen &= (rows.track_index < 0) & (rows.energy > LEAST_PHOTON)
    found = np.full(reco.n_events, -1)
    found[event_of(offsets)[seen]] = np.flatnonzero(seen)
    return found


def fitted(mass: float) -> tuple[kinfit.Particles, kinfit.Fitted]:
    """Before and after the fit, those events of which all is seen."""
    rng, experiment = np.random.default_rng(3), geometry.load("belle2")
    reco = simulate(three_pions_and_a_photon(mass, experiment, 15_000, rng), experiment, rng=rng)
    tracks = np.stack([of_particle(reco, place, "track") for place in (0, 1)], axis=-1)
    clusters = np.stack([of_particle(reco, place, "cluster") for place in (2, 3, 4)], axis=-1)
    found = np.all(tracks >= 0, axis=1) & np.all(clusters >= 0, axis=1)
    theta = reco.clusters.theta[clusters[:, 2]]
    found &= (theta > 37.3 * deg) & (theta < 123.7 * deg)
    tracks, clusters = tracks[found], clusters[found]
    names = ("energy", "theta", "phi", "sigma_energy", "sigma_theta", "sigma_phi")
    columns = {name: getattr(reco.clusters, name)[clusters] for name in names}
    helix, cov = reco.tracks.helix[tracks], reco.tracks.cov[tracks]
    measured = kinfit.together(
        kinfit.tracks(helix, cov, [M_PION, M_PION], experiment.solenoid.field_t),
        kinfit.photons(**columns),
    )
    return measured, kinfit.fit(measured, [kinfit.beams(experiment.collider)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mass", "published"),
    [(0.78266, 6.6e-3), pytest.param(3.0969, 11e-3, marks=pytest.mark.validation)],
)
def test_the_width_is_at_most_the_published_one(mass, published):
    measured, result = fitted(mass)
    pair = mass_of(measured.momenta()[:, 2:4].sum(axis=1))
    good = (pair > 0.123) & (pair < 0.147) & (result.chi2 < 50)
    assert good.mean() > 0.85
    off = [
        mass_of(particles.momenta()[:, :4].sum(axis=1))[good] - mass
        for particles in (measured, result.particles)
    ]
    before, after = (np.diff(np.percentile(values, [15.87, 84.13]))[0] / 2 for values in off)
    assert after < 0.8 * before
    assert 0.6 * published < after < 1.1 * published
    assert 0.3 < np.median(result.probability) < 0.6
