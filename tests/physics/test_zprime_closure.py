"""e+e- -> mu+ mu- Z' from the beams to the decay: the events against formulas, not against code.

Every event is looked at in the laboratory, as a user would. Densities are written out here from the
production handbook (sections 1 and 6), or follow from reweighting.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen import MuMuZPrime
from darkbelle.gen.particles import MASS_E, MASS_MU
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.emission import FermionPair, Masses
from darkbelle.geometry import Collider, load
from darkbelle.units import C
from tests.physics.views import View, boosted, cosine, square
from tests.pilot import short_pilot

P_MIN = 1e-4
SIGMAS = 4.5
N = 20_000


@pytest.fixture(scope="module")
def collider() -> Collider:
    return load("belle2").collider


@pytest.fixture(scope="module")
def sharp_collider() -> Collider:
    return load("belle2", ["collider.beam_spread=false"]).collider


def generate(collider: Collider, n: int = N, seed: int = 7, **parameters: object) -> View:
    """Without photons of the final state, which ``test_radiation`` looks at."""
    process = MuMuZPrime(fsr=False, **parameters)
    with short_pilot():
        return View(process.generate(collider, n, np.random.default_rng(seed)))


DAUGHTERS = (14, -14, 16, -16, 52, -52)


# ---- conservation --------------------------------------------------------------------------------


@pytest.mark.parametrize("isr", [True, False])
@pytest.mark.parametrize("mass", [0.01, 9.0])
def test_four_momentum_is_conserved(mass: float, collider: Collider, *, isr: bool):
    """Every event, at production and at the decay, to 1e-12 of the energy; weights are one.

    Energies follow from momenta and masses, so that all particles are on their mass shells.
    """
    view = generate(collider, 2000, mass=mass, isr=isr, m_chi=mass / 3, coupling=0.5)
    scale = view.total[0]
    produced = view.momentum(13, -13, 22, 55)
    assert np.abs((produced - view.total) / scale).max() < 1e-12
    assert np.abs((view.momentum(*DAUGHTERS) - view.momentum(55)) / scale).max() < 1e-12
    assert np.all(view.events.weight == 1)
    masses = view.events.particles.mass
    assert np.all(masses[view.where(55)] == mass)
    assert np.all(masses[view.where(13, -13)] == MASS_MU)
    assert np.all(masses[view.where(52, -52)] == mass / 3)
    assert np.all(masses[view.where(14, -14, 16, -16, 22)] == 0)
    assert np.any(view.where(22)) == isr


# ---- angles and energies of the final state ------------------------------------------------------


def sg_density(sg: np.ndarray, s: float, mass: float) -> np.ndarray:
    """d sigma/d Sg of a vector, section 1.3 of the handbook, not normalised."""
    m2, x2 = MASS_MU**2, mass**2
    s12 = s + x2 - sg
    beta2 = 1 - 4 * m2 / s12
    kp2 = beta2 * (sg**2 - 4 * s * x2)
    gap = 4 * m2 * sg**2 / s12 + 4 * s * x2 * beta2
    log = np.log((sg + np.sqrt(kp2)) ** 2 / gap)
    a = -8 * x2 * s - 16 * m2 * s - 16 * m2 * x2 - 32 * m2**2
    b = 16 * s**2 + 32 * x2 * s + 16 * x2**2 - 64 * m2**2
    c = -16 * s - 16 * x2 - 32 * m2
    poles = 16 * a * np.sqrt(kp2) / gap - 32 * np.sqrt(kp2)
    return poles + (4 / sg * (b + 8 * sg**2) + 4 * c) * log


@pytest.mark.parametrize("mass", [0.01, 1.0, 7.0])
def test_mass_of_the_muon_pair(mass: float, sharp_collider: Collider):
    """Sg = s - s12 + M^2 is twice the invariant s of Z' and beams, 2 sqrt(s) E*(Z')."""
    s = sharp_collider.sqrt_s**2
    view = generate(sharp_collider, mass=mass, isr=False)
    sg = s - square(view.momentum(13, -13)) + mass**2
    nodes = np.geomspace(2 * np.sqrt(s) * mass, s + mass**2 - 4 * MASS_MU**2, 40_001)
    middle = np.sqrt(nodes[1:] * nodes[:-1])
    steps = sg_density(middle, s, mass) * np.diff(nodes)
    cumulative = np.append(0.0, np.cumsum(steps)) / np.sum(steps)
    shares = np.interp(sg, nodes, cumulative)
    assert stats.kstest(shares, "uniform").pvalue > P_MIN


# Mean cos^2 to the electron at 10.58 GeV of Z' and mu-: ``tests/reference/tables/fsr_moments.csv``.
@pytest.mark.parametrize(
    ("mass", "boson", "muon"),
    [(0.1, 0.36618, 0.396891), (1.0, 0.357562, 0.386834), (5.0, 0.354556, 0.354318)],
)
def test_polar_angles(mass: float, boson: float, muon: float, sharp_collider: Collider):
    """One photon of spin one makes 1 + a cos^2 of anything, with a from the mean of cos^2."""
    view = generate(sharp_collider, mass=mass, isr=False)
    for code, mean in ((55, boson), (13, muon), (-13, muon)):
        a = (mean - 1 / 3) / (1 / 5 - mean / 3)
        cos_theta = cosine(*view.in_beams_frame(view.momentum(code)))

        def cumulative(c: np.ndarray, a: float = a) -> np.ndarray:
            return 0.5 + (c + a * c**3 / 3) / (2 + 2 * a / 3)

        assert stats.kstest(cos_theta, cumulative).pvalue > P_MIN


def test_azimuth_around_the_beam_is_flat(collider: Collider):
    """Of the muon, in the centre of mass, from the plane of the beams."""
    view = generate(collider, mass=1.0)
    p, electron = view.in_beams_frame(view.momentum(13))
    axis = electron[1:] / electron[0]
    across = np.cross(axis.T, [0.0, 1.0, 0.0]).T
    across /= np.sqrt(np.sum(across**2, axis=0))
    upward = np.cross(axis.T, across.T).T
    phi = np.arctan2(np.sum(p[1:] * upward, axis=0), np.sum(p[1:] * across, axis=0))
    assert stats.kstest(phi / (2 * np.pi) + 0.5, "uniform").pvalue > P_MIN


# ---- radiation from the beams --------------------------------------------------------------------


def photon_angle_cumulative(c: np.ndarray, x: np.ndarray, s: float) -> np.ndarray:
    """Share of W(x, c), section 6.2, below c = tanh(eta)/b; integrated by hand in eta."""
    b = np.sqrt(1 - 4 * MASS_E**2 / s)

    def primitive(eta: np.ndarray) -> np.ndarray:
        pole = 4 * MASS_E**2 / s * (1 - x) * np.sinh(2 * eta) / 2
        return (2 * (1 - x) + 4 * MASS_E**2 * x / s + x**2) * eta - x**2 / 2 * np.tanh(eta) - pole

    eta = np.arctanh(np.clip(b * c, -b, b))
    return 0.5 + primitive(eta) / (2 * primitive(np.arctanh(b)))


def test_radiated_photon(collider: Collider):
    """Angle by the first-order density, in the centre of mass of the beams of each event."""
    view = generate(collider, mass=0.5)
    photon, electron = view.in_beams_frame(view.momentum(22))
    s = square(view.total)
    x = 2 * photon[0] / np.sqrt(s)
    seen = x > 1e-3
    cos_theta = np.clip(cosine(photon[:, seen], electron[:, seen]), -1, 1)
    # Angles below 1e-5 rad are lost when momenta are stored, hence the part away from the beams.
    wide = np.abs(cos_theta) < 0.9999
    edge = photon_angle_cumulative(np.full(1, -0.9999), x[seen][wide], s.mean())
    shares = photon_angle_cumulative(cos_theta[wide], x[seen][wide], s.mean())
    assert stats.kstest((shares - edge) / (1 - 2 * edge), "uniform").pvalue > P_MIN
    expected = 1 - 2 * photon_angle_cumulative(np.full(1, -0.9999), x[seen], s.mean())
    error = np.sqrt(np.sum(expected * (1 - expected)))
    assert abs(wide.sum() - expected.sum()) < SIGMAS * error


def test_radiation_lowers_the_energy_of_the_hard_process(collider: Collider):
    """s of muons and Z' is (1 - x) s of the beams, and the spectrum reaches to the threshold."""
    view = generate(collider, mass=7.0)
    photon, _ = view.in_beams_frame(view.momentum(22))
    s = square(view.total)
    x = 2 * photon[0] / np.sqrt(s)
    hard = square(view.momentum(13, -13, 55))
    assert hard == pytest.approx((1 - x) * s, rel=1e-11)
    threshold = 7.0 + 2 * MASS_MU
    assert hard.min() > threshold**2
    assert hard.min() < (threshold + 1.0) ** 2


