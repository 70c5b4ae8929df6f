from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest

from darkbelle import gen, geometry, samples
from darkbelle.errors import MergeError, OutputError, SampleFormatError
from darkbelle.records import Column
from darkbelle.samples.files.columns import CHUNK_ROWS
from darkbelle.samples.files.hdf5 import SampleWriter, _digest, configuration_digests
from darkbelle.samples.files.integrity import verify
from darkbelle.samples.files.merging import merge
from darkbelle.samples.files.tables import Collection
from darkbelle.samples.production import ChunkMaker, write_chunks

CHUNK = 8192
HEADER = {"process": "p", "parameters": '{"mass": 2.0}', "card": "{}", "version": "1"}
HEADER |= configuration_digests(*(HEADER[name] for name in ("process", "parameters", "card")))


def collections(first: int, n_events: int, salt: int) -> dict[str, Collection]:
    """Events with 0, 1 or 2 rows, a systematic weight, and a variation with rows of its own."""
    index = first + np.arange(n_events)
    draw = np.random.default_rng([salt, first])
    counts = draw.integers(3, size=n_events)
    others = draw.integers(2, size=n_events)
    number, weight = Column("n", "1", "i8"), Column("w", "1", "f8")
    size = Column("v", "cm", "f4", names=("a", "b"), prescales=(0, 3))
    matrix = draw.normal(size=(counts.sum(), 2)).astype("<f4")
    return {
        "events": Collection(
            {"weight": weight, "event_id": number},
            {"weight": draw.exponential(size=n_events), "event_id": index},
        ),
        "rows": Collection({"value": size}, {"value": matrix}, counts),
        "clusters": Collection({"e": weight}, {"e": draw.normal(size=others.sum())}, others),
        "weights": Collection({"up": weight}, {"up": draw.normal(size=n_events)}),
        "variations/a_up/rows": Collection({"value": size}, {"value": 1.1 * matrix}, counts),
        "variations/a_up/clusters": Collection(
            {"e": weight}, {"e": draw.normal(size=counts.sum())}, counts
        ),
    }


def write(path, first=0, chunks=1, n_events=None, seed=1, **changed):
    """Some chunks of a stream as `produce` would write them; ``n_events`` of the whole run."""
    stop = (first + chunks) * CHUNK
    stop = stop if n_events is None else min(stop, n_events)
    own = {
        "seed": str(seed),
        "point": 0,
        "chunk_size": CHUNK,
        "first_chunk": first,
        "chunks": chunks,
        "n_generated": stop - first * CHUNK,
        "xsec": 10.0 + seed,
        "xsec_err": 0.1 * seed,
        "cuts_efficiency": 0.5,
    }
    with SampleWriter(path) as writer:
        for start in range(first * CHUNK, max(stop, 1), CHUNK):
            writer.append(collections(start, min(CHUNK, stop - start), seed))
        writer.finish(HEADER | own | changed)
    return path


def test_parts_of_a_run_become_its_very_bytes(tmp_path):
    """In any order, over the edges of compressed chunks, the last part cut, one of them merged."""
    n_events = 20 * CHUNK - 77
    assert n_events > 2 * CHUNK_ROWS
    whole = write(tmp_path / "whole.h5", 0, 20, n_events)
    a = write(tmp_path / "a.h5", 0, 3)
    b = write(tmp_path / "b.h5", 3, 10)
    c = write(tmp_path / "c.h5", 13, 7, n_events)
    assert merge([c, a, b], tmp_path / "x.h5") == n_events
    assert (tmp_path / "x.h5").read_bytes() == whole.read_bytes()
    merge([c, a], tmp_path / "ac.h5")
    with h5py.File(tmp_path / "ac.h5") as file:
        parts = json.loads(file.attrs["parts"])
    assert [(part["first_chunk"], part["chunks"]) for part in parts] == [(0, 3), (13, 7)]
    verify(tmp_path / "ac.h5")
    merge([tmp_path / "ac.h5", b], tmp_path / "y.h5")
    assert (tmp_path / "y.h5").read_bytes() == whole.read_bytes()
    merge([whole], tmp_path / "z.h5")
    assert (tmp_path / "z.h5").read_bytes() == whole.read_bytes()


