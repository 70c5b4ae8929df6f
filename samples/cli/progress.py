"""Bars that show how much is done, and take requests to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from darkbelle.samples.cli.stopping import StopRequests
from darkbelle.samples.progress import Progress

__all__ = ["progress_of_steps"]


@contextmanager
def progress_of_steps() -> Iterator[Progress]:
    """What begins a bar of so many of something, in the place of the one before."""
    from tqdm import tqdm

    with StopRequests() as stop_requests, ExitStack() as shown:

        def begin(what: str, total: int) -> Callable[[int], object]:
            shown.close()
            silent = None if total else True  # None: where there is no terminal
            bar = tqdm(total=total, unit=f" {what}", unit_scale=True, disable=silent)
            shown.enter_context(bar)

            def move(n_done: int) -> None:
                stop_requests.check()
                bar.update(n_done)

            return move

        yield begin