# ---- the collider --------------------------------------------------------------------------------


def test_spread_of_the_energy(collider: Collider):
    """4.99 MeV, the check value of the Belle II handbook."""
    root_s = np.sqrt(square(generate(collider, mass=1.0).total))
    assert root_s.std() == pytest.approx(4.99e-3, rel=SIGMAS / np.sqrt(2 * N))
    assert abs(root_s.mean() - collider.sqrt_s) < SIGMAS * 4.99e-3 / np.sqrt(N)


def test_boost_is_tilted(sharp_collider: Collider):
    """Without radiation muons and Z' share the centre of mass: each has on the mean P E*/sqrt(s).

    A boost along z alone would leave no mean px.
    """
    view = generate(sharp_collider, mass=1.0, isr=False)
    p_total = sharp_collider.four_momentum
    for code in (13, -13, 55):
        p = view.momentum(code)
        energy = boosted(p, view.total)[0]
        expected = energy.mean() / sharp_collider.sqrt_s * p_total[1:]
        error = p[1:].std(axis=1) / np.sqrt(N)
        assert np.all(np.abs(p[1:].mean(axis=1) - expected) < SIGMAS * error)
    boson = view.momentum(55)[1]
    assert boson.mean() > 8 * boson.std() / np.sqrt(N)


