from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

import awkward as ak
import h5py
import numpy as np
import pytest

from darkbelle import gen, geometry, samples
from darkbelle.detsim import simulate
from darkbelle.errors import OutputError, SampleFormatError
from darkbelle.records import Column
from darkbelle.samples.files import columns, hdf5
from darkbelle.samples.files.aside import reason_of
from darkbelle.samples.files.hdf5 import FORMAT_VERSION, SampleWriter, digest_of
from darkbelle.samples.files.tables import Collection
from darkbelle.samples.production import Run

EXPERIMENT = geometry.load("belle2")
PROCESS = gen.MuMuZPrime(mass=2.0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    target = tmp_path_factory.mktemp("samples") / "zprime.h5"
    samples.produce(Run(PROCESS, EXPERIMENT, seed=3, chunk_size=512), target, n_events=500)
    return target


def collections(n_events: int, start: int = 0) -> dict[str, Collection]:
    """Events 0, 1, 2 ... with 0, 1, 2, 0, 1, 2 ... rows."""
    index = start + np.arange(n_events)
    counts = index % 3
    rows = np.repeat(index, counts)
    matrix = np.stack([rows, -rows], axis=-1).astype("<f4")
    return {
        "events": Collection({"weight": Column("w", "1", "f8")}, {"weight": 1.0 + index}),
        "rows": Collection(
            {"value": Column("v", "cm", "f4", "V"), "flag": Column("f", "1", "i1")},
            {"value": matrix, "flag": (rows % 2).astype("i1")},
            counts,
        ),
    }


@pytest.mark.parametrize("n_events", [0, 1, 65_535, 65_536, 150_000])
def test_columns_come_back_whole_whatever_their_length(tmp_path, n_events):
    """Read by h5py's own filters, so the chunks deflated here are what HDF5 expects."""
    with SampleWriter(tmp_path / "x.h5") as writer:
        for start in range(0, max(n_events, 1), 7_000):
            writer.append(collections(min(7_000, n_events - start), start))
        writer.finish({"n_generated": n_events})
    expected = collections(n_events)
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["events/weight"], expected["events"].arrays["weight"])
        np.testing.assert_array_equal(file["rows/value"], expected["rows"].arrays["value"])
        np.testing.assert_array_equal(file["rows/flag"], expected["rows"].arrays["flag"])
        np.testing.assert_array_equal(np.diff(file["rows/offsets"]), expected["rows"].counts)
        assert file["rows/offsets"].shape == (n_events + 1,)
        assert file["rows/value"].attrs["unit"] == "cm"
        assert file["rows/value"].attrs["edm4hep"] == "V"
        assert file.attrs["sum_w"] == expected["events"].arrays["weight"].sum()


def test_every_dataset_says_what_it_is(path):
    with h5py.File(path) as file:
        collections = ("events", "particles", "tracks", "vertices", "clusters", "klm_clusters")
        for name in (*collections, "trigger"):
            for dataset in file[name].values():
                assert dataset.attrs["unit"]
                assert dataset.attrs["description"]
                assert dataset.shuffle or dataset.dtype.itemsize == 1
                assert dataset.compression == "gzip"
        assert file["particles/status"].attrs["codes"] == (
            "0 simulated, 1 final, 2 decayed, 4 beam"
        )
        assert "7 escaped, 8 radiated" in file["particles/outcome"].attrs["codes"]
        assert file["tracks/fit_status"].attrs["codes"].startswith("0 ok")
        assert file["tracks/helix"].shape[1:] == (5,)
        assert file["tracks/cov"].shape[1:] == (15,)
        assert file.attrs["n_stored"] == 500
        assert len(file.attrs["card_sha256"]) == 64


