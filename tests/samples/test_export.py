"""Samples in other formats, read by the libraries of these, are the samples."""

from __future__ import annotations

import json
import subprocess
import sys

import awkward as ak
import h5py
import numpy as np
import pytest

from darkbelle import samples
from darkbelle.detsim.helix import HelixIndex
from darkbelle.errors import ConfigError, MissingDependencyError
from darkbelle.gen.processes import find_process, process_names
from darkbelle.samples.candidates import KINDS
from darkbelle.samples.exporting import FORMATS, export, from_edm4hep
from darkbelle.samples.exporting.parquet import write_parquet
from darkbelle.samples.exporting.root import write_root
from darkbelle.samples.exporting.tables import Block, Content
from darkbelle.samples.files.reconstructed import truth_events
from darkbelle.samples.production import Run
from tests import hepmc_text
from tests.hepmc_truth import check_event
from tests.pilot import short_pilot
from tests.samples.flying import card, write
from tests.samples.test_contract import PARAMETERS
from tests.samples.test_pages import blocks, commands, paste

parquet = pytest.importorskip("pyarrow.parquet")
uproot = pytest.importorskip("uproot")

COLLECTIONS = ("particles", "tracks", "vertices", "clusters", "klm_clusters")


def produce(path, name, n_events, chunk_size=64):
    """On the card with fewer lines of the trigger."""
    process, systematics = find_process(name)(**PARAMETERS[name]), ("tracking", "momentum_scale")
    run = Run(process, card("belle"), 5, chunk_size=chunk_size, systematics=systematics)
    with short_pilot():
        samples.produce(run, path, n_events=n_events)
    return samples.open(path)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """With observables in matrices, weights and shifts."""
    return produce(tmp_path_factory.mktemp("samples") / "x.h5", "mumu-zprime", 60)


