"""Samples of other generators' events: all of it is there, and what is damaged leaves nothing."""

from __future__ import annotations

import gzip
import lzma
import re
import shlex
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from darkbelle import geometry, samples
from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen import Outcome, Status
from darkbelle.gen.external import Reading
from darkbelle.gen.processes import ExternalEvents, find_process
from darkbelle.samples.cli import cli
from darkbelle.samples.external import simulate_file
from darkbelle.units import C, mm
from tests.gen.external.files import MASS, X, decay_points, events, lhe, momenta, write

PAGE = Path(__file__).resolve().parents[2] / "docs" / "external-events.md"
DATA = Path(__file__).resolve().parents[1] / "data"
N = 30
BELLE2 = geometry.load("belle2")
CM = Reading(frame="cm")


@pytest.fixture(scope="module")
def hepmc(tmp_path_factory):
    return write(tmp_path_factory.mktemp("hepmc") / "toy.hepmc3", events(N))


def simulated(path: Path, output: Path) -> samples.Sample:
    reading = Reading(frame="cm", vertices="file")
    simulate_file(path, BELLE2, 1, output, reading=reading, observables=("dimuon_recoil",))
    return samples.open(output)


@pytest.fixture(scope="module")
def sample(hepmc, tmp_path_factory):
    return simulated(hepmc, tmp_path_factory.mktemp("out") / "x.h5")


@pytest.fixture(scope="module")
def of_lhe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lhe")
    (folder / "x.lhe").write_text(lhe(N, lifetime=3.0))
    return simulated(folder / "x.lhe", folder / "x.h5")


@pytest.mark.parametrize("which", ["sample", "of_lhe"])
def test_count_masses_and_vertices_agree(which: str, request):
    """X flies 2 mm in the centre of mass, or a proper length of 3 mm; muons begin where it ends."""
    sample = request.getfixturevalue(which)
    assert len(sample) == N
    p = sample.particles
    generated = p[p.status > 0]
    assert generated.pdg_id.tolist() == [[11, -11, 22, X, 13, -13]] * N
    x, muons = p[p.pdg_id == X], p[(abs(p.pdg_id) == 13) & (p.origin == 3)]
    np.testing.assert_allclose(ak.flatten(x.mass), MASS, rtol=1e-6)
    total = muons[:, 0].add(muons[:, 1])
    np.testing.assert_allclose(ak.to_numpy(total.mass), MASS, rtol=1e-5)
    for axis in "xyzt":
        end = ak.flatten(x.decay_vertex[axis])
        for muon in (muons[:, 0], muons[:, 1]):
            assert np.array_equal(muon.vertex[axis], end)
    flown = C * ak.flatten(x.decay_vertex.t) / ak.flatten(x.energy)  # proper length over mass
    of_file = decay_points(momenta(N))[3] / momenta(N)[0, 5] if which == "sample" else 3.0 / MASS
    np.testing.assert_allclose(flown, mm * of_file, rtol=1e-6)


def told_by_lines(text: str) -> list[list[tuple[float, ...]]]:
    """Final particles of each event of a HepMC3 file: code, px, py, pz, mass, x, y, z, c t.

    Points in mm, NaN where the vertex of a particle has no line of its own with a place.
    """
    told: list[list[tuple[float, ...]]] = []
    points: dict[int, list[float]] = {}
    for kind, *words in filter(None, map(str.split, text.splitlines())):
        if kind == "E":
            told.append([])
            points = {}
        elif kind == "V" and "@" in words:
            points[int(words[0])] = [float(word) for word in words[-4:]]
        elif kind == "P" and words[-1] == "1":
            px, py, pz, _, mass = map(float, words[3:8])
            point = points.get(int(words[1]), [np.nan] * 4)
            told[-1].append((float(words[2]), px, py, pz, mass, *point))
    return told


@pytest.mark.parametrize(("name", "n"), [("qqbar", 30), ("tautau", 20)])
def test_a_file_that_pythia_wrote_itself(name: str, n: int, tmp_path):
    """Every final particle of its lines is in the sample, once, where it was, with its mass."""
    path = DATA / f"pythia8-{name}.hepmc3.xz"
    simulate_file(path, BELLE2, 1, tmp_path / "x.h5")
    sample = samples.open(tmp_path / "x.h5")
    told = told_by_lines(lzma.decompress(path.read_bytes()).decode())
    assert len(sample) == len(told) == n
    p, meet = sample.particles, sample.events
    final = p[p.status == int(Status.FINAL)]
    for i, expected in enumerate(told):
        lines = np.array(expected)
        names = ("pdg_id", "px", "py", "pz", "mass")
        found = np.stack([ak.to_numpy(final[i][name]) for name in names], axis=1).astype(float)
        place = np.stack([final[i].vertex[a] - meet[i][a] for a in "xyzt"], axis=1)
        order, rows = (np.lexsort(np.round(v[:, [3, 0]], 4).T) for v in (lines, found))
        np.testing.assert_allclose(found[rows], lines[order, :5], rtol=1e-5, atol=1e-6)
        has_place = np.isfinite(lines[order, 5])
        assert has_place.any()
        points = lines[order, 5:] * np.array([mm, mm, mm, mm / C])
        np.testing.assert_allclose(place[rows][has_place], points[has_place], rtol=0, atol=1e-9)


