"""Events of files as truth: frame, place, lives, names; and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from darkbelle import geometry
from darkbelle.errors import ConfigError, EventFileError, KinematicsError
from darkbelle.gen import Status, TruthEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.decays.table import short_lived
from darkbelle.gen.external import EventFile, Reading, count_unknown, read
from darkbelle.gen.external.checking import check_frame
from darkbelle.gen.kinematics import along_axes, invariant_mass
from darkbelle.gen.particles import Z_PRIME, conjugate, species
from darkbelle.units import C, mm
from tests.gen.external.files import (
    COLLIDER,
    FLIGHT_MM,
    MASS,
    SQRT_S,
    X,
    decay_points,
    events,
    lhe,
    momenta,
    write,
)

N = 40


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("hepmc") / "x.hepmc3", events(N))


def truth_of(path, seed: int = 1, **how) -> TruthEvents:
    how = {"frame": "cm"} | how
    (truth,) = read(path, COLLIDER, rng=np.random.default_rng(seed), reading=Reading(**how))
    return truth


def four_momenta(truth: TruthEvents, code: int) -> np.ndarray:
    p = truth.particles
    rows = np.flatnonzero(p.pdg_id == code)
    return np.stack([p.e, p.px, p.py, p.pz])[:, rows]


def column(truth: TruthEvents, code: int, names: tuple[str, ...]) -> np.ndarray:
    rows = np.flatnonzero(truth.particles.pdg_id == code)
    return np.stack([getattr(truth.particles, name)[rows] for name in names])


def test_events_in_the_centre_of_mass_go_to_the_laboratory(path):
    """Seen along the axes of the collision they are what they were; e- goes along its beam."""
    truth = truth_of(path)
    p = truth.particles
    assert p.pdg_id.tolist() == [11, -11, 22, X, 13, -13] * N
    axes = axes_of_collision(COLLIDER)
    for code, place in ((22, 4), (X, 5), (13, 6), (-13, 7)):
        back = along_axes(four_momenta(truth, code), axes)
        np.testing.assert_allclose(back, momenta(N)[:, place], rtol=0, atol=1e-8)
    total = four_momenta(truth, 22) + four_momenta(truth, 13) + four_momenta(truth, -13)
    np.testing.assert_allclose(total.T, np.tile(COLLIDER.four_momentum, (N, 1)), atol=1e-8)
    electron = four_momenta(truth, 11)[1:, 0]
    assert electron @ COLLIDER.direction_her / np.linalg.norm(electron) > 0.999
    np.testing.assert_allclose(invariant_mass(four_momenta(truth, X)), MASS, rtol=1e-9)


def test_events_in_the_laboratory_stay(tmp_path):
    """A file in the laboratory, made of one in the centre of mass, is read as that one."""
    text = lhe(3)
    beams = f"{SQRT_S / 2:.7e} {SQRT_S / 2:.7e}"
    assert beams in text
    (tmp_path / "x.lhe").write_text(text)
    collider = geometry.load(
        "belle2",
        (
            "collider.angle_her_mrad=0.0",
            "collider.angle_ler_mrad=0.0",
            f"collider.presets.Y4S.e_her_gev={SQRT_S / 2}",
            f"collider.presets.Y4S.e_ler_gev={SQRT_S / 2}",
        ),
    ).collider
    for frame in ("lab", "cm"):
        rng = np.random.default_rng(1)
        (truth,) = read(tmp_path / "x.lhe", collider, rng=rng, reading=Reading(frame=frame))
        np.testing.assert_allclose(four_momenta(truth, 13), momenta(3)[:, 6], rtol=0, atol=1e-7)


def test_the_wrong_frame_is_refused(path):
    with pytest.raises(KinematicsError, match=r"velocity \(-?0.00, .* choose the frame"):
        truth_of(path, frame="lab")


def test_exchanged_beams_are_refused(tmp_path):
    text = lhe(3)
    for code in (11, -11):
        text = text.replace(f" {code:8d} -1", f" {-code:8d}  -1")
    (tmp_path / "x.lhe").write_text(text)
    with pytest.raises(KinematicsError, match="electrons fly towards -z"):
        truth_of(tmp_path / "x.lhe")


def test_events_begin_in_the_luminous_region(path):
    """All of an event is moved alike: what flew flies as far as before."""
    truth = truth_of(path)
    region = np.sqrt(np.diag(COLLIDER.luminous_covariance()))
    at_rest = (truth.vertex[:3].T - COLLIDER.luminous_region.centre_cm) / region
    assert kstest(at_rest[:, 1], "norm").pvalue > 1e-3
    for code in (11, -11, 22, X):
        assert np.array_equal(column(truth, code, ("x", "y", "z", "t")), truth.vertex)
    ends = column(truth, X, ("decay_x", "decay_y", "decay_z", "decay_t"))
    for code in (13, -13):
        assert np.array_equal(column(truth, code, ("x", "y", "z", "t")), ends)


def test_flights_are_boosted_with_the_momenta(path):
    """2 mm in the centre of mass is a proper length of 2 mm m / p, in any frame."""
    truth = truth_of(path)
    flight = column(truth, X, ("decay_x", "decay_y", "decay_z", "decay_t")) - column(
        truth, X, ("x", "y", "z", "t")
    )
    momentum = four_momenta(truth, X)
    p_cms = np.linalg.norm(momenta(N)[1:, 5], axis=0)
    proper = FLIGHT_MM * mm * MASS / p_cms
    np.testing.assert_allclose(flight[:3], proper / MASS * momentum[1:], rtol=1e-6)
    np.testing.assert_allclose(flight[3], proper / MASS * momentum[0] / C, rtol=1e-6)


def test_vertices_of_the_file(path):
    """In the centre of mass the file has (0, 0, 0, 0) where the beams meet, and so has the lab."""
    truth = truth_of(path, vertices="file")
    assert not truth.vertex.any()
    ends = column(truth, 13, ("x", "y", "z", "t"))
    axes = axes_of_collision(COLLIDER)
    back = along_axes(np.stack([C * ends[3], *ends[:3]]), axes)
    x, y, z, ct = mm * decay_points(momenta(N))
    np.testing.assert_allclose(back, [ct, x, y, z], rtol=0, atol=1e-9)


def test_lives_are_drawn_on_request(tmp_path):
    """Proper lengths of mean 5 cm, whatever the file says; what comes of it moves along."""
    (tmp_path / "x.lhe").write_text(lhe(500))
    truth = truth_of(tmp_path / "x.lhe", ctau={X: 5.0})
    start, end = (
        column(truth, X, names)
        for names in (("x", "y", "z", "t"), ("decay_x", "decay_y", "decay_z", "decay_t"))
    )
    momentum = four_momenta(truth, X)
    proper = np.linalg.norm((end - start)[:3], axis=0) * MASS
    proper /= np.linalg.norm(momentum[1:], axis=0)
    assert kstest(proper, "expon", args=(0, 5.0)).pvalue > 1e-3
    for code in (13, -13):
        assert np.array_equal(column(truth, code, ("x", "y", "z", "t")), end)
    assert np.array_equal(column(truth, 22, ("x", "y", "z", "t")), truth.vertex)


def test_particles_under_other_names(path):
    """The mass is that of the file."""
    truth = truth_of(path, treat_as={X: Z_PRIME, -13: 211})
    assert truth.particles.pdg_id.tolist() == [11, -11, 22, Z_PRIME, -211, 211] * N
    mass = truth.particles.mass[truth.particles.pdg_id == Z_PRIME]
    np.testing.assert_allclose(mass, MASS)
    truth = truth_of(path, treat_as={X: Z_PRIME}, ctau={X: 5.0})
    assert Z_PRIME in truth.particles.pdg_id


def test_unknown_codes_are_counted(tmp_path):
    text = lhe(4).replace(f"{X:8d}  2", f"{X:8d}  1")
    muons = [line for line in text.splitlines() if line.split()[:1] in (["13"], ["-13"])]
    for line in muons:
        text = text.replace(line + "\n", "")
    (tmp_path / "x.lhe").write_text(text.replace("\n 6 ", "\n 4 "))
    p = truth_of(tmp_path / "x.lhe").particles
    assert count_unknown(p.pdg_id, p.status) == {X: 4}
    p = truth_of(tmp_path / "x.lhe", treat_as={X: 55}).particles
    assert count_unknown(p.pdg_id, p.status) == {}


def pairs(n: int, code: int, mass: float) -> str:
    """Pairs that another generator leaves undecayed, in the place of X and the photon."""
    half = SQRT_S / 2
    p = np.sqrt(half**2 - mass**2)
    lines = lhe(1).splitlines()
    begin = lines.index("<event>")
    event = ["<event>", " 4      1 +2.5000000e-02 1.05800000e+01 7.54677100e-03 1.18e-01"]
    event += lines[begin + 2 : begin + 4]
    for pdg_id, pz in ((code, p), (conjugate(code), -p)):
        event.append(f" {pdg_id} 1 1 2 0 0 0.0 0.0 {pz:.12e} {half:.12e} {mass:.10e} 0.0 -1.0")
    event.append("</event>")
    return "\n".join([*lines[:begin], *(event * n), "</LesHouchesEvents>"])


@pytest.mark.parametrize("code", [15, 111, 310, 421])
def test_what_is_undecayed_decays(code: int, tmp_path):
    """As our tables know it; four-momentum is kept."""
    (tmp_path / "x.lhe").write_text(pairs(50, code, species(code).mass))
    truth = truth_of(tmp_path / "x.lhe")
    p = truth.particles
    final = p.status == Status.FINAL
    assert not np.isin(p.pdg_id[final], short_lived()).any()
    assert np.all(p.status[np.abs(p.pdg_id) == code] == Status.DECAYED)
    event = truth.event_index()
    total = [np.bincount(event[final], v[final]) for v in (p.e, p.px, p.py, p.pz)]
    expected = np.tile(COLLIDER.four_momentum, (50, 1))
    np.testing.assert_allclose(np.stack(total).T, expected, rtol=0, atol=1e-6)


def test_what_cannot_decay_is_told(path):
    with pytest.raises(KinematicsError, match=r"x.hepmc3', events from 0 on: a particle of 0.1"):
        truth_of(path, treat_as={13: 310})


def test_taus_fly_and_decay(tmp_path):
    (tmp_path / "x.lhe").write_text(pairs(300, 15, 1.77693))
    truth = truth_of(tmp_path / "x.lhe")
    p = truth.particles
    tau = np.flatnonzero(np.abs(p.pdg_id) == 15)
    assert len(tau) == 600
    assert np.all(p.status[tau] == Status.DECAYED)
    ends, starts = (np.stack([p.decay_x, p.decay_y, p.decay_z]), np.stack([p.x, p.y, p.z]))
    length = np.linalg.norm((ends - starts)[:, tau], axis=0)
    momentum = np.linalg.norm(np.stack([p.px, p.py, p.pz])[:, tau], axis=0)
    proper = length * p.mass[tau] / momentum
    assert kstest(proper, "expon", args=(0, 87.03e-4)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("place", "word", "complaint"),
    [
        (6, "nan", "event 1: particle 13 .* must be finite"),
        (9, "99.0", "event 1: particle 13 .* differ by more than 1 %"),
        (0, "2", "event 1: particle 2 .* partons must become hadrons first"),
    ],
)
def test_events_that_make_no_sense(place: int, word: str, complaint: str, tmp_path):
    lines = lhe(3).splitlines()
    row = [i for i, line in enumerate(lines) if line.split()[:1] == ["13"]][1]
    words = lines[row].split()
    words[place] = word
    lines[row] = " ".join(words)
    (tmp_path / "x.lhe").write_text("\n".join(lines))
    with pytest.raises(EventFileError, match=complaint):
        truth_of(tmp_path / "x.lhe")


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"weight": "down"}, r"no weight 'down'; its weights: 'nominal'"),
        ({"ctau": {99: 1.0}}, "ctau: no event has a particle 99"),
        ({"treat_as": {99: 13}}, "treat_as: no event has a particle 99"),
        ({"ctau": {X: -1.0}}, r"ctau.9000005: Input should be greater than 0"),
        ({"treat_as": {X: 9_900_099}}, r"treat_as.9000005: pdg_id 9900099 is no known particle"),
        ({"ctau": {10**11: 5.0}}, "ctau.*less than or equal to 2147483647"),
        ({"frame": "rest"}, "frame: Input should be 'lab' or 'cm'"),
        ({"fram": "cm"}, "did you mean 'frame'"),
    ],
)
def test_settings_that_make_no_sense(how: dict, complaint: str, path):
    with pytest.raises(ConfigError, match=complaint):
        truth_of(path, **how)


def test_blocks_of_truth(path):
    sizes = [
        truth.n_events
        for truth in read(
            path, COLLIDER, rng=np.random.default_rng(1), reading=Reading(frame="cm"), block_size=15
        )
    ]
    assert sizes == [15, 15, 10]


def test_blocks_of_nothing_are_refused(path):
    with EventFile(path) as file, pytest.raises(ConfigError, match=r"one at a time .* \(got 0\)"):
        next(file.blocks(0))


def test_blocks_know_their_place(path):
    """And are what they are, whatever else was read meanwhile."""
    with EventFile(path, Reading(frame="lab")) as file:
        blocks = list(file.blocks(15))
        assert [raw.first for raw in blocks] == [0, 15, 30]
        with pytest.raises(KinematicsError, match="choose the frame"):
            file.truth(blocks[0], COLLIDER, np.random.default_rng(1))


def test_codes_that_become_one_fly_alike(path):
    """The second of them occurs nowhere, and is told."""
    how = {"treat_as": {X: 55, X + 1: 55}, "ctau": {X: 1.0, X + 1: 1.0}}
    with pytest.raises(ConfigError, match=f"no event has a particle {X + 1}"):
        truth_of(path, **how)


def test_beams_of_another_energy_are_refused(tmp_path):
    """10.52 GeV below 10.58: in the head of the file."""
    text = lhe(3).replace(f"{SQRT_S / 2:.7e} {SQRT_S / 2:.7e}", "5.26 5.26")
    (tmp_path / "x.lhe").write_text(text)
    with pytest.raises(KinematicsError, match=r"have 10.52 GeV in their centre of mass"):
        truth_of(tmp_path / "x.lhe")


def test_a_final_particle_with_daughters_is_refused(tmp_path):
    (tmp_path / "x.lhe").write_text(lhe(3).replace(f"{X:8d}  2", f"{X:8d}  1"))
    with pytest.raises(EventFileError, match=r"event 0: .* has daughters: it would count twice"):
        truth_of(tmp_path / "x.lhe")


def test_beams_that_do_not_cross_are_refused(tmp_path):
    """Our beams cross at 83 mrad, those of the file move along z as fast as ours."""
    (tmp_path / "x.lhe").write_text(lhe(3))
    flat = ("collider.angle_her_mrad=0.0", "collider.angle_ler_mrad=0.0")
    head_on = geometry.load("belle2", flat).collider
    with EventFile(tmp_path / "x.lhe", Reading(frame="cm")) as file:
        truth = file.truth(next(file.blocks()), head_on, np.random.default_rng(1))
    with pytest.raises(KinematicsError, match="cross at 83 mrad"):
        check_frame(truth, COLLIDER, tmp_path / "x.lhe")


def test_lives_of_what_does_not_fly_are_refused(path):
    with pytest.raises(ConfigError, match="ctau: no particle 22 decays in the file"):
        truth_of(path, ctau={22: 1.0})


def test_hadrons_without_masses_get_those_of_the_table(tmp_path):
    (tmp_path / "x.lhe").write_text(pairs(5, 111, 0.0))
    truth = truth_of(tmp_path / "x.lhe")
    assert np.all(truth.particles.mass[truth.particles.pdg_id == 111] == species(111).mass)