def test_what_is_read_is_what_was_written(tmp_path):
    rng = np.random.default_rng(2)
    truth = PROCESS.generate(EXPERIMENT.collider, 300, rng=rng)
    reco = simulate(truth, EXPERIMENT, rng=rng)
    samples.write(tmp_path / "x.h5", truth, reco, process=PROCESS, experiment=EXPERIMENT)
    sample = samples.open(tmp_path / "x.h5")

    assert sample.process == PROCESS
    assert sample.experiment == EXPERIMENT
    assert sample.cross_section == truth.cross_section
    seen = reco.truth
    np.testing.assert_array_equal(ak.num(sample.particles), np.diff(seen.offsets))
    particles = ak.flatten(sample.particles)
    np.testing.assert_allclose(particles.px, seen.particles.px, rtol=1e-7)
    np.testing.assert_array_equal(particles.vertex.z, seen.particles.z)
    np.testing.assert_array_equal(particles.outcome, seen.particles.outcome)
    tracks = ak.flatten(sample.tracks)
    np.testing.assert_allclose(tracks.d0, reco.tracks.helix[:, 0], rtol=1e-6)
    np.testing.assert_allclose(tracks.cov, reco.tracks.cov, rtol=1e-6)
    np.testing.assert_array_equal(tracks.truth_index, reco.tracks.truth_index)


def test_tracks_and_particles_are_vectors(path):
    sample = samples.open(path)
    tracks = ak.flatten(sample.tracks)
    np.testing.assert_allclose(tracks.pt, np.hypot(tracks.px, tracks.py))
    np.testing.assert_allclose(tracks.pz / tracks.pt, tracks.tan_lambda, rtol=1e-6)
    muons = sample.particles[abs(sample.particles.pdg_id) == 13]
    pair_mass = (muons[:, 0] + muons[:, 1]).mass
    assert ak.all((pair_mass > 0.2) & (pair_mass < 10.6))
    matched = sample.particles[sample.tracks.truth_index]
    assert ak.mean(abs(matched.pdg_id) == 13) > 0.99  # photons of the beams convert
    assert ak.mean(abs(matched.pt / sample.tracks.pt - 1) < 0.05) > 0.99


def test_a_sample_without_events_is_valid(tmp_path):
    samples.produce(Run(PROCESS, EXPERIMENT, 1, chunk_size=64), tmp_path / "x.h5", n_events=0)
    sample = samples.open(tmp_path / "x.h5")
    assert len(sample) == len(sample.events) == len(sample.tracks) == len(sample.particles) == 0
    assert len(sample.vertices) == 0
    assert "flight_xy" in sample.vertices.fields
    assert "recoil_mass" in sample.events.fields
    assert len(sample.trigger) == 0
    assert "ffo" in sample.trigger.l1.fields


def damaged(path, target, kind):
    shutil.copy(path, target)
    if kind == "missing":
        target.unlink()
    elif kind == "text":
        target.write_text("no HDF5")
    elif kind == "empty":
        target.write_bytes(b"")
    elif kind == "truncated":
        target.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        with h5py.File(target, "a") as file:
            if kind == "foreign":
                del file.attrs["format"]
            elif kind == "unversioned":
                del file.attrs["format_version"]
            elif kind == "newer":
                file.attrs["format_version"] = FORMAT_VERSION + 1
            elif kind == "unfinished":
                del file.attrs["complete"]
            elif kind == "headless":
                del file.attrs["n_stored"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "there is no file"),
        ("text", "no HDF5 file"),
        ("empty", "no HDF5 file"),
        ("truncated", "no HDF5 file, or a damaged one"),
        ("foreign", "no darkbelle sample"),
        ("unversioned", "format_version"),
        ("newer", "update darkbelle"),
        ("unfinished", "never finished"),
        ("headless", "n_stored"),
    ],
)
def test_a_file_that_is_no_good_sample_is_refused(path, tmp_path, kind, message):
    target = tmp_path / "bad.h5"
    damaged(path, target, kind)
    with pytest.raises(SampleFormatError, match=message) as error:
        samples.open(target)
    assert "bad.h5" in str(error.value)


