"""The scan of the README works when pasted, and with `make validate` each line as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_readme import README, ROOT, blocks, run, shell_lines


def test_the_scan_runs(tmp_path):
    (scan,) = blocks(README, "toml")
    for much, less in (("events = 2000", "events = 300"), ("[0.5, 4.0, 8]", "[0.5, 1.0, 2]")):
        assert much in scan
        scan = scan.replace(much, less)
    (tmp_path / "scan.toml").write_text(scan)
    commands = shell_lines(about_scans=True)
    assert len(commands) >= 4
    for arguments in commands:
        run(arguments, tmp_path)
    assert (tmp_path / "eff.png").stat().st_size > 10_000


@pytest.mark.validation
def test_every_line_runs_as_it_stands(tmp_path):
    (scan,) = blocks(README, "toml")
    (tmp_path / "scan.toml").write_text(scan)
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # commands stand in a clone
    pasted = [block for block in blocks(README, "sh") if block.startswith("darkbelle")]
    assert len(pasted) >= 2
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "-e", "-c", "".join(pasted)]
    done = subprocess.run(
        shell,
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
