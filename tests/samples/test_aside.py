"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkbelle import samples
from darkbelle.errors import OutputError
from darkbelle.samples import export
from darkbelle.samples.efficiency.maps import EfficiencyMap
from darkbelle.samples.files.aside import aside
from tests.samples.flying import write

ROWS = EfficiencyMap({"process": np.array(["p"]), "n_events": np.array([1.0])})


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path):
    with aside(tmp_path / "x", force=False) as part:
        part.write_text("new")
        assert not (tmp_path / "x").exists()
        assert part.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    with pytest.raises(OutputError, match="exists already"), aside(tmp_path / "x", force=False):
        pass
    with aside(tmp_path / "x", force=True) as part:
        part.write_text("newer")
    assert (tmp_path / "x").read_text() == "newer"


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (OSError(28, "no"), OutputError),
        (RuntimeError("h5"), OutputError),
        (ValueError("v"), ValueError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_nothing_remains_of_a_failure(
    error: BaseException, seen: type[BaseException], tmp_path: Path
):
    (tmp_path / "x").write_text("old")

    def fail() -> None:
        with aside(tmp_path / "x", force=True) as part:
            part.write_text("half")
            raise error

    with pytest.raises(seen):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "old"


def test_the_file_and_then_its_folder_are_on_the_disk(tmp_path: Path, monkeypatch: Any):
    """Of tables and samples alike: a name in a folder that is not is lost with the power."""
    synced = []

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr("os.fsync", note)
    with aside(tmp_path / "x", force=False) as part:
        part.write_text("new")
    assert synced == [part, tmp_path]
    write(tmp_path / "s.h5", "particle-gun", {"p": 1.0}, n=5)
    assert synced[2:] == [tmp_path / "s.h5.part", tmp_path]


def test_a_file_that_came_meanwhile_stays(tmp_path: Path):

    def write_slowly() -> None:
        with aside(tmp_path / "x", force=False) as part:
            part.write_text("new")
            (tmp_path / "x").write_text("of somebody else")

    with pytest.raises(OutputError, match="exists already"):
        write_slowly()
    assert (tmp_path / "x").read_text() == "of somebody else"
    assert len(list(tmp_path.iterdir())) == 1


def test_tables_leave_other_files_alone(tmp_path: Path):
    """Such as one whose name a temporary file might have."""
    sample, _ = write(tmp_path / "s.h5", "particle-gun", {"p": 1.0}, n=5)
    for name in ("e.csv", "e.h5", "t.csv"):
        (tmp_path / f"{name}.part").write_text("mine")
    ROWS.write(tmp_path / "e.csv")
    ROWS.write(tmp_path / "e.h5")
    export(sample, tmp_path / "t.csv", format_name="csv")
    for name in ("e.csv", "e.h5", "t.csv"):
        assert (tmp_path / f"{name}.part").read_text() == "mine"
        assert (tmp_path / name).is_file()
    assert len(list(tmp_path.iterdir())) == 7
    for name in ("e.csv", "t.csv"):
        assert b"\r" not in (tmp_path / name).read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        ROWS.write(tmp_path / "e.csv", force=False)


def test_a_sample_is_not_replaced_by_its_table(tmp_path: Path):
    write(tmp_path / "s.h5", "particle-gun", {"p": 1.0}, n=5)
    before = (tmp_path / "s.h5").read_bytes()
    with (
        samples.open(tmp_path / "s.h5") as sample,
        pytest.raises(OutputError, match="is a sample, or named twice"),
    ):
        export(sample, tmp_path / "s.h5", format_name="csv", force=True)
    assert (tmp_path / "s.h5").read_bytes() == before