@pytest.fixture(scope="module")
def whole(sample, tmp_path_factory):
    """The whole of it in each format, in blocks that cut the events."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("darkbelle.samples.files.reconstructed.BLOCK", 25)
        for form in READERS:
            export(sample, folder / f"x:1.{form}", format_name=form)
    assert len(list(folder.iterdir())) == len(READERS)
    return {form: folder / f"x:1.{form}" for form in READERS}


def flat(dataset):
    """Columns of a dataset, named as it says."""
    values, name = dataset[:], dataset.name.rpartition("/")[2]
    if values.ndim == 1:
        return {name: values}
    told = dataset.attrs.get("names", "")
    labels = told.split(", ") if told else range(values.shape[1])
    if name == "helix":
        labels = [index.name.lower() for index in HelixIndex]
    return {f"{name}_{label}": values[:, i] for i, label in enumerate(labels)}


def stored(sample):
    """All that the file holds, by the names of branches, ragged where events own many rows."""
    columns = {}
    with h5py.File(sample.path) as file:
        for table in ("events", "trigger", "weights", *COLLECTIONS):
            for name, dataset in file.get(table, {}).items():
                for column, values in flat(dataset).items() if name != "offsets" else ():
                    if "offsets" in file[table]:
                        counts = np.diff(file[table]["offsets"][:])
                        columns[f"{table}_{column}"] = ak.unflatten(values, counts)
                    else:
                        columns[column if table == "events" else f"{table}_{column}"] = values
    return columns


def check_same(found, expected):
    """The same columns, counts, values and widths."""
    assert set(found) == set(expected)
    for name, values in expected.items():
        own, told = ak.Array(found[name]), ak.Array(values)
        if told.ndim == 2:
            assert ak.num(own).tolist() == ak.num(told).tolist(), name
            own, told = ak.flatten(own), ak.flatten(told)
        assert own.type == told.type, name
        np.testing.assert_array_equal(own, told, err_msg=name)


def from_root(path, tree="events"):
    """Branches but the counters of others, which must count."""
    with path.open("rb") as source, uproot.open(source) as file:
        found = {name: branch.array() for name, branch in file[tree].items()}
    for table in COLLECTIONS:
        if (counter := found.pop(f"n{table}", None)) is not None:
            own = next(values for name, values in found.items() if name.startswith(f"{table}_"))
            assert ak.num(own).tolist() == counter.tolist()
    return found


def from_parquet(path):
    table = parquet.read_table(path)
    return {name: ak.from_arrow(table[name].combine_chunks()) for name in table.column_names}


READERS = {"root": from_root, "parquet": from_parquet}


@pytest.mark.parametrize("form", READERS)
def test_whole_samples_come_back(sample, whole, form):
    """With the trigger bit by bit and the factors of the weights."""
    expected = stored(sample)
    assert {"weights_tracking_up", "trigger_l1_icn4", "tracks_helix_d0"} <= set(expected)
    found = READERS[form](whole[form])
    check_same(found, expected)


def test_units_and_the_header_go_along(sample, whole):
    with whole["root"].open("rb") as source, uproot.open(source) as file:
        header, told = json.loads(str(file["header"])), json.loads(str(file["columns"]))
        counters = {f"n{table}" for table in COLLECTIONS}
        assert set(told) == {branch.name for branch in file["events"].branches} - counters
    schema = parquet.read_schema(whole["parquet"])
    assert json.loads(schema.metadata[b"darkbelle"]) == header
    assert header["process"] == "mumu-zprime"
    assert header["parameters"] == sample.parameters
    assert header["xsec"] == sample.cross_section.value
    assert header["sum_w"] == sample.attributes["sum_w"]
    for name in schema.names:
        own = {k.decode(): v.decode() for k, v in schema.field(name).metadata.items()}
        assert own == told[name]
    assert told["tracks_helix_omega"]["unit"] == "1/cm"
    assert told["particles_decay_t"]["unit"] == "ns"
    assert "4 beam" in told["particles_status"]["description"]


@pytest.mark.parametrize("form", READERS)
def test_tables_are_flat(sample, form, tmp_path):
    export(sample, tmp_path / "x", format_name=form, table="tracks")
    found = from_root(tmp_path / "x", "tracks") if form == "root" else from_parquet(tmp_path / "x")
    expected = stored(sample)
    tracks = {name: v for name, v in expected.items() if name.startswith("tracks_")}
    counts = ak.num(tracks["tracks_charge"])
    flat_tracks = {name.removeprefix("tracks_"): ak.flatten(v) for name, v in tracks.items()}
    identity = {
        "event_id": np.repeat(expected["event_id"], counts),
        "weight": np.repeat(expected["weight"], counts),
        "index": ak.flatten(ak.local_index(tracks["tracks_charge"])),
    }
    check_same(found, identity | flat_tracks)


def test_candidates_are_rows(sample, tmp_path):
    for form in FORMATS.keys() - {"hepmc3"}:
        export(sample, tmp_path / f"x.{form}", format_name=form, table="dimuons")
    root, arrow = from_root(tmp_path / "x.root", "dimuons"), from_parquet(tmp_path / "x.parquet")
    assert set(root) == {"event_id", "weight", *KINDS["dimuons"].columns}
    check_same(arrow, root)
    assert (tmp_path / "x.csv").read_text().count("\n") == len(root["mass"]) + 1 > 60


def test_words_stay_words(tmp_path):
    words = np.array(["k_plus", "k_short", "k_plus"])
    for form, write_to in {"root": write_root, "parquet": write_parquet}.items():
        blocks = iter([Block({"kind": words[:n]}) for n in (0, 2, 3)])
        content = Content("b", {"process": "x"}, {"kind": ("1", "which")}, blocks)
        write_to(tmp_path / "x", content)
        found = from_root(tmp_path / "x", "b") if form == "root" else from_parquet(tmp_path / "x")
        assert found["kind"].tolist() == ["k_plus", "k_short", "k_plus", "k_short", "k_plus"]


@pytest.mark.parametrize("table", ["particles", "tracks", "vertices"])
def test_by_the_names_of_edm4hep(sample, table, tmp_path):
    """Converted back, it is the sample; the units that are told are those of EDM4hep."""
    export(sample, tmp_path / "x", format_name="parquet", table=table, edm4hep=True)
    found = from_parquet(tmp_path / "x")
    expected = stored(sample)
    assert found.pop("eventNumber")[-1] == expected["event_id"][-1]
    del found["weight"], found["index"]
    back = from_edm4hep(table, {name: values.to_numpy() for name, values in found.items()})
    ours = {
        n.removeprefix(f"{table}_"): v for n, v in expected.items() if n.startswith(f"{table}_")
    }
    assert set(back) == set(ours)
    for name, values in back.items():
        np.testing.assert_allclose(values, ak.flatten(ours[name]), rtol=4e-7, err_msg=name)
    schema = parquet.read_schema(tmp_path / "x")
    units = {name: schema.field(name).metadata[b"unit"] for name in schema.names}
    if table == "tracks":
        np.testing.assert_allclose(found["D0"], -10 * ak.flatten(ours["helix_d0"]), rtol=2e-7)
        assert (units["D0"], units["covMatrix_2"], units["phi"]) == (b"mm", b"rad^2", b"rad")
    if table == "particles":
        np.testing.assert_allclose(found["vertex_x"], 10 * ak.flatten(ours["x"]), rtol=1e-15)
        assert (units["vertex_x"], units["decay_t"], units["PDG"]) == (b"mm", b"ns", b"1")


def test_variations_go_out_alike(sample, tmp_path):
    varied = sample.varied("momentum_scale_up")
    export(varied, tmp_path / "x", format_name="parquet", table="tracks")
    omega = from_parquet(tmp_path / "x")["helix_omega"]
    np.testing.assert_array_equal(omega, ak.flatten(varied.tracks.omega))
    assert np.any(omega != ak.flatten(sample.tracks.omega))
    metadata = parquet.read_schema(tmp_path / "x").metadata
    assert json.loads(metadata[b"darkbelle"])["variation"] == "momentum_scale_up"


def check_hepmc(sample, path):
    """Every particle of the generator, weight and vertex, read by the parser of the tests."""
    export(sample, path, format_name="hepmc3")
    found = hepmc_text.read(path)
    truth = truth_events(sample, slice(0, len(sample)))
    factors = stored(sample)
    names = ["nominal", *sorted(n.removeprefix("weights_") for n in factors if "weights_" in n)]
    assert found.weight_names == names
    ((tool, version, description),) = found.tools
    assert (tool, version) == ("darkbelle", sample.attributes["version"])
    process, _, parameters = description.partition(" ")
    assert process == sample.attributes["process"]
    assert json.loads(parameters) == sample.parameters
    assert len(found.events) == len(sample)
    assert [event.number for event in found.events] == sample.column("events", "event_id").tolist()
    for i, event in enumerate(found.events):
        check_event(event, truth.take(np.array([i])))
        weight = truth.weight[i]
        assert event.weights == [
            weight,
            *(weight * factors[f"weights_{name}"][i] for name in names[1:]),
        ]


def test_hepmc_holds_what_the_generator_made(sample, tmp_path, monkeypatch):
    monkeypatch.setattr("darkbelle.samples.files.reconstructed.BLOCK", 25)
    check_hepmc(sample, tmp_path / "x.hepmc3")


@pytest.mark.validation
@pytest.mark.parametrize("name", process_names())
def test_every_process_goes_out(name, tmp_path):
    sample = produce(tmp_path / "x.h5", name, 60)
    check_hepmc(sample, tmp_path / "x.hepmc3")
    for form, read in READERS.items():
        export(sample, tmp_path / f"x.{form}", format_name=form)
        found = read(tmp_path / f"x.{form}")
        check_same(found, stored(sample))


def test_a_sample_without_events(tmp_path):
    """Has the columns of others."""
    sample, _ = write(tmp_path / "x.h5", "particle-gun", {"p": 1.0}, n=0, experiment="belle")
    for form, read in READERS.items():
        export(sample, tmp_path / form, format_name=form)
        found = read(tmp_path / form)
        assert set(found) == set(stored(sample))
        assert {len(values) for values in found.values()} == {0}
        export(sample, tmp_path / "x", format_name=form, table="dimuons", force=True)
    assert parquet.read_table(tmp_path / "x").num_rows == 0
    check_hepmc(sample, tmp_path / "x.hepmc3")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format_name": "hepmc3", "table": "tracks"}, "give no table, names or variation"),
        ({"format_name": "hepmc3", "edm4hep": True}, "give no table, names or variation"),
        ({"format_name": "root", "table": "dimuons", "edm4hep": True}, "no names for candidates"),
        ({"format_name": "parquet", "table": "track"}, "did you mean 'tracks'"),
    ],
)
def test_what_does_not_go_together_is_told(sample, options, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        export(sample, tmp_path / "x", **options)
    assert not list(tmp_path.iterdir())


def test_hepmc_is_of_the_nominal_sample(sample, tmp_path):
    """Whose weights it has by their names, those of the variations among them."""
    with pytest.raises(ConfigError, match="give no table, names or variation"):
        export(sample.varied("momentum_scale_up"), tmp_path / "x", format_name="hepmc3")


@pytest.mark.parametrize(
    ("form", "library", "extra"),
    [("root", "uproot", "root"), ("parquet", "pyarrow", "parquet"), ("hepmc3", "pyhepmc", "hepmc")],
)
def test_a_missing_library_is_told(sample, form, library, extra, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        MissingDependencyError, match=rf"{library} is missing.*darkbelle\[{extra}\]"
    ):
        export(sample, tmp_path / "x", format_name=form)
    assert not list(tmp_path.iterdir())


def test_the_command_has_all_formats(run, sample, tmp_path):
    for form in FORMATS:
        table = () if form == "hepmc3" else ("--table", "vertices")
        status, out, err = run("export", str(sample.path), "--to", form, *table, "-o", f"x.{form}")
        assert (status, out) == (0, f"x.{form}\n"), err
    arguments = ("--to", "parquet", "--table", "tracks", "--names", "edm4hep", "-o", "t.parquet")
    assert run("export", str(sample.path), *arguments)[0] == 0
    assert "D0" in parquet.read_schema(tmp_path / "t.parquet").names
    status, _, err = run("export", str(sample.path), "--to", "root", "--names", "lcio", "-o", "y")
    assert status == 2
    assert "lcio" in err


ALONE = """
import sys
sys.modules["darkbelle"] = None  # as where it is not installed
import h5py, numpy