@pytest.mark.parametrize("from_bunches", ["true", "false"])
def test_vertices(from_bunches: str):
    """Where the beams meet is where muons and Z' start: Gaussian with the covariance."""
    override = f"collider.luminous_region.from_bunches={from_bunches}"
    collider = load("belle2", [override]).collider
    view = generate(collider, mass=1.0)
    particles = view.events.particles
    for i, name in enumerate("xyzt"):
        for code in (13, -13, 55):
            start = getattr(particles, name)[view.where(code)]
            assert np.array_equal(start, view.events.vertex[i])
    covariance = collider.luminous_covariance()
    found = np.cov(view.events.vertex[:3])
    variance = np.diag(covariance)
    error = np.sqrt((np.outer(variance, variance) + covariance**2) / N)
    assert np.all(np.abs(found - covariance) < SIGMAS * error)


# ---- the Z' --------------------------------------------------------------------------------------


def test_lifetime_of_the_model(collider: Collider):
    """Without ctau it is hbar c over the width: 3.7209384e-15 m at 1 GeV and g' = 1."""
    view = generate(collider, mass=1.0, coupling=1e-6)
    particles, boson = view.events.particles, view.where(55)
    time = particles.decay_t[boson] - particles.t[boson]
    proper = C * time * 1.0 / particles.e[boson]
    assert stats.kstest(proper / 3.7209384e-13 / 1e12, "expon").pvalue > P_MIN


def test_prompt_decay(collider: Collider):
    view = generate(collider, 100, mass=1.0, ctau=0)
    particles, boson = view.events.particles, view.where(55)
    for name in "xyzt":
        ends, starts = (getattr(particles, f"{prefix}{name}")[boson] for prefix in ("decay_", ""))
        assert np.array_equal(ends, starts)


