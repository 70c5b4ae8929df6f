"""What the pages on campaigns, candidates, efficiencies, pictures ... tell works when pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import pytest

from darkbelle import geometry
from darkbelle.gen.processes import find_process
from darkbelle.samples import Campaign, Run, produce
from darkbelle.samples.campaigns.plan import Plan
from darkbelle.samples.cli import cli
from darkbelle.samples.pictures import PICTURES
from tests.samples.flying import card, write
from tests.samples.test_maps import CTAUS, MASSES, made
from tests.samples.triggered import Triggered

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = (
    *("campaigns", "candidates", "efficiencies", "export", "external-events", "fits"),
    *("pictures", "pythia", "systematics"),
)
Command = Callable[..., tuple[int, str, str]]


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Arguments of the lines that call this package, lines that are continued being one."""
    text = "\n".join(blocks(page, "sh")).replace("\\\n", "").replace("$SLURM_ARRAY_TASK_ID", "2")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["darkbelle"]]


def paste(*pieces: str) -> dict[str, Any]:
    """Run some Python, one piece after the other; what it leaves."""
    left: dict[str, Any] = {"__name__": "__main__"}
    exec("\n".join(pieces), left)
    return left


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_these_options(page: str):
    assert commands(page)
    for name, *arguments in commands(page):
        cli.commands[name].make_context(name, arguments)


# ---- campaigns -----------------------------------------------------------------------------------


def small_scan(*changes: tuple[str, str]) -> str:
    """The campaign of the page, with less in it."""
    (scan,) = blocks("campaigns", "toml")
    fewer = (("= 2000 ", "= 16 "), ("4.3, 200]", "4.3, 2]"), ("1000, 20]", "1000, 2]"), *changes)
    for much, less in fewer:
        assert much in scan
        scan = scan.replace(much, less)
    return scan


def test_the_scan_is_one(tmp_path: Path):
    (tmp_path / "scan.toml").write_text(small_scan())
    assert len(Plan.of(Campaign.read(tmp_path / "scan.toml")).points) == 10
    (scan,) = blocks("campaigns", "toml")
    (tmp_path / "scan.toml").write_text(scan)
    assert len(list(Campaign.read(tmp_path / "scan.toml").grid)) == 2


def test_the_python_of_campaigns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    fewer = (('["belle", "belle2"]', '["belle2"]'), ("{ log = [0.001, 1000, 2] }", "[1.0]"))
    (tmp_path / "scan.toml").write_text(small_scan(*fewer))
    example, on_a_cluster = blocks("campaigns", "python")
    paste(example)
    assert len(list((tmp_path / "scan/belle2").glob("*.h5"))) == 3
    compile(on_a_cluster, "campaigns.md", "exec")


@pytest.mark.validation
def test_the_commands_of_campaigns(run: Command, tmp_path: Path):
    (tmp_path / "scan.toml").write_text(small_scan())
    for arguments in commands("campaigns"):
        if "dask" not in arguments:
            status, _, err = run(*arguments)
            assert status == 0, err
    assert len(list((tmp_path / "scan").glob("*/*.h5"))) == 10


# ---- candidates ----------------------------------------------------------------------------------


def test_the_python_and_the_tables_of_candidates(run: Command, tmp_path: Path):
    """What needs pandas, where that is."""
    write(tmp_path / "b.h5", "b-to-k-scalar", {"mass": 1.0, "ctau": 1.0}, n=100)
    for arguments in commands("candidates")[1:]:
        status, _, err = run(*arguments)
        assert status == 0, err
    in_awkward, in_pandas = blocks("candidates", "python")
    columns, frame = in_awkward.split("frame = ")
    left = paste(columns)
    n_signal, n_found = (int(ak.sum(ak.num(left[name]))) for name in ("signal", "b"))
    assert 0 < n_signal < n_found
    assert len((tmp_path / "b.csv").read_text().splitlines()) == n_found + 1
    pytest.importorskip("pandas")
    left = paste(columns, f"frame = {frame}", in_pandas)
    assert len(left["frame"]) == len(left["both"]) == n_found
    assert "weight_of_event" in left["both"]


# ---- efficiencies --------------------------------------------------------------------------------


def test_the_python_of_efficiencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "s.h5", "b-to-k-scalar", {"mass": 1.0, "ctau": (0.01, 100)}, n=400)
    made(MASSES, CTAUS, stat=0.01).write("scan.csv")
    paste(*blocks("efficiencies", "python"))
    assert "(stat)" in capsys.readouterr().out
    assert (tmp_path / "scan.png").stat().st_size > 10_000


@pytest.mark.validation
def test_the_commands_of_efficiencies(run: Command, tmp_path: Path):
    for arguments in commands("efficiencies"):
        fewer = ["4000" if argument == "20000" else argument for argument in arguments]
        status, _, err = run(*fewer)
        assert status == 0, err
    assert (tmp_path / "eff.png").stat().st_size > 10_000


# ---- systematic errors ---------------------------------------------------------------------------


def test_the_python_of_systematic_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    process = find_process("mumu-zprime")(mass=2.0, isr=False, fsr=False)
    names = ("tracking", "momentum_scale")
    produce(Run(process, card(), 1, chunk_size=64, systematics=names), "zprime.h5", n_events=64)
    paste(*blocks("systematics", "python"))
    shares = dict(line.split()[::2] for line in capsys.readouterr().out.splitlines())
    assert shares.keys() == {f"{name}_{way}" for name in names for way in ("up", "down")}
    assert all(0 < float(share) < 1 for share in shares.values())


def test_the_table_of_a_card_can_be(tmp_path: Path):
    (table,) = blocks("systematics", "toml")
    (tmp_path / "mine.toml").write_text(f'extends = "belle2"\n{table}')
    assert geometry.load(tmp_path / "mine.toml").systematics["tracking"].relative == (0.02, 0.003)


@pytest.mark.validation
def test_the_commands_of_systematic_errors(run: Command):
    for arguments in commands("systematics"):
        fewer = ["500" if argument == "20000" else argument for argument in arguments]
        status, _, err = run(*fewer)
        assert status == 0, err


# ---- pictures ------------------------------------------------------------------------------------


def test_the_page_lists_all_pictures():
    text = (DOCS / "pictures.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE) == list(PICTURES)


def test_pictures_in_python(triggered: Triggered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("light.h5", "heavy.h5"):
        (tmp_path / name).symlink_to(triggered.path)
    monkeypatch.chdir(tmp_path)
    paste(*blocks("pictures", "python"))
    assert (tmp_path / "event.pdf").stat().st_size > 10_000


# ---- Pythia --------------------------------------------------------------------------------------


def test_the_process_of_the_page_on_pythia():
    process = paste(*blocks("pythia", "python"))["process"]
    assert process.settings == ("StringZ:aLund = 0.5",)
