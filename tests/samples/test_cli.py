"""The command line as a user meets it, in its own process where status and traceback count."""

from __future__ import annotations

import re
import subprocess
import sys

import awkward as ak
import numpy as np
import pytest

from darkbelle import geometry, samples
from darkbelle.gen.processes import find_process, process_names
from darkbelle.samples.files.hdf5 import digest_of


def darkbelle(*arguments: str, cwd=None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "darkbelle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


PRODUCE = ("produce", "mumu-zprime", "-p", "mass=2.0", "-n", "50", "--seed", "1", "-o", "x.h5")


def test_a_sample_is_produced_and_told(run, tmp_path):
    assert darkbelle(*PRODUCE, cwd=tmp_path).returncode == 0
    status, told, _ = run("info", "x.h5")
    assert status == 0
    assert "50 events" in told
    assert "mumu-zprime" in told
    assert samples.open(tmp_path / "x.h5").attributes["seed"] == "1"


def test_a_seed_is_drawn_told_and_stored(run, tmp_path):
    status, out, _ = run("produce", "mumu-zprime", "-p", "mass=2", "-n", "5", "-o", "x.h5")
    assert status == 0
    told = out.split("seed ")[1].split()[0]
    assert samples.open(tmp_path / "x.h5").attributes["seed"] == told


def test_the_background_in_the_calorimeter_is_chosen(run, tmp_path):
    """Low background: 0.1 GeV in the barrel to 3.27 %, high: 7.72 %; the card in the file tells."""
    gun = ("produce", "particle-gun", "-p", "pdg_id=22", "-p", "p=0.1", "-p", "theta=1.5")
    for level, percent in (("low", 3.27), ("high", 7.72)):
        setting = f"calorimeter.background={level}"
        status, _, _ = run(*gun, "-n", "200", "--seed", "1", "-o", f"{level}.h5", "--set", setting)
        assert status == 0
        sample = samples.open(tmp_path / f"{level}.h5")
        assert sample.experiment.calorimeter.background == level
        clusters = ak.flatten(sample.clusters[sample.clusters.truth_index == 0])
        relative = np.median(clusters.sigma_energy / clusters.energy)
        assert 100 * relative == pytest.approx(percent, rel=0.04)


def test_a_gun_takes_ranges(run, tmp_path):
    status, _, err = run(
        *("produce", "particle-gun", "-p", "pdg_id=-211", "-p", "p=0.5,2", "-p", "theta=1.57"),
        *("-n", "20", "-o", "gun.h5"),
    )
    assert status == 0, err
    sample = samples.open(tmp_path / "gun.h5")
    assert sample.process.p == (0.5, 2.0)
    assert sample.cross_section is None


def test_processes_are_listed_and_described(run):
    assert "mumu-zprime" in run("processes")[1]
    described = run("processes", "mumu-zprime")[1]
    for word in ("mass", ">= 0.0001 GeV", "recoil_mass", "arXiv:2212.03066"):
        assert word in described


def test_every_process_is_listed_and_described(run):
    listed = run("processes")[1]
    for name in process_names():
        assert f"{name} " in listed
        status, described, err = run("processes", name)
        assert status == 0, err
        assert all(len(line.rstrip()) == len(line) < 120 for line in described.splitlines())
        assert not re.search("None|True|False|'[a-z]+'|[0-9]{8}", described)
        assert ("cuts.n_charged" in described) == (name not in ("particle-gun", "pythia"))
        assert ("observables" in described) == bool(find_process(name).observables)


def test_choices_and_defaults_are_told_as_they_are_given(run):
    lines = run("processes", "inelastic-dark-matter")[1].splitlines()
    words = [line.split() for line in lines]
    assert next(w for w in words if "ctau" in w)[:6] == ["ctau", "the", "model's", ">=", "0", "cm"]
    assert "reach none > 0 cm" in " ".join(next(w for w in words if "reach" in w))
    assert "isr = true initial-state radiation" in [" ".join(w) for w in words]
    i = next(i for i, w in enumerate(words) if w[:1] == ["decay_hp"])
    choices = " ".join([*words[i], *words[i + 1]])
    assert all(choice in choices for choice in ("mumu", "pi0pi0", "KK", "K0K0", "any"))


def test_parameters_are_told_in_the_order_of_the_description(run):
    gun = ("-p", "p=0.123456789", "-p", "vertex=[[-1,1],0,2]", "-n", "3", "-o", "gun.h5")
    for arguments in (PRODUCE, ("produce", "particle-gun", *gun)):
        status, _, err = run(*arguments)
        assert status == 0, err
        told = run("info", arguments[-1])[1].splitlines()
        names = [line.split()[0] for line in told if line.startswith("    ")]
        described = run("processes", arguments[1])[1].split("parameters\n")[1].splitlines()
        order = [line.split()[0] for line in described if re.match("  [a-z]", line)]
        places = [order.index(name) for name in names if name in order]
        assert len(places) > 3
        assert places == sorted(places)
    assert "    p            0.123457,0.123457" in told
    assert "    vertex       [[-1,1],[0,0],[2,2]]" in told


def test_a_sample_with_weights_and_cuts_is_told(run, tmp_path):
    """Shares that steps of the generation keep, cuts by their names, events of one weight."""
    status, _, err = run(
        *("produce", "mumu-scalar", "-p", "mass=0.5", "-p", "coupling=1e-7", "-p", "reach=20"),
        *("-p", "cuts.n_charged=2", "-p", "cuts.theta=0.3,2.6", "-n", "100", "-o", "x.h5"),
    )
    assert status == 0, err
    told = run("info", "x.h5")[1].splitlines()
    sample = samples.open(tmp_path / "x.h5")
    assert sample.efficiencies.keys() == {"unweighting", "cuts"}
    for name, share in sample.efficiencies.items():
        (line,) = (line for line in told if line.startswith(f"  {name} "))
        assert float(line.split()[2]) == pytest.approx(100 * share, abs=0.5)
    weight = sample.column("events", "weight")
    effective = weight.sum() ** 2 / np.sum(weight**2)
    assert effective < 99
    (line,) = (line for line in told if "of one weight" in line)
    assert float(line.split()[3]) == pytest.approx(effective, rel=1e-6)
    settings = [line.split() for line in told if line.startswith("    cuts.")]
    assert ["cuts.n_charged", "2"] in settings
    assert ["cuts.theta", "0.3,2.6"] in settings
    (line,) = (line for line in told if "equivalent to" in line)
    lumi = sample.attributes["n_generated"] / sample.cross_section.value
    assert float(line.split()[2]) == pytest.approx(lumi, rel=1e-3)


def test_events_of_one_weight_are_not_counted_twice(run):
    assert run(*PRODUCE)[0] == 0
    assert "of one weight" not in run("info", "x.h5")[1]


def test_experiments_are_listed_and_printed_with_sources(run):
    assert "belle2" in run("experiments")[1]
    printed = run("experiments", "belle2", "--set", "collider.beam_spread=false")[1]
    for word in ("beam_spread = false", "arXiv:1011.0352", "trust = ", "[silicon.svd6]", "slanted"):
        assert word in printed


@pytest.mark.parametrize("name", geometry.names())
def test_a_printed_card_is_a_card(run, tmp_path, name):
    """The same in every value, and in the order of lines, which is that of columns in a file."""
    (tmp_path / "mine.toml").write_text(run("experiments", name)[1])
    assert geometry.load("mine.toml").model_dump_json() == geometry.load(name).model_dump_json()


def test_a_printed_menu_has_a_row_for_each_line(run):
    """However long it is, without what it does not ask for."""
    printed, menus = run("experiments", "belle2")[1], geometry.load("belle2").trigger
    for level, menu in (("l1", menus.l1), ("hlt", menus.hlt)):
        table = printed.split(f"[trigger.{level}.lines]\n")[1].split("\n\n")[0]
        assert [row.split(" = ")[0] for row in table.splitlines()] == list(menu.line_names)
        assert "[]" not in table
        assert "efficiency = 1.0" not in table


def test_a_card_with_empty_tables_and_odd_names_is_printed(run, tmp_path):
    """No counts but those of any_of, no pairs, no lines that run, names that need quotes."""
    changes = """
        extends = "belle2"
        remove = ["trigger.l1.prescales.ratios", "trigger.l1.prescales.variation"]
        [trigger.l1.prescales]
        ratios = {}
        trust = "default"
        source = 'by "hand", \\ and with a tab\t'
        [trigger.l1.lines]
        mine = { any_of = [{ short = 1 }, { full = [0, 2] }], source = "own", trust = "default" }
        [passive."end. plate"]
        source = "own"
        trust = "default"
        r_min_cm = 120.0
        r_max_cm = 121.0
        z_min_cm = -100.0
        z_max_cm = 100.0
        thickness_x0 = 0.01
        thickness_lambda = 1e-22
        mip_loss_mev = 0
    """
    (tmp_path / "odd.toml").write_text(changes)
    status, printed, err = run("experiments", "odd.toml")
    assert status == 0, err
    assert '[passive."end. plate"]' in printed
    (tmp_path / "again.toml").write_text(printed)
    again, odd = geometry.load("again.toml"), geometry.load("odd.toml")
    assert again.model_dump_json() == odd.model_dump_json()
    assert again.trigger.l1.lines["mine"].any_of == ({"short": 1}, {"full": (0, 2)})
    assert set(again.trigger.l1.ratios) == {0}


def with_changes(*changes: str) -> list[str]:
    """The PRODUCE line with more options."""
    return [*PRODUCE, *changes]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["produce", "mumu-zprme", "-n", "5", "-o", "x.h5"], "did you mean 'mumu-zprime'?"),
        (["produce", "mumu-zprime", "-n", "5", "-o", "x.h5"], "mass: Field required"),
        (
            ["produce", "mumu-zprime", "-p", "mass=10.4", "-n", "5", "-o", "x.h5"],
            "choose mass < 10.368 GeV",
        ),
        (["produce", "mumu-zprime", "-p", "mass=-1", "-n", "5", "-o", "x.h5"], "equal to 0.0001"),
        (["produce", "mumu-zprime", "-p", "mass=nan", "-n", "5", "-o", "x.h5"], "finite number"),
        (["produce", "mumu-zprime", "-p", "mass=two", "-n", "5", "-o", "x.h5"], "valid number"),
        (["produce", "mumu-zprime", "-p", "mass", "-n", "5", "-o", "x.h5"], "must read key=value"),
        (with_changes("-p", "mass=3"), "given twice"),
        (with_changes("-p", "masss=3"), "did you mean 'mass'?"),
        (with_changes("-p", "decay=mumumu"), "'invisible'"),
        (with_changes("-p", "m_chi=1.5"), "m_chi = 1.5 GeV exceeds half of mass"),
        (with_changes("--experiment", "bell2"), "did you mean 'belle2'?"),
        (with_changes("--experiment", "none.toml"), "cannot be read"),
        (with_changes("--experiment", "circle.toml"), "circular extends"),
        (with_changes("--experiment", "broken.toml"), "no valid TOML"),
        (with_changes("--set", "solenoid.feild_t=1"), "did you mean 'field_t'?"),
        (with_changes("--set", "silicon.svd3.radius_cm=1.1"), "overlaps"),
        (with_changes("--set", "drift_chamber.hit_efficiency=1.5"), "less than or equal to 1"),
        (with_changes("--set", "nonsense"), "must read key=value"),
        (with_changes("--workers", "0"), "not in the range"),
        (with_changes("--seed", "-1"), "not in the range"),
        (with_changes("--lumi", "1"), "either a number of events or a luminosity"),
        (with_changes("-o", "nowhere/x.h5"), "there is no folder"),
        (with_changes("-o", "folder"), "is a folder"),
        (with_changes("-o", "precious.h5"), "exists already"),
        (["info", "missing.h5"], "there is no file"),
        (["info", "broken.toml"], "no HDF5 file"),
        (["plot", "missing.h5", "-o", "plots"], "there is no file"),
        (["processes", "zprime"], "unknown process 'zprime'"),
        (["experiments", "babar"], "unknown experiment 'babar'"),
        (["produce"], "Missing argument"),
        (["prodcue"], "No such command"),
    ],
)
def test_bad_input_gives_one_clear_message(run, tmp_path, arguments, message):
    (tmp_path / "circle.toml").write_text('extends = "circle.toml"\n')
    (tmp_path / "broken.toml").write_text("[collider\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "precious.h5").write_text("precious")
    status, out, err = run(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if "Error" in line]) == 1
    assert out == ""
    assert (tmp_path / "precious.h5").read_text() == "precious"
    assert not list(tmp_path.rglob("x.h5*"))


