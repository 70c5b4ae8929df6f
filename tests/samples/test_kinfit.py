from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, kstest

from darkbelle import gen, geometry
from darkbelle.detsim import simulate
from darkbelle.detsim.vertexing import fit_vertices
from darkbelle.errors import ConfigError
from darkbelle.gen.kinematics import boost, dot
from darkbelle.gen.particles import K_S, MASS_MU, species
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.ragged import event_of
from darkbelle.samples import kinfit
from darkbelle.samples.observables.base import fastest_tracks

MASS_B, MASS_K = species(521).mass, species(321).mass
WITHOUT_TAILS = geometry.load(
    "belle2",
    [
        "collider.beam_spread=false",
        "tracking.tails.fraction=0",
        "tracking.tails.variation={}",
        "tracking.tails.trust='measured'",
        "tracking.momentum_smearing.pt_coefficient_per_gev=0",
        "tracking.momentum_smearing.beta_coefficient=0",
    ],
)
COLLIDER = WITHOUT_TAILS.collider
BEAMS = kinfit.beams(COLLIDER)
N = 3000


def correlated(rng, scale):
    """Covariances of three parameters, with the errors of ``scale`` (n, k, 3) and correlations."""
    mixing = np.eye(3) + 0.6 * rng.uniform(-1, 1, (*scale.shape, 3))
    mixing /= np.linalg.norm(mixing, axis=-1, keepdims=True)
    root = scale[..., None] * mixing
    return root @ np.swapaxes(root, -1, -2), root


def measured(rng, momenta, masses):
    """Charged particles of true momenta (k, 4, n) as a detector of 0.5 % measures them."""
    truth = momenta[:, 1:].transpose(2, 0, 1)
    scale = 5e-3 * np.linalg.norm(truth, axis=-1, keepdims=True) * np.ones(3)
    cov, root = correlated(rng, scale)
    seen = truth + (root @ rng.standard_normal((*truth.shape, 1)))[..., 0]
    return truth, kinfit.charged(seen, cov, masses)


def four_muons(rng, total=None):
    frame = np.repeat(BEAMS.total[:, None], N, axis=1) if total is None else total
    at_rest = decay_at_rest(np.sqrt(dot(frame, frame)), [MASS_MU] * 4, rng)
    return measured(rng, boost_all(at_rest, frame), [MASS_MU] * 4)


def boost_all(momenta, frame):
    return np.stack([boost(p, frame) for p in momenta])


def photons_of_b(rng):
    """B+ -> K+ a, a -> gamma gamma of 1 GeV: charged kaons with photons of 2 % and 5 mrad."""
    ones = np.ones(N)
    b = np.stack([5.6 * ones, 0.3 * ones, -0.1 * ones, np.sqrt(5.6**2 - 0.1 - MASS_B**2) * ones])
    kaon, a = decay_at_rest(ones * MASS_B, [MASS_K, 1.0], rng)
    a = boost(a, b)
    light = boost_all(decay_at_rest(ones, [0.0, 0.0], rng), a)
    _, kaons = measured(rng, boost(kaon, b)[None], [MASS_K])
    energy = light[:, 0].T
    theta = np.arccos(light[:, 3].T / energy)
    phi = np.arctan2(light[:, 2], light[:, 1]).T
    sigma = {"energy": 0.02 * energy, "theta": 5e-3 + 0 * theta, "phi": 5e-3 / np.sin(theta)}
    values = {"energy": energy, "theta": theta, "phi": phi}
    seen = {name: values[name] + sigma[name] * rng.standard_normal((N, 2)) for name in values}
    errors = {f"sigma_{name}": sigma[name] for name in sigma}
    truth = np.stack([energy, theta, phi], axis=-1)
    return truth, kinfit.together(kaons, kinfit.photons(**seen, **errors))


def assert_unit(pulls):
    """Pulls (n, ...) of mean zero and width one, each within four of its standard errors."""
    n = len(pulls)
    np.testing.assert_allclose(pulls.mean(axis=0), 0.0, atol=4.5 / np.sqrt(n))
    np.testing.assert_allclose(pulls.std(axis=0), 1.0, atol=4.5 / np.sqrt(2 * n))