def test_tracks_and_vertices_are_those_of_the_muons(sample):
    good = ak.num(sample.tracks) >= 2
    assert ak.sum(good) > N / 2
    vertices = sample.vertices[good]
    assert ak.mean(ak.num(vertices) >= 1) > 0.8
    assert np.isfinite(ak.to_numpy(sample.events.recoil_mass)).sum() > N / 3


def test_the_sample_knows_where_it_is_from(sample, hepmc):
    assert isinstance(sample.process, ExternalEvents)
    assert sample.process.file == "toy.hepmc3"
    assert sample.process.generators == ("toy 1.2",)
    assert sample.process.reading.vertices == "file"
    assert sample.process.carried == ("dimuon_recoil",)
    assert sample.cross_section.value == pytest.approx(N * 1e3)
    assert sample.attributes["n_generated"] == N
    assert sample.attributes["weight_scale"] == 1.0
    with pytest.raises(ConfigError, match="unknown process 'external'"):
        find_process("external")


def test_another_weight_has_the_same_events(tmp_path):
    (tmp_path / "x.lhe").write_text(lhe(N))
    found = []
    for weight in (None, "rwgt_1"):
        reading = Reading(frame="cm", weight=weight)
        simulate_file(tmp_path / "x.lhe", BELLE2, 1, tmp_path / f"{weight}.h5", reading=reading)
        found.append(samples.open(tmp_path / f"{weight}.h5"))
    one, other = found
    assert np.any(one.column("events", "weight") != other.column("events", "weight"))
    for table in ("particles", "tracks", "clusters", "trigger"):
        for name in one.units(table):
            np.testing.assert_array_equal(one.column(table, name), other.column(table, name))


def test_fewer_events_are_the_first_ones(hepmc, tmp_path):
    for name, n_events in (("a", None), ("b", 14), ("c", 0)):
        simulate_file(
            hepmc, BELLE2, 1, tmp_path / name, reading=CM, n_events=n_events, chunk_size=8
        )
    a, b, c = (samples.open(tmp_path / name) for name in "abc")
    assert (len(a), len(b), len(c)) == (N, 14, 0)
    assert b.attributes["chunks"] == 2
    assert a.events.event_id.tolist() == list(range(N))
    for collection in ("particles", "tracks", "clusters"):
        assert ak.array_equal(getattr(a, collection)[:14], getattr(b, collection))


def test_a_command_from_file_to_words(run, tmp_path):
    text = lhe(6, lifetime=2.0).replace(f"{X:8d}  2", f"{X:8d}  1")
    muons = [line for line in text.splitlines() if line.split()[:1] in (["13"], ["-13"])]
    for line in muons:
        text = text.replace(line + "\n", "")
    (tmp_path / "mg.lhe.gz").write_bytes(gzip.compress(text.replace("\n 6 ", "\n 4 ").encode()))
    status, told, err = run(
        *("simulate", "mg.lhe.gz", "--frame", "cm", "--seed", "3", "-o", "x.h5"),
        *("--observables", "single_photon", "-n", "5"),
    )
    assert status == 0, err
    assert "x.h5: 5 events, seed 3" in told
    told = run("info", "x.h5")[1]
    for words in (
        "process        external",
        "format           LHE",
        "generators       MadGraph5_aMC@NLO 3.5.4",
        "reading.frame    cm",
        f"unknown, unseen 5 of code {X}",
        "cross-section  25 +- 0.1 fb",
    ):
        assert words in told
    p = samples.open(tmp_path / "x.h5").particles
    unseen = p[p.pdg_id == X]
    assert ak.all(unseen.status == int(Status.FINAL))
    assert ak.all(unseen.outcome == int(Outcome.INVISIBLE))


def test_options_reach_the_reading(run, hepmc, tmp_path):
    status, _, err = run(
        *("simulate", str(hepmc), "--frame", "cm", "--vertices", "file", "--seed", "1"),
        *("--treat-as", f"{X}=55", "--ctau", "55=3", "--weight", "nominal", "-n", "5"),
        *("--experiment", "belle2-2018", "-o", "x.h5"),
    )
    assert status == 2
    assert "ctau: no event has a particle 55" in err
    status, _, err = run(
        *("simulate", str(hepmc), "--frame", "cm", "--vertices", "file", "--seed", "1"),
        *("--treat-as", f"{X}=55", "--ctau", f"{X}=3", "--weight", "nominal", "-n", "5"),
        *("--experiment", "belle2-2018", "-o", "x.h5"),
    )
    assert status == 0, err
    sample = samples.open(tmp_path / "x.h5")
    reading = sample.process.reading
    assert reading == Reading(
        frame="cm", vertices="file", treat_as={X: 55}, ctau={X: 3.0}, weight="nominal"
    )
    p = sample.particles
    assert not ak.any(p.pdg_id == X)
    dark = p[p.pdg_id == 55]
    assert ak.any(dark.decay_vertex.t > 3 * mm)


