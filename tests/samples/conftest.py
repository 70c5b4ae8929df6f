"""What the tests of samples share."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest

from tests.chunks import small_chunks
from tests.samples.triggered import Triggered, produce


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Ctrl-C is obeyed here and in all that is started, also where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def triggered(tmp_path_factory: pytest.TempPathFactory) -> Triggered:
    """A sample with known decisions of the trigger."""
    return produce(tmp_path_factory.mktemp("triggered") / "x.h5")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """The command line in this process, in a folder of its own: (status, stdout, stderr).

    Samples come in chunks of 256 events.
    """
    from darkbelle.samples.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["darkbelle", *arguments])
        status = 0
        with small_chunks(256):
            try:
                main()
            except SystemExit as stop:
                status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
