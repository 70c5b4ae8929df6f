"""The page on processes runs as it stands, and another package adds one as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.gen.processes import find_process
from darkbelle.samples.cli import main
from tests.chunks import small_chunks
from tests.reference.reading import rows

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "processes.md").read_text(encoding="utf-8")
PLUGIN = ROOT / "examples" / "plugin"

# What the page does not say, but must be so.
CHECK = """
from darkbelle.gen.production.lepton_pair import LeptonPair

assert np.isclose(replace(process.model, epsilon=epsilon).ctau, 10.0)
assert np.isclose(process.model.dark_higgs(0.5, mixing).ctau, 1.0)
assert np.isclose(replace(process.model, epsilon=thermal).relic_variable, 1e-10)

sharp = geometry.load("belle2", ["collider.beam_spread=false"]).collider
found = DarkScalars(mass=1.0, isr=False).cross_section(sharp, rng)
# Four times fewer scalars than fermions far above threshold, and one more power of beta squared.
s = np.array([sharp.sqrt_s**2])
expected = LeptonPair(1e-9).cross_section(s)[0] * 1e-6 / 4 * (1 - 4 / s[0]) ** 1.5
assert np.isclose(found.value, expected, rtol=1e-9)

still = DarkScalars(mass=1.0, isr=False, fsr=False).generate(sharp, 5000, rng)
phi = still.particles.pdg_id == SCALAR
p = still.particles
assert phi.sum() == 10_000
flight = np.sqrt((p.decay_x - p.x) ** 2 + (p.decay_y - p.y) ** 2 + (p.decay_z - p.z) ** 2)[phi]
beta_gamma = np.sqrt(p.px**2 + p.py**2 + p.pz**2)[phi] / p.mass[phi]
assert abs(np.mean(flight / beta_gamma) - 1.0) < 5 / 100
assert np.all(events.weight <= 4) and abs(events.weight.mean() - 1) < 0.3
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(
    *arguments: str, folder: Path, path: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Python with this tree, and perhaps other folders, in its path."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_python_of_the_page_runs(tmp_path: Path):
    done = run("-W", "error", "-c", "\n".join([*blocks("python"), CHECK]), folder=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def darkbelle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a command says; it runs in this process, in a folder of its own, in small chunks."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["darkbelle", *arguments])
        with small_chunks(512):
            main()
        return capsys.readouterr().out

    return call


def test_the_shell_lines_of_the_page_run(darkbelle: Callable[..., str]):
    commands = [line.split() for block in blocks("sh") for line in block.splitlines()]
    assert {command[0] for command in commands} == {"darkbelle"}
    for _, *arguments in commands:
        darkbelle(*("200" if argument == "2000" else argument for argument in arguments))


# ---- a process of another package ----------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package, installed into a folder of its own without network or isolation."""
    tree = tmp_path_factory.mktemp("plugin") / "tree"
    shutil.copytree(PLUGIN, tree, ignore=shutil.ignore_patterns("__pycache__"))
    target = tree.parent / "site"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    where = ["--target", str(target), str(tree)]
    done = run("-m", "pip", "install", *options, *where, folder=tree.parent)
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.slow
def test_the_package_adds_its_process(site: Path, tmp_path: Path, darkbelle: Callable[..., str]):
    done = run("-m", "darkbelle", "processes", folder=tmp_path, path=(site,))
    assert "tautau-zprime            e+e- -> tau+ tau- Z' of L_mu - L_tau" in done.stdout
    assert "tautau-zprime" not in darkbelle("processes")
    assert "tautau-zprime" in "".join(blocks("toml"))


@pytest.mark.slow
def test_its_process_is_produced(
    site: Path, monkeypatch: pytest.MonkeyPatch, darkbelle: Callable[..., str]
):
    monkeypatch.syspath_prepend(site)
    arguments = ("produce", "tautau-zprime", "-p", "mass=1", "-n", "500", "--seed", "1")
    darkbelle(*arguments, "-o", "tautau.h5")
    told = darkbelle("info", "tautau.h5")
    assert "tautau-zprime" in told
    assert "undecayed" not in told
    (tracks,) = re.findall(r"(\d+) tracks", told)
    assert int(tracks) > 1200  # the Z' makes no more than 1000


@pytest.mark.slow
def test_its_cross_section_is_that_of_the_table(site: Path, monkeypatch: pytest.MonkeyPatch):
    """Without radiation at 10.58 GeV, within 4 standard errors, which are below 0.3 %."""
    monkeypatch.syspath_prepend(site)
    table = {row["m_X_GeV"]: row["sigma_pb"] for row in rows("tautau_vector_xsec")}
    nominal = geometry.load("belle2").collider
    energies = {"her": nominal.e_her_gev, "ler": nominal.e_ler_gev}
    scale = 10.58 / nominal.sqrt_s
    preset = [f"collider.presets.Y4S.e_{b}_gev={e * scale!r}" for b, e in energies.items()]
    collider = geometry.load("belle2", [*preset, "collider.beam_spread=false"]).collider
    for mass in (0.5, 1.0, 4.0):
        process = find_process("tautau-zprime")(mass=mass, coupling=0.1, decay="any", isr=False)
        found = process.cross_section(collider, np.random.default_rng(1))
        expected = 0.1**2 * table[mass] * 1e3
        assert found.error < 0.003 * expected
        assert abs(found.value - expected) < 4 * found.error, mass
