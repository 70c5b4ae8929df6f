"""Everything in the README works when pasted."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from darkbelle.samples.cli import main
from tests.chunks import small_chunks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FORMAT = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    (folder / "tests").symlink_to(ROOT / "tests")  # commands stand in a clone
    return folder


def shell_lines(about_scans: bool) -> list[list[str]]:
    """Arguments of the commands, those about ``scan`` or the others."""
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("darkbelle")]
    return [words[1:] for words in commands if ("scan" in " ".join(words)) == about_scans]


def run(arguments: list[str], folder: Path) -> None:
    """A command with fewer events, in this process alone: others would mostly import."""
    fewer = ["500" if argument == "20000" else argument for argument in arguments]
    if "--workers" in fewer:
        fewer[fewer.index("--workers") + 1] = "1"
    with pytest.MonkeyPatch.context() as patch, small_chunks(512):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["darkbelle", *fewer])
        main()


@pytest.fixture(scope="module")
def shell_lines_run(folder):
    """The folder in which those that are about no scan ran."""
    commands = shell_lines(about_scans=False)
    assert len(commands) >= 4
    for arguments in commands:
        run(arguments, folder)
    return folder


def test_the_shell_lines_run(shell_lines_run):
    for picture in ("observables", "tracks", "resolutions", "trigger"):
        assert (shell_lines_run / "plots" / f"{picture}.png").stat().st_size > 10_000


def test_the_python_example_runs(folder):
    (example,) = blocks(README, "python")
    assert "n_events=10_000" in example
    fewer = [sys.executable, "-c", example.replace("n_events=10_000", "n_events=1000")]
    done = subprocess.run(fewer, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "..." in done.stdout


def test_a_sample_is_read_without_this_package(shell_lines_run):
    (example,) = blocks(FORMAT, "python")
    command = [sys.executable, "-c", example]
    done = subprocess.run(command, cwd=shell_lines_run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_set_up_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("sample", "test"):
        assert f"make {target} " in README
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_every_process_has_its_row():
    from darkbelle.gen.processes import process_names

    for name in process_names():
        assert f"| `{name}` |" in README


@pytest.mark.parametrize(
    "page",
    ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))],
)
def test_links_inside_the_repository_lead_somewhere(page):
    path = ROOT / page
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8"))
    for target in targets:
        assert (path.parent / target).exists(), target
