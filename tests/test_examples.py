"""Examples run: those that are quick enough with few events."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from darkbelle.gen import DecayChain
from darkbelle.geometry import load
from darkbelle.samples.campaigns import Campaign
from darkbelle.samples.campaigns.plan import Plan

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name: str) -> ModuleType:
    """The module of an example."""
    path = EXAMPLES / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def two_vertices(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example of inelastic dark matter, with few events."""
    module = example("inelastic_dark_matter")
    for name, value in (
        ("N_EVENTS", 4000),
        ("N_DIRECT", 1000),
        ("DIRECT", (10.0,)),
        ("EDGES", np.array([0, 5, 20, 60])),
    ):
        monkeypatch.setattr(module, name, value)
    return module


def test_the_first_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """Its peak is where the Z' is, and it is drawn."""
    module = example("first_sample")
    monkeypatch.setattr(module, "N_EVENTS", 1000)
    monkeypatch.setattr(sys, "argv", ["example", str(tmp_path / "picture.png")])
    module.main()
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    median = float(capsys.readouterr().out.split("recoil mass:")[1].split()[0])
    assert median == pytest.approx(2.05, abs=0.05)


def test_other_cards_have_wider_peaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    module = example("changing_a_card")
    monkeypatch.setattr(module, "N_EVENTS", 2000)
    monkeypatch.setattr(sys, "argv", ["example", str(tmp_path / "picture.png")])
    module.main()
    nominal, *others = (float(width) for width in re.findall(r"(\d+) MeV", capsys.readouterr().out))
    assert len(others) == 2
    assert min(others) > nominal > 80


@pytest.mark.validation
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_examples_run_as_they_stand(path: Path, tmp_path: Path):
    """With no argument, in a folder of their own, as a reader would."""
    done = subprocess.run(
        [sys.executable, path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [found.name for found in tmp_path.iterdir()] == [f"{path.stem}.png"]


@pytest.mark.slow
def test_two_vertices_are_drawn(
    two_vertices: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    picture = tmp_path / "picture.png"
    monkeypatch.setattr(sys, "argv", ["example", str(picture)])
    two_vertices.main()
    assert picture.stat().st_size > 10_000


def test_lifetimes_are_reweighted(two_vertices: ModuleType):
    """Decays of chi2 at 5 to 15 cm, as seen by the weighted sample and by one of 20 cm."""
    collider, rng, n = load("belle2").collider, np.random.default_rng(1), 20_000

    def is_close(ctau: float, reach: float | None) -> tuple[np.ndarray, np.ndarray]:
        process = two_vertices.gen.InelasticDarkMatter(**two_vertices.MODEL, ctau=ctau, reach=reach)
        truth = process.generate(collider, n, rng)
        radius, _ = two_vertices.flights(truth, two_vertices.CHI2)
        weight = truth.weight if reach is None else two_vertices.reweighted(truth, 20.0)
        return weight, (radius < 15) & (radius > 5)

    weight, close = is_close(two_vertices.CTAU, two_vertices.REACH)
    _, direct = is_close(20.0, None)
    value, error = weight @ close / n, np.sqrt(weight**2 @ close) / n
    assert abs(value - direct.mean()) < 4 * np.hypot(error, direct.std() / np.sqrt(n))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "chains").glob("*.toml")), ids=lambda p: p.stem)
def test_chains_are_made(path: Path):
    """By the command line's way to give them, with all that they say in the truth."""
    process = DecayChain(chain=str(path))
    truth = process.generate(load("belle2").collider, 200, np.random.default_rng(2))
    parents = np.abs(truth.particles.pdg_id) == process.parent
    assert np.count_nonzero(parents) >= 200
    assert truth.cross_section.value > 0


@pytest.mark.parametrize(
    ("name", "n_points"),
    [
        ("dark_higgsstrahlung", 5),
        pytest.param("displaced_scalar", 8000, marks=pytest.mark.validation),  # 2 ms a point
    ],
)
def test_all_points_of_campaigns_can_be(name: str, n_points: int):
    plan = Plan.of(Campaign.read(EXAMPLES / "campaigns" / f"{name}.toml"))
    assert (len(plan.points), plan.warnings) == (n_points, ())


def test_campaigns_are_read():
    paths = sorted((EXAMPLES / "campaigns").glob("*.toml"))
    assert [Campaign.read(path).process for path in paths] == [
        "dark-higgsstrahlung",
        "b-to-k-scalar",
    ]


@pytest.mark.slow
def test_limits_are_found(tmp_path: Path, monkeypatch, capsys):
    """Of one mass, with few events of two backgrounds: of the right size, compared and drawn.

    The fit gives what counts alone give, or more for its errors; in the full example 26 photons are
    lost, of many more events, and a hundred times that many with the loss of the card.
    """
    module = example("zprime_limit")
    few = {
        name: replace(module.BACKGROUNDS[name], n_events=int(n_events / module.QUICK_SHARE))
        for name, n_events in ((module.LOST, 16_384), ("tautau", 4096))
    }
    for name, value in (
        ("QUICK_MASSES", (0.5,)),
        ("BACKGROUNDS", few),
        ("RATE_ERRORS", {"mumu": 0.1, "tautau": 0.05}),
        ("PUBLISHED", (module.Published(0.5, "g' of 4e-3", (4e-3,)),)),
    ):
        monkeypatch.setattr(module, name, value)
    picture = tmp_path / "picture.png"
    monkeypatch.setattr(sys, "argv", ["example", str(picture), "--quick"])
    module.main()
    assert picture.stat().st_size > 10_000
    told = capsys.readouterr().out
    number = r"([\d.e+-]+)"
    pattern = rf"sigma < {number} fb \[{number}; of counts alone {number}\].*photon {number},"
    limit, with_card, of_counts, n_lost = map(float, re.search(pattern, told).groups())
    assert n_lost == pytest.approx(26, rel=0.25)
    assert 1.0 < limit / of_counts < 1.5
    assert 1.5 < with_card / limit < 20
    assert float(told.split("g' < ")[1].split()[0]) == pytest.approx(0.00305 * limit**0.5, rel=0.05)
    needed = float(re.search(rf"it would take {number} of the backgrounds", told).group(1))
    assert 0 < needed < 1
