"""Samples that tests of fits share."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkbelle import gen, geometry, samples

MASSES = (1.5, 2.0, 2.5, 3.0)


def produce(path: Path, process: gen.Process, n_events: int, seed: int, **options) -> Path:
    run = samples.Run(process, geometry.load("belle2"), seed, chunk_size=4096, **options)
    samples.produce(run, path, n_events=n_events)
    return path


@pytest.fixture(scope="session")
def signal(tmp_path_factory) -> Path:
    """A Z' of 2 GeV with some systematic variations, of both kinds, shared and not."""
    path = tmp_path_factory.mktemp("fits") / "signal.h5"
    names = ("tracking", "muon_id", "momentum_resolution")
    process = gen.MuMuZPrime(mass=2.0, coupling=0.01)
    return produce(path, process, 2000, 1, systematics=names)


@pytest.fixture(scope="session")
def background(tmp_path_factory) -> Path:
    """Tau pairs that decay to muons."""
    path = tmp_path_factory.mktemp("fits") / "background.h5"
    return produce(path, gen.TauTau(minus="mu", plus="mu"), 2000, 2)


@pytest.fixture(scope="session")
def scan(tmp_path_factory) -> dict[float, Path]:
    """Z' of several masses."""
    folder = tmp_path_factory.mktemp("scan")
    return {
        mass: produce(folder / f"{mass}.h5", gen.MuMuZPrime(mass=mass), 4096, 3) for mass in MASSES
    }
