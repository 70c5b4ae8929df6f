"""Chunks made in this process or in several, always handed back in order."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from darkbelle.errors import ConfigError, WorkerError

__all__ = ["in_order"]

_AHEAD = 3
"""Results that a worker may be ahead of whoever consumes them: memory stays constant."""

_work: Callable[[int], Path]
"""What this worker process computes; sent once, when the worker starts."""


class _ToFile:
    """A job whose results are left in files.

    Results travel through files since a worker that is killed while it sends a large one through
    the pool's pipe would leave the pool waiting for the rest for ever.
    """

    def __init__(self, job: Callable[[int], Any], folder: str) -> None:
        self._job, self._folder = job, Path(folder)

    def __call__(self, i: int) -> Path:
        path = self._folder / str(i)
        path.write_bytes(pickle.dumps(self._job(i), protocol=pickle.HIGHEST_PROTOCOL))
        return path


def in_order(job: Callable[[int], Any], n_results: int, workers: int) -> Iterator[Any]:
    """``job(0)``, ``job(1)`` ... computed by some processes, in order.

    Raises
    ------
    ConfigError
        The job cannot be sent to workers; none was started.
    WorkerError
        A worker was killed.
    """
    workers = min(workers, n_results)
    if workers <= 1:
        yield from map(job, range(n_results))
        return
    in_flight: deque[Future[Path]] = deque()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="darkbelle-") as folder:
        work = _pickled(_ToFile(job, folder))
        executor = ProcessPoolExecutor(workers, context, _start, initargs=(work,))
        try:
            for i in range(n_results):
                with _signals_held():
                    in_flight.append(executor.submit(_call, i))
                if len(in_flight) >= _AHEAD * workers:
                    yield _take(in_flight.popleft())
            while in_flight:
                yield _take(in_flight.popleft())
        except BrokenProcessPool:
            msg = "a worker was killed, perhaps for want of memory: try again with fewer workers"
            raise WorkerError(msg) from None
        finally:
            with _signals_held():
                executor.shutdown(cancel_futures=True)


def _pickled(work: Callable[[int], Path]) -> bytes:
    try:
        return pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"what is produced cannot be sent to workers ({error}): make it of functions and "
            "classes of a module, or do with one worker"
        ) from error


def _take(future: Future[Path]) -> Any:
    """A result out of its file, which is not needed any more."""
    path = future.result()
    result = pickle.loads(path.read_bytes())
    path.unlink()
    return result


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let requests to stop wait; processes started meanwhile inherit this."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(work: bytes) -> None:
    """Keep the job, leave Ctrl-C to the parent, and end with it however it ends."""
    global _work
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # by which the pool ends workers
    _work = pickle.loads(work)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _call(i: int) -> Path:
    return _work(i)