BAD = {
    "cut": (lambda octets: octets[: 2 * len(octets) // 3], "cut off"),
    "damaged": (
        lambda octets: (g := gzip.compress(octets))[:300] + bytes(50) + g[350:],
        "damaged or cut off",
    ),
    "binary": (lambda octets: np.random.default_rng(1).bytes(4096), "neither HepMC"),
    "empty": (lambda octets: b"", "is empty"),
    "unfinished": (lambda octets: octets[: octets.rstrip().rfind(b"\n")], "is missing"),
}


@pytest.mark.parametrize("which", BAD)
def test_a_bad_file_gives_one_clear_error(run, hepmc, which: str, tmp_path):
    spoil, complaint = BAD[which]
    (tmp_path / "bad").write_bytes(spoil(hepmc.read_bytes()))
    status, out, err = run("simulate", "bad", "--frame", "cm", "-o", "x.h5")
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "'bad'" in err
    assert complaint in err
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--observables", "dimuon_recoi"), "did you mean 'dimuon_recoil'"),
        (("--treat-as", "nine=5"), "'nine=5' must read CODE=KNOWN"),
        (("--ctau", "9000005"), "must read CODE=LENGTH"),
        (("--ctau", "9000005=1", "--ctau", "9000005=2"), "9000005 is given twice"),
        (("--systematics", "trackin"), "did you mean 'tracking'"),
    ],
)
def test_bad_options(run, hepmc, options: tuple[str, ...], complaint: str, tmp_path):
    status, _, err = run("simulate", str(hepmc), "--frame", "cm", "-o", "x.h5", *options)
    assert status == 2
    assert complaint in err
    assert not list(tmp_path.iterdir())


def test_the_file_itself_is_not_overwritten(run, hepmc, tmp_path):
    (tmp_path / "x").write_bytes(hepmc.read_bytes())
    status, _, err = run("simulate", "x", "--frame", "cm", "-o", "x", "--force")
    assert status == 2
    assert "choose another name" in err
    assert (tmp_path / "x").read_bytes() == hepmc.read_bytes()


def test_what_detectors_cannot_follow_names_the_file(tmp_path):
    """A B meson that nobody decays."""
    lines = lhe(2).splitlines()
    row = next(i for i, line in enumerate(lines) if line.split()[:1] == ["22"])
    words = lines[row].split()
    energy = np.hypot(np.linalg.norm([float(word) for word in words[6:9]]), 5.27934)
    lines[row] = " ".join(["521", *words[1:9], f"{energy:.10e}", "5.27934", *words[11:]])
    (tmp_path / "x.lhe").write_text("\n".join(lines))
    with pytest.raises(KinematicsError, match=r"x.lhe', events from 0 on: event 0: final B\+"):
        simulate_file(tmp_path / "x.lhe", BELLE2, 1, tmp_path / "x.h5", reading=CM)


@pytest.mark.parametrize(("library", "text"), [("pyhepmc", None), ("pylhe", lhe(1))])
def test_missing_libraries_are_named(run, hepmc, monkeypatch, library, text, tmp_path):
    (tmp_path / "x").write_bytes(hepmc.read_bytes() if text is None else text.encode())
    monkeypatch.setitem(sys.modules, library, None)
    status, _, err = run("simulate", "x", "-o", "x.h5")
    assert status == 2
    assert "pip install 'darkbelle[hepmc]'" in err


def test_the_page_works_when_pasted(monkeypatch, tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    for line in "".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).splitlines():
        _, name, *arguments = shlex.split(line, comments=True)
        cli.commands[name].make_context(name, arguments)
    (tmp_path / "signal.lhe").write_text(lhe(5))
    monkeypatch.chdir(tmp_path)
    left: dict[str, object] = {}
    (pasted,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(pasted, left)
    assert left["reco"].n_events == 5


@pytest.mark.parametrize(
    ("weight", "ratio"), [(None, 1.0), ("rwgt_1", (0.05 + 0.001 * (N - 1) / 2) / 0.025)]
)
def test_expected_counts_follow_the_weights(weight: str | None, ratio: float, tmp_path):
    """25 fb belong to the first weight, in whatever blocks; the other adds up to 2.58 times it."""
    text = lhe(N)
    if weight is None:
        text = text.replace("+2.5000000e-02", "-2.5000000e-02", 8)
    (tmp_path / "x.lhe").write_text(text)
    how = Reading(frame="cm", weight=weight)
    simulate_file(tmp_path / "x.lhe", BELLE2, 1, tmp_path / "x.h5", reading=how, chunk_size=10)
    assert samples.open(tmp_path / "x.h5").cross_section.value == pytest.approx(25.0 * ratio)
    assert samples.expected_yield(tmp_path / "x.h5", 2.0).value == pytest.approx(50.0 * ratio)
