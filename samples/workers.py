"""Chunks made in this process or in several, always handed back in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from darkbelle.errors import WorkerError

__all__ = ["in_order"]

_AHEAD = 3
"""Results that a worker may be ahead of whoever consumes them: memory stays constant."""

_job: Callable[[int], Any]
"""What this worker process computes; sent once, when the worker starts."""


def in_order(job: Callable[[int], Any], n_results: int, workers: int) -> Iterator[Any]:
    """``job(0)``, ``job(1)`` ... computed by some processes, in order.

    Raises
    ------
    WorkerError
        A worker was killed.
    """
    workers = min(workers, n_results)
    if workers <= 1:
        yield from map(job, range(n_results))
        return
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _start, initargs=(job,)
    )
    in_flight: deque[Future[Any]] = deque()
    try:
        for i in range(n_results):
            with _interrupts_held():
                in_flight.append(executor.submit(_work, i))
            if len(in_flight) >= _AHEAD * workers:
                yield in_flight.popleft().result()
        while in_flight:
            yield in_flight.popleft().result()
    except BrokenProcessPool:
        msg = "a worker was killed, perhaps for want of memory: try again with fewer workers"
        raise WorkerError(msg) from None
    finally:
        with _interrupts_held():
            executor.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait; processes started meanwhile never see it, as they inherit the mask."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(job: Callable[[int], Any]) -> None:
    """Keep the job, and end with the parent however it ends."""
    global _job
    _job = job
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _work(i: int) -> Any:
    return _job(i)
