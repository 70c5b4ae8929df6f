"""Chunks made in this process or in several, always handed back in order."""

from __future__ import annotations

import functools
import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from darkbelle.errors import ConfigError, WorkerError
from darkbelle.samples.engines import ProcessPool, finished

__all__ = ["in_order"]

_AHEAD = 3
"""Results that a worker may be ahead of whoever consumes them: memory stays constant."""


def in_order(job: Callable[[int], Any], n_results: int, workers: int) -> Iterator[Any]:
    """``job(0)``, ``job(1)`` ... computed by some processes, in order.

    The job and its results, which may be large, travel through files.

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
    with tempfile.TemporaryDirectory(prefix="darkbelle-") as folder:
        work = Path(folder) / "job"
        work.write_bytes(_pickled(job))
        try:
            with ProcessPool(workers) as pool:
                for i in range(n_results):
                    in_flight.append(pool.submit(_call, work, i))
                    if len(in_flight) >= _AHEAD * workers:
                        yield _take(in_flight.popleft())
                while in_flight:
                    yield _take(in_flight.popleft())
        except BrokenProcessPool:
            msg = "a worker was killed, perhaps for want of memory: try again with fewer workers"
            raise WorkerError(msg) from None


def _pickled(job: Callable[[int], Any]) -> bytes:
    try:
        return pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"what is produced cannot be sent to workers ({error}): make it of functions and "
            "classes of a module, or do with one worker"
        ) from error


def _take(future: Future[Path]) -> Any:
    """A result out of its file, which is not needed any more."""
    while not finished([future]):
        pass
    path = future.result()
    result = pickle.loads(path.read_bytes())
    path.unlink()
    return result


def _call(work: Path, i: int) -> Path:
    """A result of the job, put into a file beside it."""
    path = work.with_name(str(i))
    path.write_bytes(pickle.dumps(_job(work)(i), protocol=pickle.HIGHEST_PROTOCOL))
    return path


@functools.lru_cache(maxsize=1)
def _job(work: Path) -> Callable[[int], Any]:
    """The job, read once by each worker."""
    job: Callable[[int], Any] = pickle.loads(work.read_bytes())
    return job