def test_a_damaged_column_is_named(path, tmp_path):
    target = tmp_path / "bad.h5"
    shutil.copy(path, target)
    with h5py.File(target) as file:
        offset = file["tracks/helix"].id.get_chunk_info(0).byte_offset
    octets = bytearray(target.read_bytes())
    octets[offset : offset + 64] = bytes(64)
    target.write_bytes(octets)
    with pytest.raises(SampleFormatError, match="tracks/helix is damaged"):
        _ = samples.open(target).tracks


def replace(file, name, values):
    del file[name]
    file[name] = values


def reorder(attributes):
    attributes["names"] = ", ".join(sorted(attributes["names"].split(", ")))


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (lambda file: file.__delitem__("tracks/helix"), "tracks"),
        (lambda file: file.__delitem__("tracks/offsets"), "tracks"),
        (lambda file: file["tracks/charge"].resize(3, axis=0), "charge has 3 rows"),
        (lambda file: file["tracks/offsets"].resize(3, axis=0), "offsets do not fit"),
        (lambda file: file.__delitem__("events"), "events"),
        (lambda file: file.__delitem__("trigger/hlt"), "trigger"),
        (lambda file: file["trigger/physics"].resize(3, axis=0), "physics has 3 rows"),
        (lambda file: file["trigger/l1"].resize(3, axis=1), "l1 has 3 lines instead of"),
        (
            lambda file: file.__delitem__("trigger/physics"),
            "trigger is damaged: it has the columns",
        ),
        (lambda file: replace(file, "trigger/physics", file["trigger/l1"][()]), "in 2 dimensions"),
        (lambda file: replace(file, "trigger/hlt", 1 * file["trigger/hlt"][()]), "hlt holds int64"),
        (lambda file: reorder(file["trigger/hlt"].attrs), "hlt names other lines than the card"),
        (lambda file: file["trigger/l1"].attrs.__delitem__("names"), "trigger is damaged"),
        (lambda file: file.attrs.__setitem__("card", "{"), "card"),
        (lambda file: file.attrs.__setitem__("parameters", "{"), "parameters"),
        (lambda file: file.attrs.__delitem__("xsec_err"), "xsec_err"),
    ],
)
def test_other_damage_is_named_too(path, tmp_path, damage, where):
    target = tmp_path / "bad.h5"
    shutil.copy(path, target)
    with h5py.File(target, "a") as file:
        damage(file)
    sample = samples.open(target)
    with pytest.raises(SampleFormatError, match=where) as error:
        _ = sample.events, sample.tracks, sample.trigger, sample.parameters, sample.cross_section
    assert "bad.h5" in str(error.value)


def test_info_of_an_empty_sample(tmp_path):
    from darkbelle.samples.describe import describe_sample

    samples.produce(Run(PROCESS, EXPERIMENT, 1, chunk_size=64), tmp_path / "x.h5", n_events=0)
    assert "0 events" in describe_sample(samples.open(tmp_path / "x.h5"))


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def write_and_fail():
        with SampleWriter(tmp_path / "x.h5") as writer:
            writer.append(collections(5))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", [".", "nowhere/x.h5"])
def test_impossible_targets_are_refused(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError):
        SampleWriter(target)


# ---- digest --------------------------------------------------------------------------------------


def sha256_with_zeros(octets: bytes, digest: str) -> str:
    assert octets.count(digest.encode()) == 1
    return hashlib.sha256(octets.replace(digest.encode(), b"0" * 64)).hexdigest()


@pytest.mark.parametrize("length", [3, 59_000, 61_000, 2_500_000])
def test_a_file_carries_its_digest(tmp_path, length):
    """Whatever the length of the attributes, and the blocks that its place may lie across."""
    target = tmp_path / "x.h5"
    header = dict.fromkeys(("process", "parameters", "card_sha256", "version"), "x" * 50)
    with SampleWriter(target) as writer:
        writer.append(collections(1000))
        returned = writer.finish(header | {"card": "0" * length, "seed": "1" + "0" * 200})
    with h5py.File(target) as file:
        stored = file.attrs["sha256"]
        assert file["rows/offsets"].shape == (1001,)
        assert file.attrs["complete"]
    assert stored == returned == digest_of(target) == sha256_with_zeros(target.read_bytes(), stored)


