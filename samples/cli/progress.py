"""Bars that show how much is done, and take requests to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from darkbelle.samples.cli.stopping import StopRequests

__all__ = ["progress_of_steps", "progress_until"]


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


@contextmanager
def progress_of_steps() -> Iterator[Callable[[str, int], Callable[[int], object]]]:
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
