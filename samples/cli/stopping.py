"""Requests to stop, obeyed when nothing is half-done."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

__all__ = ["StopRequests", "resumable"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequests:
    """Signals that ask to stop, noted while something is half-written and obeyed at `check`.

    A handler that raised at once might strike inside a callback of a C library or of the garbage
    collector, where its exception is lost. Signals that were ignored, as ``nohup`` wants of
    hang-ups, still are.
    """

    def __init__(self) -> None:
        self._received: int | None = None

    def __enter__(self) -> StopRequests:
        heeded = [n for n in STOP_SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._receive) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.check()  # workers received it too: what went wrong since went wrong by that

    def _receive(self, number: int, _: object) -> None:
        self._received = number

    def check(self) -> None:
        """Raise if there was a request."""
        if self._received == signal.SIGINT:
            raise KeyboardInterrupt
        if self._received is not None:
            sys.exit(128 + self._received)


@contextmanager
def resumable() -> Iterator[None]:
    """Say of work that is stopped meanwhile that the same command goes on."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        click.echo("stopped; the same command goes on", err=True)
        sys.exit(stop.code if isinstance(stop, SystemExit) else 128 + signal.SIGINT)
