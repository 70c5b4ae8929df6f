"""What is shipped, what imports what, and the links that make four folders one package."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("geometry", "gen", "detsim", "samples")  # in the order in which data pass them


def imported(source: str, package: str) -> Iterator[str]:
    """Dotted names that a module of ``package`` imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = [*parents, *([node.module] if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def forbidden(source: str, package: str) -> list[str]:
    """Imports of a later stage, or of a stage by its bare name."""
    stage = (*package.split("."), "")[1]
    later = STAGES[STAGES.index(stage) + 1 :] if stage else STAGES
    return [
        name
        for name in imported(source, package)
        if name.split(".")[0] in STAGES
        or any(f"{name}.".startswith(f"darkbelle.{other}.") for other in later)
    ]


def modules() -> Iterator[tuple[Path, str]]:
    """Every module with its package; ``python -m darkbelle`` stands above the stages."""
    for path in sorted((ROOT / "darkbelle").glob("*.py")):
        if path.name != "__main__.py":
            yield path, "darkbelle"
    for stage in STAGES:
        for path in sorted((ROOT / stage).rglob("*.py")):
            yield path, ".".join(["darkbelle", *path.parent.relative_to(ROOT).parts])


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("darkbelle", "from darkbelle.geometry import load"),
        ("darkbelle.geometry", "import darkbelle.gen"),
        ("darkbelle.gen", "from darkbelle import detsim"),
        ("darkbelle.gen.decays", "from ...detsim.helix import to_perigee"),
        ("darkbelle.detsim", "def f():\n    from darkbelle.samples import write"),
        ("darkbelle.samples", "from gen import MuMuZPrime"),
    ],
)
def test_import_rule_sees(package: str, source: str) -> None:
    assert forbidden(source, package)


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("darkbelle.gen.decays", "from ..beams import sample_beams"),
        ("darkbelle.detsim", "from darkbelle import gen, geometry, units"),
        ("darkbelle.detsim", "from darkbelle.detsim.events import gen"),
        ("darkbelle.samples", "import darkbelle.detsim.helix"),
    ],
)
def test_import_rule_allows(package: str, source: str) -> None:
    assert not forbidden(source, package)


def test_imports_go_one_way() -> None:
    seen = list(modules())
    assert {package.split(".")[-1] for _, package in seen} >= {"darkbelle", *STAGES}
    offenders = {
        str(path.relative_to(ROOT)): names
        for path, package in seen
        if (names := forbidden(path.read_text(encoding="utf-8"), package))
    }
    assert not offenders


@pytest.mark.parametrize("stage", STAGES)
def test_links_are_relative(stage: str) -> None:
    link = ROOT / "darkbelle" / stage
    assert link.is_symlink(), "a checkout without symlinks: git config core.symlinks true"
    assert link.readlink() == Path("..", stage)
    assert (link / "__init__.py").is_file()


def test_import_leaves_matplotlib_alone() -> None:
    code = (
        "import sys, darkbelle.samples.cli\n"
        "from darkbelle import detsim, gen, geometry, samples\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the sdist of a copy of the tree, without network or isolation.

    A copy, since setuptools would add to the sdist whatever an old egg-info lists.
    """
    tree = tmp_path_factory.mktemp("tree")
    caches = shutil.ignore_patterns("__pycache__")
    for name in ("darkbelle", *STAGES, "tests"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=caches)
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tree)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
def test_wheel_is_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    shipped = {name for name in names if ".dist-info/" not in name}
    folders = [(ROOT / "darkbelle").iterdir(), *((ROOT / stage).rglob("*") for stage in STAGES)]
    sources = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in folder
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    assert shipped == {
        name if name.startswith("darkbelle/") else f"darkbelle/{name}" for name in sources
    }
    assert {"darkbelle/py.typed", "darkbelle/geometry/cards/belle2.toml"} <= shipped
    assert not any("test" in name for name in shipped)