def test_the_digest_is_found_wherever_it_stands(tmp_path, monkeypatch):
    """At the edges of the blocks that are read at a time, and within."""
    digest = "ab" * 32
    for place in (0, 1, 36, 37, 99, 100, 101, 150, 500):
        (tmp_path / "x").write_bytes(b"-" * place + digest.encode() + b"-" * 77)
        monkeypatch.setattr(hdf5, "_BLOCK", 100)
        found, places = hdf5._digest(tmp_path / "x", digest)
        assert places == [place]
        assert found == sha256_with_zeros((tmp_path / "x").read_bytes(), digest)


def test_two_places_for_the_digest_are_no_sample(tmp_path):
    with SampleWriter(tmp_path / "x.h5") as writer:
        writer.append(collections(3))
        with pytest.raises(OutputError, match="2 places"):
            writer.finish({"n_generated": 3, "note": hdf5._PLACEHOLDER})


def test_a_byte_that_changed_is_found(path, tmp_path):
    """In data, in the middle of metadata, in the digest itself, or at the end."""
    whole = path.read_bytes()
    with h5py.File(path) as file:
        digest = whole.index(file.attrs["sha256"].encode())
        data = file["tracks/helix"].id.get_chunk_info(0).byte_offset
    target = tmp_path / "x.h5"
    rng = np.random.default_rng(4)
    for place in (
        100,
        data,
        data + 50,
        digest,
        digest + 63,
        -1,
        *rng.integers(len(whole), size=60),
    ):
        octets = bytearray(whole)
        octets[place] ^= 1 << int(rng.integers(8))
        target.write_bytes(octets)
        with pytest.raises(SampleFormatError, match=r"x\.h5"):
            digest_of(target)
    for octets in (whole + b"\0", whole[:-1]):
        target.write_bytes(octets)
        with pytest.raises(SampleFormatError, match="damaged"):
            digest_of(target)


def test_a_file_without_a_digest_has_none(path, tmp_path):
    shutil.copy(path, tmp_path / "old.h5")
    with h5py.File(tmp_path / "old.h5", "a") as file:
        del file.attrs["sha256"]
    with pytest.raises(SampleFormatError, match="no checksum"):
        digest_of(tmp_path / "old.h5")


@pytest.mark.validation
def test_compressed_bytes_do_not_depend_on_where_memory_is():
    """At levels 1 and 2 some processes of a hundred compress runs of bytes in another way."""
    code = f"""
import hashlib, random
from isal import isal_zlib
draw, total = random.Random(1), hashlib.sha256()
for _ in range(400):
    rows = b"".join(bytes([draw.randrange(256)]) * draw.randrange(1, 9) for _ in range(40))
    total.update(isal_zlib.compress(rows, level={columns._DEFLATE_LEVEL}))
print(total.hexdigest())
"""
    command = [sys.executable, "-c", code]
    found = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(150)}
    assert len(found) == 1


def test_the_word_of_the_system_is_taken_from_what_hdf5_says():
    """Its first line is about its own cache, where a disk is full when a file is flushed."""
    told = (
        "Disable slist on flush dest failure failed (file write failed: time = Sat Nov 21 "
        "23:59:14 2026\n, filename = 'x.h5.part', file descriptor = 5, errno = 28, error message "
        "= 'No space left on device', buf = 0x1, total write size = 2048)"
    )
    assert reason_of(RuntimeError(told)) == "No space left on device"
    assert reason_of(OSError(28, "anything")) == "No space left on device"
    assert reason_of(RuntimeError("no such thing\nmore")) == "no such thing"