def test_bad_input_from_a_shell_has_no_traceback(tmp_path):
    done = darkbelle(
        "produce", "mumu-zprime", "-p", "mass=11", "-n", "5", "-o", "x.h5", cwd=tmp_path
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help_starts_without_the_heavy_packages():
    heavy = ["numpy", "h5py", "awkward", "scipy", "matplotlib", "pydantic"]
    code = (
        "import sys, darkbelle.samples.cli; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['pydantic']")


@pytest.mark.parametrize(
    "command", ["produce", "info", "plot", "merge", "export", "processes", "experiments"]
)
def test_every_command_helps_with_an_example(run, command):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert f"Example:\n    darkbelle {command}" in out


def test_samples_are_verified_and_merged(run, tmp_path):
    for seed in "12":
        arguments = ("produce", "mumu-zprime", "-p", "mass=2", "-n", "20", "--seed", seed)
        assert run(*arguments, "-o", f"{seed}.h5")[0] == 0
    status, out, _ = run("info", "--verify", "1.h5", "2.h5")
    assert status == 0
    assert out.splitlines()[0] == f"1.h5: good, sha256 {digest_of('1.h5')}"
    status, out, err = run("merge", "1.h5", "2.h5", "-o", "x.h5")
    assert (status, out) == (0, "x.h5: 40 events of 2 samples\n"), err
    assert "40 events" in run("info", "x.h5")[1]
    octets = bytearray((tmp_path / "1.h5").read_bytes())
    octets[-1] ^= 1
    (tmp_path / "1.h5").write_bytes(octets)
    status, out, err = run("info", "--verify", "1.h5", "nowhere.h5", "2.h5")
    assert status == 2
    assert [line.split(":")[0] for line in out.splitlines()] == ["2.h5"]
    assert [line.split("'")[1] for line in err.splitlines()] == ["1.h5", "nowhere.h5"]
    status, _, err = run("merge", "2.h5", "2.h5", "-o", "y.h5")
    assert status == 2
    assert "'2.h5' is named twice: it holds chunk 0 of seed 2" in err
    assert not (tmp_path / "y.h5").exists()


def test_tables_are_exported(run, tmp_path):
    assert run(*PRODUCE)[0] == 0
    status, out, err = run("export", "x.h5", "--to", "csv", "-o", "events.csv")
    assert (status, out) == (0, "events.csv\n"), err
    assert (tmp_path / "events.csv").read_text().count("\n") == 51
    arguments = ("export", "x.h5", "--to", "csv", "--table", "dimuons", "-o", "dimuons.csv")
    assert run(*arguments)[0] == 0
    names = (tmp_path / "dimuons.csv").read_text().partition("\n")[0].split(",")
    assert names[:2] == ["event_id", "weight"]
    assert {"mass", "is_signal"} < set(names)
    status, _, err = run("export", "x.h5", "--to", "text", "-o", "y")
    assert status == 2
    assert "unknown format 'text'" in err
    assert "known: csv, hepmc3, parquet, root" in err


def test_help_of_export_names_what_there_is(run):
    from darkbelle.samples.candidates import KINDS
    from darkbelle.samples.exporting import FORMATS

    out = " ".join(run("export", "--help")[1].split())
    for name in (*KINDS, *FORMATS):
        assert name in out


def test_campaigns_are_verified_and_merged(run, tmp_path):
    (tmp_path / "gun.toml").write_text(
        'process = "particle-gun"\nexperiments = ["belle2"]\nevents = 10\nseed = 1\n'
        "[grid]\np = [0.5, 1.0]\n"
    )
    for i in (1, 2):
        assert run("produce", "gun.toml", "-o", f"s{i}", "--shard", f"{i}/2")[0] == 0
    lacks = "lacks 1 of 2 parts: 'darkbelle produce' of the campaign makes the rest\n"
    told = run("merge", "s1", "-o", "all")
    assert told == (0, "all: 1 part of 1 folder\n", f"Warning: 'all' {lacks}")
    for folder in ("s1", "s1/belle2"):
        table = ("efficiency", folder, "--selection", "n_tracks > 0", "-o", "e.csv", "--force")
        assert run(*table) == (0, "e.csv: 1 row\n", f"Warning: '{folder}' {lacks}")
    assert run("merge", "s1", "s2", "-o", "all") == (0, "all: 2 parts of 2 folders\n", "")
    assert run("efficiency", "all", *table[2:]) == (0, "e.csv: 2 rows\n", "")
    assert "is a file, a campaign needs a folder" in run("merge", "s1", "-o", "gun.toml")[2]
    for command in (("info", "all"), ("plot", "all", "-o", "plots")):
        assert "'all' is a folder: name a sample in it" in run(*command)[2]
    assert run("info", "--verify", "all")[:2] == (0, "all: 2 of 2 parts good\n")
    assert run("info", "--verify", "s1")[1] == "s1: 1 of 1 part good, 1 not made\n"
    (tmp_path / "all/belle2/0001.h5").unlink()
    status, out, err = run("info", "--verify", "all", "s2")
    assert status == 2
    assert err == "Error: there is no file 'all/belle2/0001.h5'\n"
    assert "all: 1 of 2 parts good" in out
    assert "s2: 1 of 1 part good" in out
    assert run("merge", "s1", "all/belle2/0000.h5", "-o", "y")[0] == 2