def check(name, entry):
    if isinstance(entry, h5py.Dataset):
        assert entry.dtype.kind in "biuf", (name, entry.dtype)
        assert entry.compression in (None, "gzip"), name
        assert entry.attrs["unit"] and entry.attrs["description"], name
        values = entry[()]
        assert len(values) == entry.shape[0]
        group = entry.parent
        if "offsets" in group and entry.name != group["offsets"].name:
            assert len(values) == group["offsets"][-1], name
        print(name, *entry.shape)

with h5py.File(sys.argv[1]) as file:
    file.visititems(check)
    lines = file["trigger/l1"].attrs["names"].split(", ")
    assert len(lines) == file["trigger/l1"].shape[1]
"""


def test_h5py_alone_reads_everything(sample):
    """Plain numbers, in chunks that every HDF5 library inflates."""
    command = [sys.executable, "-c", ALONE, str(sample.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    read = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    for table in ("events", "trigger", "weights", *COLLECTIONS):
        assert f"{table}/" in "".join(read), table
    assert read["tracks/cov"].endswith(" 15")
    assert any(name.startswith("variations/momentum_scale_up/tracks/") for name in read)


# ---- docs/export.md ------------------------------------------------------------------------------


def test_the_page_works_when_pasted(run, sample, tmp_path):
    """Its commands on fewer events, and all of its Python."""
    (tmp_path / "z.h5").write_bytes(sample.path.read_bytes())
    produce_first, *exports = commands("export")
    assert produce_first[0] == "produce"
    for arguments in exports:
        status, _, err = run(*arguments)
        assert status == 0, err
    left = {}
    for piece in blocks("export", "python"):
        left |= paste(piece)
    assert len(left["events"]) == len(sample)
    assert len(left["fast"]) == np.count_nonzero(sample.trigger.physics)
    assert len(left["masses"]) == len(sample)
    assert set(left["masses"]) == {2.0}
    np.testing.assert_array_equal(left["tracks"]["charge"], ak.flatten(sample.tracks.charge))
