"""Pythia's events: whole, at this collider's beams, and as continuum, taus and B mesons are."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from darkbelle import samples
from darkbelle.errors import ConfigError, KinematicsError, MissingDependencyError
from darkbelle.gen import PythiaEvents, Status, TauTau, TruthEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.events import Origin, Outcome
from darkbelle.gen.external import Reading, read, truth_of
from darkbelle.gen.external.pythia import raw_events, start_pythia
from darkbelle.gen.kinematics import along_axes
from darkbelle.gen.particles import K_L, K_S, KAON, MUON, PHOTON, PION, TAU, charges, species
from darkbelle.gen.processes import pythia as of_pythia
from darkbelle.geometry import Collider, load
from darkbelle.samples.thrust import thrust

pythia8mc = pytest.importorskip("pythia8mc")

DATA = Path(__file__).resolve().parents[2] / "data"
P_MIN = 1e-4
NO_RADIATION = ("PDF:lepton = off",)
CHARMED = (411, 421, 431, 4122, 4132, 4232, 4332)
NUMBERS = {"qqbar": 2000, "tautau": 300, "bbbar": 400}


@cache
def collider(*settings: str) -> Collider:
    return load("belle2", list(settings)).collider


@cache
def made(
    final_state: str, n: int, settings: tuple[str, ...] = (), preset: str = "Y4S"
) -> TruthEvents:
    process = PythiaEvents(final_state=final_state, settings=settings)
    at = collider(f"collider.preset={preset}")
    return process.generate(at, n, np.random.default_rng(11))


@pytest.fixture(params=NUMBERS.items(), ids=NUMBERS)
def events(request: pytest.FixtureRequest) -> TruthEvents:
    return made(*request.param)


def final(truth: TruthEvents) -> np.ndarray:
    return np.flatnonzero(truth.particles.status == Status.FINAL)


def by_event(truth: TruthEvents, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(truth.event_index()[rows], values[rows], truth.n_events)


def n_charged(truth: TruthEvents) -> np.ndarray:
    return by_event(truth, final(truth), np.abs(charges(truth.particles.pdg_id)))


def momenta_cms(truth: TruthEvents, at: Collider) -> np.ndarray:
    p = truth.particles
    return along_axes(np.stack([p.e, p.px, p.py, p.pz]), axes_of_collision(at))


# ---- beams and records ---------------------------------------------------------------------------


def test_nothing_of_what_the_beams_bring_is_lost(events: TruthEvents):
    p = events.particles
    beams = np.flatnonzero(p.status == Status.BEAM)
    for name in ("e", "px", "py", "pz"):
        left, brought = (
            by_event(events, rows, getattr(p, name)) for rows in (final(events), beams)
        )
        np.testing.assert_allclose(left, brought, rtol=0, atol=1e-9)
    assert np.all(by_event(events, final(events), charges(p.pdg_id)) == 0)


def test_beams_are_those_of_the_collider():
    """Mean, spread and direction of either, which know nothing of each other."""
    at, p = collider("collider.preset=Y4S"), made("qqbar", 2000).particles
    energies = []
    for code, energy, spread, direction in (
        (11, at.e_her_gev, at.spread_her_mev / 1000, at.direction_her),
        (-11, at.e_ler_gev, at.spread_ler_mev / 1000, at.direction_ler),
    ):
        rows = (p.status == Status.BEAM) & (p.pdg_id == code)
        e = p.e[rows]
        energies.append(e)
        assert abs(e.mean() - energy) < 4 * spread / np.sqrt(len(e))
        assert e.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * len(e)))
        for name, cosine in zip(("px", "py", "pz"), direction, strict=True):
            np.testing.assert_allclose(getattr(p, name)[rows] / e, cosine, atol=1e-7)
    assert abs(np.corrcoef(*energies)[0, 1]) < 4 / np.sqrt(len(e))
    sharp = PythiaEvents().generate(
        load("belle2", ["collider.beam_spread=false"]).collider, 5, np.random.default_rng(1)
    )
    assert np.ptp(sharp.particles.e[sharp.particles.pdg_id == 11][:5]) < 1e-9


def test_collisions_are_spread_as_the_beams(events: TruthEvents):
    region = collider("collider.preset=Y4S").luminous_covariance()
    for i in range(3):
        pulls = events.vertex[i] / np.sqrt(region[i, i])
        assert stats.kstest(pulls - pulls.mean(), "norm").pvalue > P_MIN
    p = events.particles
    first = np.isin(p.origin, (Origin.PRIMARY, Origin.INITIAL_STATE_RADIATION))
    begins = np.stack([p.x, p.y, p.z, p.t])[:, first]
    np.testing.assert_allclose(begins, events.vertex[:, events.event_index()[first]], atol=1e-12)


def test_no_partons_are_left(events: TruthEvents):
    codes = np.unique(events.particles.pdg_id).tolist()
    assert not {*range(1, 7), 21, 23, 90} & {*map(abs, codes)}
    p = events.particles
    left = {*np.abs(p.pdg_id[final(events)]).tolist()}
    assert left >= {PION, KAON, MUON, K_L, PHOTON}
    assert not left & {K_S, TAU, 111, 3122, *CHARMED}
    assert np.all(p.outcome[p.status == Status.DECAYED] == Outcome.DECAYED)


def test_kaons_live_as_long_as_they_should():
    p = made("qqbar", 2000).particles
    rows = p.pdg_id == K_S
    flight = np.stack([getattr(p, f"decay_{x}") - getattr(p, x) for x in "xyz"])[:, rows]
    momentum = np.stack([p.px, p.py, p.pz])[:, rows]
    proper = np.linalg.norm(flight, axis=0) / np.linalg.norm(momentum, axis=0) * p.mass[rows]
    assert stats.kstest(proper / species(K_S).ctau, "expon").pvalue > P_MIN


@pytest.mark.parametrize("final_state", ["uds", "charm", "bbbar"])
def test_events_follow_from_their_seed_whatever_was_before(final_state: str):
    """All digits: Pythia is kept, and remembers a little of the event before."""
    process, at = PythiaEvents(final_state=final_state), collider("collider.preset=Y4S")
    generator = process.prepare(at, np.random.default_rng(1))
    first = {seed: generator.generate(5, np.random.default_rng(seed)) for seed in range(20)}
    for seed in reversed(first):
        one, again = first[seed], generator.generate(5, np.random.default_rng(seed))
        for name in ("pdg_id", "px", "py", "pz", "mass", "x", "parent"):
            assert np.array_equal(getattr(one.particles, name), getattr(again.particles, name))


@pytest.mark.validation
def test_samples_do_not_depend_on_workers(tmp_path: Path):
    run = samples.Run(PythiaEvents(), load("belle2"), seed=5, chunk_size=60)
    for workers in (1, 2):
        samples.produce(run, tmp_path / f"{workers}.h5", n_events=170, workers=workers)
    one, two = ((tmp_path / f"{workers}.h5").read_bytes() for workers in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("name", "codes", "seed", "n"), [("qqbar", "1 2 3 4", 1, 30), ("tautau", "15", 2, 20)]
)
def test_pythias_own_file_is_read_as_its_live_events(name: str, codes: str, seed: int, n: int):
    """Settings of the files: tests/data/README.md."""
    settings = (
        *("Beams:idA = 11", "Beams:idB = -11", "Beams:frameType = 3"),
        *("Beams:pxA = 0.2905826", "Beams:pyA = 0.", "Beams:pzA = 6.9979696"),
        *("Beams:pxB = 0.1660353", "Beams:pyB = 0.", "Beams:pzB = -3.9985543"),
        *("WeakSingleBoson:ffbar2gmZ = on", "WeakZ0:gmZmode = 1", "PhaseSpace:mHatMin = 4."),
        *("23:mMin = 0.5", "23:onMode = off", f"23:onIfAny = {codes}", f"Random:seed = {seed}"),
    )
    pythia = pythia8mc.Pythia("", False)
    assert all(map(pythia.readString, ("Print:quiet = on", "Random:setSeed = on", *settings)))
    if round(1000 * pythia.parm("Pythia:versionNumber")) != 8317:
        pytest.skip("another version of Pythia makes other events")
    pythia.init()
    live = truth_of(raw_events(pythia.nextBatch(n)))
    path = DATA / f"pythia8-{name}.hepmc3.xz"
    at, rng = collider("collider.preset=Y4S"), np.random.default_rng(1)
    (told,) = read(path, at, rng=rng, reading=Reading(vertices="file"))
    assert told.n_events == n
    for event in range(n):
        one, other = sorted_particles(told, event), sorted_particles(live, event)
        assert np.array_equal(one[0], other[0])
        np.testing.assert_allclose(one, other, atol=1e-9)


def sorted_particles(truth: TruthEvents, event: int) -> np.ndarray:
    """What is written of each particle, by code and momentum."""
    p = truth.particles
    rows = np.arange(*truth.offsets[event : event + 2])
    rows = rows[np.lexsort((p.pz[rows].round(9), p.pdg_id[rows]))]
    names = ("pdg_id", "status", "px", "py", "pz", "mass", "x", "y", "z", "t", "decay_x", "decay_t")
    return np.stack([getattr(p, name)[rows] for name in names])


# ---- physics -------------------------------------------------------------------------------------


def test_continuum_has_as_many_charged_particles_as_measured():
    """8.35 +- 0.20 at 10.47 GeV without radiation (ARGUS, Z. Phys. C 54 (1992) 13).

    Pythia, set as Belle II does, has 8 % fewer.
    """
    found = n_charged(made("qqbar", 2500, NO_RADIATION, "Y4S-off"))
    assert found.mean() == pytest.approx(7.70, abs=4 * found.std() / np.sqrt(2500))
    assert found.mean() == pytest.approx(8.35, rel=0.1)


def test_pairs_of_b_mesons_have_as_many_charged_particles_as_measured():
    """10.81 +- 0.05 +- 0.23 (ARGUS, Z. Phys. C 54 (1992) 13)."""
    found = n_charged(made("bbbar", 400))
    assert abs(found.mean() - 10.81) < 4 * np.hypot(0.24, found.std() / np.sqrt(400))


def test_pairs_of_b_mesons_are_of_both_kinds_and_mix():
    """Shares as in `upsilon.PRODUCED`; chi_d = 0.1858 of the pairs of B0 are alike (PDG 2024)."""
    p, events = made("bbbar", 400).particles, made("bbbar", 400)
    neutral = by_event(events, np.flatnonzero(np.abs(p.pdg_id) == 511), np.ones(len(p))) == 2
    charged = by_event(events, np.flatnonzero(np.abs(p.pdg_id) == 521), np.ones(len(p))) == 2
    assert np.all(neutral ^ charged)
    assert stats.binomtest(int(charged.sum()), 400, 0.5113 / 0.9974).pvalue > P_MIN
    flavour = by_event(events, np.flatnonzero(np.abs(p.pdg_id) == 511), np.sign(p.pdg_id))
    alike = int(np.count_nonzero(flavour[neutral]))
    assert stats.binomtest(alike, int(neutral.sum()), 0.1858).pvalue > P_MIN


def test_charm_has_its_share_of_the_continuum():
    """1.30 of 3.69 nb; hardly any charm comes of gluons."""
    events = made("qqbar", 2000)
    code = np.abs(events.particles.pdg_id)
    has_charm = by_event(events, np.flatnonzero(np.isin(code, CHARMED)), np.ones(len(code))) > 0
    assert stats.binomtest(int(has_charm.sum()), 2000, 1.30 / 3.69).pvalue > P_MIN


def test_jets_are_thrown_as_spin_one_half():
    """1 + cos^2: a mean of 0.4 for cos^2 of the thrust axis, of which hadrons blur a little."""
    events, at = made("uds", 1500, NO_RADIATION), collider("collider.preset=Y4S")
    rows = final(events)
    seen = rows[~np.isin(np.abs(events.particles.pdg_id[rows]), (12, 14, 16))]
    momenta = momenta_cms(events, at)[1:, seen]
    counts = np.bincount(events.event_index()[seen], minlength=1500)
    _, axis = thrust(momenta, np.append(0, np.cumsum(counts)))
    assert np.mean(axis[2] ** 2) == pytest.approx(0.395, abs=0.03)


def test_taus_are_thrown_as_spin_one_half():
    """1 + cos^2 + (1 - beta^2) sin^2 (PDG 2024, review of cross-section formulae)."""
    at = collider("collider.preset=Y4S")
    events = made("tautau", 300)
    p = momenta_cms(events, at)[:, events.particles.pdg_id == TAU]
    cosine = p[3] / np.linalg.norm(p[1:], axis=0)
    rest = (2 * species(TAU).mass / at.sqrt_s) ** 2

    def cumulative(c: np.ndarray) -> np.ndarray:
        primitive = (1 + rest) * c + (1 - rest) * c**3 / 3
        end = (1 + rest) + (1 - rest) / 3
        return (primitive + end) / (2 * end)

    assert stats.kstest(cosine, cumulative).pvalue > P_MIN


def test_taus_decay_as_ours():
    """Numbers of charged particles and photons, and their momenta."""
    ours = TauTau().generate(collider("collider.preset=Y4S"), 3000, np.random.default_rng(12))
    theirs = made("tautau", 300)
    assert n_charged(theirs).mean() == pytest.approx(n_charged(ours).mean(), abs=0.25)
    spectra = []
    for events in (ours, theirs):
        p = events.particles
        rows = np.intersect1d(final(events), np.flatnonzero(charges(p.pdg_id) != 0))
        q = momenta_cms(events, collider("collider.preset=Y4S"))[1:, rows]
        spectra.append(np.linalg.norm(q, axis=0))
    assert stats.ks_2samp(*spectra).pvalue > P_MIN


@pytest.mark.validation
def test_spins_of_tau_pairs_go_together_as_ours():
    """Energies of the pions of tau -> pi nu on both sides, which fly with or against the spins."""
    at, rng = collider("collider.preset=Y4S"), np.random.default_rng(13)
    only = ("15:onMode = off", "15:onIfMatch = 16 -211")
    theirs = PythiaEvents(final_state="tautau", settings=only).generate(at, 2500, rng)
    ours = TauTau(minus="pi", plus="pi").generate(at, 2500, rng)
    found = []
    for events in (theirs, ours):
        p, e = events.particles, momenta_cms(events, at)[0]
        energies = [e[p.pdg_id == sign * PION] for sign in (-1, 1)]
        found.append(np.corrcoef(*energies)[0, 1])
    assert found[0] > 0.2
    assert found[0] == pytest.approx(found[1], abs=4 * np.sqrt(2 / 2500))


def test_cross_sections_are_those_of_the_parts():
    """Sums, falling as 1/s; Pythia itself has nearly the same, taus to the errors."""
    at, rng = collider("collider.preset=Y4S"), np.random.default_rng(1)
    off = collider("collider.preset=Y4S-off")
    value = {
        name: PythiaEvents(final_state=name).cross_section(at, rng).value
        for name in ("qqbar", "uds", "charm", "tautau")
    }
    assert value["qqbar"] == pytest.approx(value["uds"] + value["charm"])
    fallen = PythiaEvents().cross_section(off, rng).value
    assert fallen / value["qqbar"] == pytest.approx((at.sqrt_s / off.sqrt_s) ** 2)
    pythia = start_pythia("test", tauonic(at))
    pythia.rndm.init(1)
    for _ in range(2000):
        pythia.next()
    info = pythia.infoPython()
    assert abs(info.sigmaGen() * 1e12 - value["tautau"]) < 4 * info.sigmaErr() * 1e12


def tauonic(at: Collider) -> tuple[str, ...]:
    return (
        *("Beams:idA = 11", "Beams:idB = -11", f"Beams:eCM = {at.sqrt_s}", "23:mMin = 0.5"),
        *("WeakSingleBoson:ffbar2gmZ = on", "WeakZ0:gmZmode = 1", "PartonLevel:all = off"),
        *("23:onMode = off", "23:onIfAny = 15", "PhaseSpace:mHatMin = 3.6"),
    )


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"settings": "Beams:eCM = 5."}, "beams are the collider's"),
        ({"settings": " random:seed = 5"}, "seeds those of the sample"),
        ({"settings": "StringZ:aLund = 1.", "final_state": "bbbar"}, "leave them out"),
        ({"carries": "b_to_k_track"}, "did you mean 'b_to_k_tracks'"),
        ({"final_state": "bb"}, "'bbbar'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, str], told: str):
    with pytest.raises(ConfigError, match=told) as caught:
        PythiaEvents(**parameters)
    assert str(caught.value).startswith("pythia: ")


@pytest.mark.parametrize("setting", ["StringZ:aLund = x", "StringZ:aLumd = 1."])
def test_settings_that_pythia_refuses_are_named(setting: str, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match=setting):
        PythiaEvents(settings=setting).prepare(
            collider("collider.preset=Y4S"), np.random.default_rng(1)
        )
    assert not any(capfd.readouterr())


@pytest.mark.parametrize(
    ("setting", "told"),
    [("PartonLevel:all = off", "no particles"), ("HadronLevel:all = off", "partons")],
)
def test_settings_that_leave_no_hadrons_are_refused(setting: str, told: str):
    with pytest.raises(ConfigError, match=told):
        PythiaEvents(settings=setting).prepare(
            collider("collider.preset=Y4S"), np.random.default_rng(1)
        )


@pytest.mark.parametrize(
    ("final_state", "settings", "told"),
    [
        ("bbbar", "collider.preset=Y5S", r"B B\* pairs are not known"),
        ("bbbar", "collider.preset=Y4S-off", "needs sqrt_s > 10.5"),
        ("uds", "collider.presets.Y4S.e_her_gev=3.5", "between 9.5 and 11.5 GeV"),
    ],
)
def test_energies_that_nobody_checked_are_refused(final_state: str, settings: str, told: str):
    with pytest.raises(KinematicsError, match=told):
        PythiaEvents(final_state=final_state).prepare(collider(settings), np.random.default_rng(1))


def test_a_missing_or_old_pythia_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    fresh = start_pythia.__wrapped__
    monkeypatch.setattr(of_pythia, "start_pythia", fresh)
    process, at = PythiaEvents(), collider("collider.preset=Y4S")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pythia8mc", None)
        with pytest.raises(MissingDependencyError, match=r"pip install 'darkbelle\[pythia\]'"):
            process.prepare(at, np.random.default_rng(1))
    monkeypatch.setattr("darkbelle.gen.external.pythia.version", lambda _: "8.317.0")
    with pytest.raises(MissingDependencyError, match=r">= 8\.317\.2 .* 8\.317\.0 is installed"):
        process.prepare(at, np.random.default_rng(1))