def assert_as_promised(fitted, truth):
    """Fits that converge, whose chi2, pulls and covariances are what they say."""
    assert fitted.is_converged.all()
    assert kstest(fitted.probability, "uniform").pvalue > 1e-4
    assert_unit(fitted.pulls)
    sigma = np.sqrt(np.diagonal(fitted.particles.cov, axis1=1, axis2=2)).reshape(truth.shape)
    assert_unit((fitted.particles.parameters - truth) / sigma)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_constraints_on_four_muons(seed):
    truth, particles = four_muons(np.random.default_rng(seed))
    fitted = kinfit.fit(particles, [BEAMS])
    assert fitted.ndf == 4
    assert_as_promised(fitted, truth)
    total = fitted.particles.momenta().sum(axis=1)
    np.testing.assert_allclose(total, np.repeat(BEAMS.total[:, None], N, axis=1), atol=1e-6)
    before, after = (p.mass((0, 1))[1] for p in (particles, fitted.particles))
    assert np.median(after / before) < 0.9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mass_of_a_b_with_photons(seed):
    truth, particles = photons_of_b(np.random.default_rng(seed))
    fitted = kinfit.fit(particles, [kinfit.Mass((0, 1, 2), MASS_B)])
    assert fitted.ndf == 1
    assert fitted.is_converged.all()
    assert kstest(fitted.probability, "uniform").pvalue > 1e-4
    assert_unit(fitted.pulls)
    mass, sigma = fitted.particles.mass((0, 1, 2))
    np.testing.assert_allclose(mass, MASS_B, atol=1e-6)
    assert sigma.max() < 1e-6
    mass, sigma = fitted.particles.mass((1, 2))
    assert_unit((mass - 1.0) / sigma)
    _, before = particles.mass((1, 2))
    assert np.median(sigma) < 0.95 * np.median(before)
    assert truth.shape == (N, 2, 3)


def test_several_masses_at_once():
    """Both pairs of B -> K a with a known a: what they say adds up."""
    _, particles = photons_of_b(np.random.default_rng(4))
    both = [kinfit.Mass((0, 1, 2), MASS_B), kinfit.Mass((1, 2), 1.0)]
    fitted = kinfit.fit(particles, both)
    assert fitted.ndf == 2
    assert fitted.is_converged.all()
    assert kstest(fitted.probability, "uniform").pvalue > 1e-4
    for constraint in both:
        mass, _ = fitted.particles.mass(constraint.members)
        np.testing.assert_allclose(mass, constraint.mass, atol=1e-6)


def test_what_is_known_with_an_error_is_fitted_along():
    """Beams that spread: with their covariance the probability is flat, without it is not."""
    rng = np.random.default_rng(5)
    collider = geometry.load("belle2").collider
    known = kinfit.beams(collider, spread=True)
    root = np.linalg.cholesky(known.cov[np.ix_([0, 3], [0, 3])])
    shift = np.zeros((4, N))
    shift[[0, 3]] = 5 * root @ rng.standard_normal((2, N))  # far more than they do
    known = kinfit.FourMomentum(known.total, 25 * known.cov)
    truth, particles = four_muons(rng, known.total[:, None] + shift)
    assert_as_promised(kinfit.fit(particles, [known]), truth)
    fixed = kinfit.fit(particles, [kinfit.beams(collider)])
    assert kstest(fixed.probability, "uniform").pvalue < 1e-10
    variance = known.cov[0, 0] / 25
    expected = (collider.spread_her_mev**2 + collider.spread_ler_mev**2) * 1e-6
    assert variance == pytest.approx(expected, rel=1e-12)