def test_branching_fractions(collider: Collider):
    """g' = 1, M = 1 GeV: 1/24 pi for each neutrino, g_chi^2 (1 + 2r) sqrt(1 - 4r)/12 pi for chi."""
    view = generate(collider, mass=1.0, coupling=1.0, m_chi=0.3, g_chi=0.7)
    counts = [view.where(code).sum() for code in (14, 16, 52)]
    assert counts == [view.where(-code).sum() for code in (14, 16, 52)]
    widths = np.array([0.5, 0.5, 0.49 * 1.18 * 0.8])
    assert stats.chisquare(counts, N * widths / widths.sum()).pvalue > P_MIN


@pytest.mark.parametrize(("mass", "m_chi"), [(0.1, None), (3.0, None), (3.0, 1.0)])
def test_spin_of_the_zprime_in_its_decay(
    mass: float, m_chi: float | None, sharp_collider: Collider
):
    """Decays match isotropic ones of the same Z' that are reweighted by w_corr.

    The weight itself stands against explicit spinors in ``tests/reference``. Compared are the
    angles to three axes in the Z' rest frame, and w_corr, whose mean a forgotten spin moves most.
    """
    view = generate(sharp_collider, mass=mass, isr=False, m_chi=m_chi, g_chi=3.0, coupling=1e-3)
    boson = view.momentum(55)
    back = np.stack([boson[0], *(-boson[1:])])
    decay = boosted(view.momentum(14, 16, 52), boson)
    flight = np.random.default_rng(8).normal(size=(3, N))
    size = np.sqrt(np.sum(decay[1:] ** 2, axis=0) / np.sum(flight**2, axis=0))
    isotropic = np.stack([decay[0], *(size * flight)])

    momenta = np.stack([view.momentum(13), view.momentum(-13), boson])
    beams = 2 * view.electron - view.total
    events = HardEvents(square(view.total), beams, momenta)

    def correlation(at_rest: np.ndarray) -> np.ndarray:
        first = boosted(at_rest, back)
        correlation = FermionPair(Masses(MASS_MU, mass))
        return correlation(events, np.stack([first, boson - first]))

    weight = correlation(isotropic)
    mean = 1 - (1 - 4 * (m_chi or 0) ** 2 / mass**2) / 3
    assert abs(weight.mean() - mean) < SIGMAS * weight.std() / np.sqrt(N)

    kept = correlation(decay)
    spread = np.std(weight * (weight - mean)) / mean / np.sqrt(N)
    error = np.hypot(kept.std() / np.sqrt(N), spread)
    assert abs(kept.mean() - np.mean(weight**2) / mean) < SIGMAS * error
    assert kept.mean() - mean > 10 * error

    for axis in (view.electron, view.momentum(13), view.total):
        edges, along = np.linspace(-1, 1, 21), boosted(axis, boson)
        counts, _ = np.histogram(cosine(decay, along), edges)
        drawn = cosine(isotropic, along)
        sum_w, _ = np.histogram(drawn, edges, weights=weight / mean)
        sum_w2, _ = np.histogram(drawn, edges, weights=(weight / mean) ** 2)
        chi2 = np.sum((counts - sum_w) ** 2 / (counts + sum_w2))
        assert stats.chi2.sf(chi2, len(counts)) > P_MIN


# ---- reproducibility -----------------------------------------------------------------------------


def test_unweighted_events_have_no_memory_of_their_number(collider: Collider):
    """One event at a time or many at once: the same distribution."""
    generator = MuMuZPrime(mass=1.0).prepare(collider, np.random.default_rng(3))
    rng = np.random.default_rng(4)
    single = [View(generator.generate(1, rng)).momentum(55)[0, 0] for _ in range(400)]
    many = View(generator.generate(4000, rng)).momentum(55)[0]
    assert stats.ks_2samp(single, many).pvalue > P_MIN
