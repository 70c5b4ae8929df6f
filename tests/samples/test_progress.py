"""Bars on a terminal, and silence elsewhere."""

from __future__ import annotations

import os
import pty
import re
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.samples import jobs

SCAN = 'process = "particle-gun"\nevents = 500\nseed = 1\ngrid.p = [0.5, 1.0, 1.5]\n'
BAR = r"100%\|█+\| 1\.50k/1\.50k \[\d\d:\d\d<\d\d:\d\d, .+ events/s\]"


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--engine", "dask"), marks=pytest.mark.validation)]
)
def test_a_bar_says_how_much_is_done_how_fast_and_how_long_it_will_take(
    options: tuple[str, ...], run: Any, tmp_path: Path, monkeypatch: Any
):
    (tmp_path / "scan.toml").write_text(SCAN)
    outer, inner = pty.openpty()
    os.set_blocking(outer, False)
    termios.tcsetwinsize(inner, (24, 120))
    with open(inner, "w", encoding="utf-8") as terminal:  # noqa: PTH123  a descriptor, no path
        monkeypatch.setattr(sys, "stderr", terminal)
        assert run("produce", "scan.toml", "-o", "scan", *options)[0] == 0
        read = bytearray()

        def is_shown() -> object:
            with suppress(BlockingIOError):
                read.extend(os.read(outer, 1 << 16))
            return re.search(BAR, read.decode(errors="replace"))

        jobs.until(is_shown, seconds=5)
    os.close(outer)