def test_against_a_minimiser_that_knows_nothing_of_lagrange():
    rng = np.random.default_rng(6)
    _, particles = photons_of_b(rng)
    constraint = kinfit.Mass((0, 1, 2), MASS_B)
    fitted = kinfit.fit(particles, [constraint])
    for i in range(5):
        start, root = particles.parameters[i].ravel(), np.linalg.cholesky(particles.cov[i])

        def excess(steps, i=i, start=start, root=root):
            here = kinfit.Particles(
                (start + root @ steps).reshape(1, 3, 3), particles.cov[i : i + 1], particles.masses
            )
            return here.mass((0, 1, 2))[0][0] - MASS_B

        found = minimize(
            lambda steps: steps @ steps,
            np.zeros(9),
            constraints={"type": "eq", "fun": excess},
            options={"ftol": 1e-12},
        )
        assert fitted.chi2[i] == pytest.approx(found.fun, rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(
            fitted.particles.parameters[i].ravel(), start + root @ found.x, rtol=1e-4
        )


def test_parameters_that_no_constraint_touches_have_no_pull():
    _, particles = four_muons(np.random.default_rng(7))
    mass = 3.0
    fitted = kinfit.fit(particles, [kinfit.Mass((0, 1), mass)])
    good = fitted.is_converged
    assert (fitted.pulls[good][:, :2] != 0).any()
    assert not fitted.pulls[:, 2:].any()
    np.testing.assert_array_equal(fitted.particles.parameters[:, 2:], particles.parameters[:, 2:])
    np.testing.assert_array_equal(fitted.particles.cov[:, 6:, 6:], particles.cov[:, 6:, 6:])


def test_what_cannot_be_fitted_is_flagged_and_left():
    _, particles = four_muons(np.random.default_rng(8))
    parameters = particles.parameters.copy()
    parameters[5] = np.nan
    broken = kinfit.Particles(parameters, particles.cov, particles.masses)
    fitted = kinfit.fit(broken, [BEAMS])
    assert np.flatnonzero(~fitted.is_converged).tolist() == [5]
    assert fitted.probability[5] == 0.0
    for constraints in (
        [BEAMS, BEAMS],  # the same thing twice
        [kinfit.Mass((0, 1, 2, 3), 1e4)],  # out of reach
    ):
        fitted = kinfit.fit(particles, constraints)
        failed = ~fitted.is_converged
        assert failed.mean() > 0.99
        np.testing.assert_array_equal(
            fitted.particles.parameters[failed], particles.parameters[failed]
        )
        assert np.isinf(fitted.chi2[failed]).all()
        assert not fitted.pulls[failed].any()


def test_a_fit_needs_a_constraint():
    _, particles = four_muons(np.random.default_rng(1))
    with pytest.raises(ConfigError, match="needs a constraint at least"):
        kinfit.fit(particles, [])


@pytest.mark.parametrize("mass", [0.0, -1.0, np.nan, np.inf])
def test_masses_of_constraints_are_above_zero(mass):
    with pytest.raises(ConfigError, match="mass of a constraint must be positive"):
        kinfit.Mass((0, 1), mass)


@pytest.mark.parametrize("members", [(), (0, 0)])
def test_members_of_constraints_are_different_particles(members):
    with pytest.raises(ConfigError, match="members must be places of different particles"):
        kinfit.Mass(members, 1.0)


def test_every_particle_has_a_mass():
    momenta, cov = np.ones((5, 4, 3)), np.broadcast_to(np.eye(3), (5, 4, 3, 3))
    with pytest.raises(ConfigError, match=r"\(5, 4, 3\) want 4 masses \(got 3\)"):
        kinfit.charged(momenta, cov, 3 * [MASS_MU])
    with pytest.raises(ConfigError, match=r"covariances of the shape \(5, 12, 12\)"):
        kinfit.Particles(momenta, np.ones((5, 9, 9)), (MASS_MU,) * 4)
    with pytest.raises(ConfigError, match="masses must be positive"):
        kinfit.charged(momenta, cov, [MASS_MU] * 3 + [-MASS_MU])
    helix, helix_cov = np.ones((5, 2, 5)), np.broadcast_to(np.eye(5), (5, 2, 5, 5))
    with pytest.raises(ConfigError, match="want 2 masses"):
        kinfit.tracks(helix, helix_cov, [MASS_MU], 1.5)
    vertices = fit_vertices(helix[0], helix_cov[0], np.array([[0, 1]]), field=1.5)
    with pytest.raises(ConfigError, match="want 2 masses"):
        kinfit.from_vertices(vertices, [MASS_MU])


def test_no_candidates():
    particles = kinfit.charged(np.zeros((0, 2, 3)), np.zeros((0, 2, 3, 3)), [MASS_MU, MASS_MU])
    fitted = kinfit.fit(particles, [BEAMS, kinfit.Mass((0, 1), 3.0)])
    assert len(fitted.chi2) == len(fitted.probability) == 0
    assert fitted.particles.momenta().shape == (4, 2, 0)
    assert fitted.ndf == 5


# ---- what the detector gives ---------------------------------------------------------------------


def test_simulated_muons_have_right_errors():
    """Errors of tracks without tails, in a four-constraint fit without radiation and spread."""
    rng = np.random.default_rng(9)
    process = gen.MuMuZPrime(mass=3.0, decay="mumu", isr=False, fsr=False)
    truth = process.generate(COLLIDER, 3000, rng)
    reco = simulate(truth, WITHOUT_TAILS, rng=rng)
    rows = fastest_tracks(reco, 2).reshape(4, -1)
    rows = rows[:, np.all(rows >= 0, axis=0)].T
    # Without the shower of scattered electrons in the material: those are no muons of the process.
    is_muon = np.abs(truth_code(reco, rows)) == 13
    rows = rows[is_muon.all(axis=1)]
    particles = kinfit.tracks(
        reco.tracks.helix[rows],
        reco.tracks.cov[rows],
        [MASS_MU] * 4,
        WITHOUT_TAILS.solenoid.field_t,
    )
    fitted = kinfit.fit(particles, [BEAMS])
    assert fitted.is_converged.mean() > 0.999
    core = np.diff(np.percentile(fitted.pulls, [15.87, 84.13], axis=0), axis=0)[0] / 2
    np.testing.assert_allclose(core, 1.0, atol=0.08)
    median = np.median(fitted.chi2)
    assert chi2(4).cdf(median) == pytest.approx(0.5, abs=0.06)


def truth_code(reco, rows):
    first = reco.truth.offsets[event_of(reco.track_offsets)]
    return reco.truth.particles.pdg_id[first + reco.tracks.truth_index][rows]


def test_simulated_k_short_with_its_mass():
    """The common vertex correlates the tracks; with the mass of the K_S the probability is flat."""
    rng = np.random.default_rng(10)
    gun = gen.ParticleGun(pdg_id=K_S, p=1.5, theta=1.3)
    truth = gun.generate(COLLIDER, 2500, rng)
    reco = simulate(truth, WITHOUT_TAILS, rng=rng)
    codes = np.abs(truth_code(reco, np.arange(len(reco.tracks))))
    n_pions = np.bincount(event_of(reco.track_offsets), codes == 211, minlength=2500)
    plus, minus = (
        np.flatnonzero((codes == 211) & (reco.tracks.charge == charge)) for charge in (1, -1)
    )
    both = n_pions == 2
    event = event_of(reco.track_offsets)
    plus, minus = (rows[both[event[rows]]] for rows in (plus, minus))
    common = np.intersect1d(event[plus], event[minus])
    plus, minus = (rows[np.isin(event[rows], common)] for rows in (plus, minus))
    vertices = fit_vertices(
        reco.tracks.helix,
        reco.tracks.cov,
        np.stack([plus, minus], axis=1),
        field=WITHOUT_TAILS.solenoid.field_t,
    )
    mass = species(211).mass
    particles = kinfit.from_vertices(vertices, [mass, mass])
    good = np.hypot(*vertices.position[:, :2].T) < 10
    good &= np.isfinite(vertices.chi2)
    fitted = kinfit.fit(particles, [kinfit.Mass((0, 1), species(K_S).mass)])
    assert fitted.is_converged[good].mean() > 0.99
    assert good.sum() > 800
    core = np.diff(np.percentile(fitted.pulls[good], [15.87, 84.13], axis=0), axis=0)[0] / 2
    np.testing.assert_allclose(core, 1.0, atol=0.08)
    # A few decays of pions in flight or scatters by large angles are more than chance.
    assert kstest(fitted.probability[good & (fitted.probability > 0.01)], "uniform").pvalue > 1e-4