def test_efficiencies_of_generators_are_events_kept_over_tried(tmp_path):
    """1000 of 2000 and 3000 of 30,000 are 4000 of 32,000; the mean would be 0.2."""
    a = write(tmp_path / "a.h5", n_events=1000, cuts_efficiency=0.5)
    b = write(tmp_path / "b.h5", n_events=3000, seed=2, cuts_efficiency=0.1)
    merge([a, b], tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["cuts_efficiency"] == pytest.approx(4000 / 32_000, rel=1e-12)


def test_samples_of_several_seeds_are_added(tmp_path):
    """Sums add up, the cross-section is the mean by errors, numbers of events are unique."""
    paths = [write(tmp_path / f"{s}.h5", 0, 2, 9_000 + s, seed=s) for s in (3, 1, 2)]
    merge(paths, tmp_path / "x.h5")
    verify(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        attributes = dict(file.attrs)
        inputs = [h5py.File(tmp_path / f"{s}.h5") for s in (1, 2, 3)]
        for name in ("n_generated", "n_stored", "sum_w", "sum_w2"):
            assert attributes[name] == pytest.approx(sum(f.attrs[name] for f in inputs), rel=1e-12)
        np.testing.assert_array_equal(file["events/event_id"], np.arange(27_006))
        for name in ("rows/value", "weights/up", "variations/a_up/rows/value"):
            expected = np.concatenate([f[name][()] for f in inputs])
            np.testing.assert_array_equal(file[name], expected)
            assert dict(file[name].attrs).keys() == dict(inputs[0][name].attrs).keys()
        for name in ("rows", "clusters", "variations/a_up/clusters"):
            expected = np.concatenate([np.diff(f[name]["offsets"]) for f in inputs])
            np.testing.assert_array_equal(np.diff(file[name]["offsets"]), expected)
    # weights 100, 25, 100/9 for 11, 12, 13 fb
    assert attributes["xsec"] == pytest.approx((1100 + 300 + 1300 / 9) / (125 + 100 / 9))
    assert attributes["xsec_err"] == pytest.approx((125 + 100 / 9) ** -0.5)
    assert attributes["cuts_efficiency"] == 0.5
    assert not {"seed", "chunks"} & attributes.keys()
    assert [part["seed"] for part in json.loads(attributes["parts"])] == ["1", "2", "3"]
    again = write(tmp_path / "4.h5", seed=4)
    merge([again, tmp_path / "x.h5"], tmp_path / "y.h5")
    merge([again, *paths], tmp_path / "z.h5")
    assert (tmp_path / "y.h5").read_bytes() == (tmp_path / "z.h5").read_bytes()


def test_equal_cross_sections_stay_as_they_are(tmp_path):
    """What does not depend on the seed is no independent estimate."""
    paths = [write(tmp_path / f"{s}.h5", seed=s, xsec=3.0, xsec_err=0.1) for s in (1, 2)]
    merge(paths, tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert (file.attrs["xsec"], file.attrs["xsec_err"]) == (3.0, 0.1)


def test_parts_without_events_are_valid(tmp_path):
    empty = write(tmp_path / "e.h5", 0, 0, 0)
    full = write(tmp_path / "f.h5", 0, 1)
    for paths, expected in (([empty], empty), ([empty, empty], empty), ([empty, full], full)):
        merge(paths, tmp_path / "x.h5", force=True)
        assert (tmp_path / "x.h5").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("ranges", [((0, 2), (1, 2)), ((0, 3), (1, 1)), ((2, 1), (2, 1))])
def test_common_events_are_refused(tmp_path, ranges):
    paths = [write(tmp_path / f"{i}.h5", *chunks) for i, chunks in enumerate(ranges)]
    with pytest.raises(MergeError, match=f"both hold chunk {max(f for f, _ in ranges)} of seed 1"):
        merge(paths, tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


def test_a_sample_that_holds_another_is_refused(tmp_path):
    paths = [write(tmp_path / f"{s}.h5", seed=s) for s in (1, 2)]
    merge(paths, tmp_path / "both.h5")
    with pytest.raises(MergeError, match="both hold"):
        merge([tmp_path / "both.h5", paths[1]], tmp_path / "x.h5")


def test_a_cut_chunk_ends_a_part(tmp_path):
    """The chunk after it follows, but some events are missing between."""
    paths = write(tmp_path / "a.h5", 0, 1, 100), write(tmp_path / "b.h5", 1, 1)
    merge(paths, tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert len(json.loads(file.attrs["parts"])) == 2
        expected = np.concatenate([np.arange(100), CHUNK + np.arange(CHUNK)])
        np.testing.assert_array_equal(file["events/event_id"], expected)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"version": "2"}, 'version is "1" in one, "2"'),
        ({"process": "q"}, 'process is "p" in one, "q"'),
        ({"parameters": '{"mass": 3.0}'}, "parameters.mass is 2.0 in one, 3.0 in the other"),
        ({"card": '{"a": {"b": 1}}'}, 'card.a is null in one, {"b": 1} in the other'),
        ({"chunk_size": 4096}, "chunk_size is 8192 in one, 4096"),
        ({"unheard_of": 1}, "unheard_of is null in one, 1"),
    ],
)
def test_other_configurations_are_refused_with_the_difference(tmp_path, changed, message):
    paths = [write(tmp_path / "a.h5"), write(tmp_path / "b.h5", seed=2, **changed)]
    with pytest.raises(MergeError) as error:
        merge(paths, tmp_path / "x.h5")
    assert message in str(error.value)
    assert "a.h5' and '" in str(error.value)
    assert not (tmp_path / "x.h5").exists()


def test_other_columns_are_refused(tmp_path):
    one, two = write(tmp_path / "a.h5"), tmp_path / "b.h5"
    made = collections(0, 100, 2)
    del made["weights"]
    with SampleWriter(two) as writer:
        writer.append(made)
        writer.finish(HEADER | {"seed": "2", "chunk_size": CHUNK, "n_generated": 100})
    for paths in ([one, two], [two, one]):
        with pytest.raises(MergeError, match=r"b\.h5' has no /weights/up like that of '.*a\.h5'"):
            merge(paths, tmp_path / "x.h5")


def test_samples_without_a_seed_are_told_apart_by_their_bytes(tmp_path):
    for name, n_events in (("a", 5), ("b", 6)):
        with SampleWriter(tmp_path / f"{name}.h5") as writer:
            writer.append(collections(0, n_events, 1))
            writer.finish(HEADER | {"n_generated": n_events})
    a, b = tmp_path / "a.h5", tmp_path / "b.h5"
    assert merge([a, b], tmp_path / "x.h5") == 11
    verify(tmp_path / "x.h5")
    with pytest.raises(MergeError, match=r"a\.h5' is named twice: it holds the same events"):
        merge([a, a], tmp_path / "y.h5")
    with pytest.raises(MergeError, match=r"b\.h5' and .*x\.h5' both hold|x\.h5' and .*b\.h5' both"):
        merge([tmp_path / "x.h5", b], tmp_path / "y.h5")


def test_damaged_and_existing_files_are_refused(tmp_path):
    one, two = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", seed=2)
    with pytest.raises(OutputError, match="exists already"):
        merge([one, two], one)
    octets = bytearray(two.read_bytes())
    octets[len(octets) // 2] ^= 1
    two.write_bytes(octets)
    with pytest.raises(SampleFormatError, match=r"b\.h5' is damaged"):
        merge([one, two], tmp_path / "x.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_a_sample_is_not_replaced_by_what_it_is_merged_into(tmp_path):
    paths = [write(tmp_path / f"{first}.h5", first) for first in (0, 1)]
    (tmp_path / "link.h5").symlink_to(paths[1])
    before = [path.read_bytes() for path in paths]
    for output in (*paths, tmp_path / "link.h5"):
        with pytest.raises(OutputError, match="is a sample, or named twice"):
            merge(paths, output, force=True)
    assert [path.read_bytes() for path in paths] == before


def test_parts_of_a_real_run_become_its_very_bytes(tmp_path):
    """All columns and variations with all their attributes, a long card; the last chunk is cut."""
    run = samples.Run(
        gen.MuMuZPrime(mass=2.0),
        geometry.load("belle2"),
        seed=5,
        chunk_size=64,
        systematics=("tracking", "momentum_scale"),
    )
    samples.produce(run, tmp_path / "whole.h5", n_events=150)
    verify(tmp_path / "whole.h5")
    generator = run.prepare()
    for first, n_chunks in ((0, 1), (1, 2)):
        make = ChunkMaker(run, generator, 150, first)
        write_chunks(make, n_chunks, tmp_path / f"{first}.h5")
    merge([tmp_path / f"{first}.h5" for first in (1, 0)], tmp_path / "x.h5")
    assert (tmp_path / "x.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


# ---- contradictions ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_sample(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("long") / "x.h5", 0, 9)
    verify(path)
    return path


def resealed(path, target, damage):
    """A file that was changed by someone who wrote a new digest."""
    shutil.copy(path, target)
    with h5py.File(target, "a") as file:
        damage(file)
        old = file.attrs["sha256"]
    digest, (place,) = _digest(target, old)
    octets = bytearray(target.read_bytes())
    octets[place : place + 64] = digest.encode()
    target.write_bytes(octets)


def set_row(name, row, value):
    return lambda file: file[name].__setitem__(row, value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.attrs.modify("sum_w", 5.0), "sum_w is 5, its events add up to"),
        (lambda file: file.attrs.modify("sum_w2", 5.0), "sum_w2 is 5"),
        (lambda file: file.attrs.modify("n_generated", 3), "events stored of 3 generated"),
        (lambda file: file.attrs.modify("card", '{"a": 1}'), "card_sha256 is not"),
        (lambda file: file.attrs.modify("parameters", "{}"), "config_sha256 is not"),
        (lambda file: file["weights/up"].resize(3, axis=0), "/weights/up has 3 rows instead"),
        (lambda file: file["rows/value"].resize(3, axis=0), "/rows/value has 3 rows instead"),
        (
            lambda file: file["variations/a_up/rows/value"].resize(3, axis=0),
            "a_up/rows/value has 3 rows",
        ),
        (lambda file: file["rows/offsets"].resize(3, axis=0), "/rows/offsets has 3 rows"),
        (set_row("rows/offsets", 0, 1), "/rows/offsets do not rise from 0"),
        (set_row("clusters/offsets", 7, 10**6), "/clusters/offsets do not rise from 0"),
        (set_row("clusters/offsets", CHUNK_ROWS - 1, 10**6), "/clusters/offsets do not rise"),
        (set_row("events/event_id", 5, 4), "event_id does not rise"),
        (set_row("events/event_id", CHUNK_ROWS - 1, 10**6), "event_id does not rise"),
        (set_row("events/weight", 5, np.nan), "sum_w is"),
    ],
)
def test_contradictions_are_named(long_sample, tmp_path, damage, message):
    resealed(long_sample, tmp_path / "x.h5", damage)
    with pytest.raises(SampleFormatError, match=r"x\.h5' contradicts itself") as error:
        verify(tmp_path / "x.h5")
    assert message in str(error.value)


def test_columns_are_not_opened_to_be_verified(tmp_path, monkeypatch):
    """Only those whose values are looked at: a file with all variations has hundreds."""
    opened = []
    first = h5py.Dataset.__init__

    def note(self, *arguments, **options):
        first(self, *arguments, **options)
        opened.append(self.name)

    path = write(tmp_path / "x.h5", n_events=5)
    monkeypatch.setattr(h5py.Dataset, "__init__", note)
    verify(path)
    looked_at = {name for name in opened if not name.endswith("/offsets")}
    assert looked_at == {"/events/event_id", "/events/weight"}
