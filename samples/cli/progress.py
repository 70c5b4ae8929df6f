"""The bar that shows how many events are done, and takes requests to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from darkbelle.samples.cli.stopping import StopRequests

__all__ = ["progress_until"]


def progress_until(stack: ExitStack) -> Callable[[int], Callable[[int], object]]:
    """What begins a bar of so many events, and returns what moves it; it ends with the stack."""

    def begin(total: int) -> Callable[[int], object]:
        from tqdm import tqdm

        stop_requests = stack.enter_context(StopRequests())
        bar = stack.enter_context(tqdm(total=total, unit="events", unit_scale=True, disable=None))

        def move(n_events: int) -> None:
            stop_requests.check()
            bar.update(n_events)

        return move

    return begin
