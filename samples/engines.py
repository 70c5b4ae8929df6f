"""Where work is done: in this process, in several of this machine, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from darkbelle.errors import ConfigError, WorkerError

__all__ = ["ProcessPool", "completed", "local", "signals_held"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_AHEAD: Final = 1000
"""Tasks that wait at an engine: small, and enough for a cluster that grows with them."""
_PATIENCE: Final = 0.2
"""Time [s] between two looks at requests to stop."""
_GOES_ON: Final = "run the same command again: it goes on where it stopped"


def local(workers: int) -> Executor:
    """One worker: in this process; several: a pool of processes. Used by ``with``.

    Raises
    ------
    ConfigError
        There is no such number of workers.
    """
    if workers < 1:
        raise ConfigError(f"the number of workers must be positive (got {workers})")
    return _InProcess() if workers == 1 else ProcessPool(workers)


def completed(
    executor: Executor,
    function: Callable[[T], R],
    tasks: Iterable[T],
    *,
    ahead: int = _AHEAD,
    check: Callable[[], object] = lambda: None,
) -> Iterator[tuple[T, Future[R]]]:
    """Tasks with their finished futures, in order of completion.

    Parameters
    ----------
    executor
        Where ``function`` is called with each task. It may be called more than once with one: when
        the machine that did it is lost, another one does it again.
    function, tasks
        Small, as are results, for they travel; a task is taken when there is room for it.
    ahead
        Tasks that may be submitted and not finished.
    check
        Called several times a second while this waits; raises to stop.

    Raises
    ------
    WorkerError
        Those who worked are gone.
    """
    unsubmitted = iter(tasks)
    waiting: dict[Future[R], T] = {}
    try:
        while True:
            while len(waiting) < ahead and not any(future.done() for future in waiting):
                try:
                    task = next(unsubmitted)
                except StopIteration:
                    break
                waiting[_submit(executor, function, task)] = task
            if not waiting:
                return
            done, _ = wait(waiting, _PATIENCE, FIRST_COMPLETED)
            check()
            for future in done:
                _raise_if_lost(future)
                yield waiting.pop(future), future
    finally:
        for future in waiting:
            future.cancel()


def _submit(executor: Executor, function: Callable[[T], R], task: T) -> Future[R]:
    try:
        return executor.submit(function, task)
    except BrokenExecutor as error:
        failed: Future[R] = Future()
        failed.set_exception(error)
        return failed


def _raise_if_lost(future: Future[Any]) -> None:
    if future.cancelled() or isinstance(future.exception(), BrokenExecutor):
        raise WorkerError(f"a worker was killed, perhaps for want of memory: {_GOES_ON}")


class _InProcess(Executor):
    """Calls at once, here: what interrupts a call interrupts who submitted it."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ProcessPool(ProcessPoolExecutor):
    """Processes that leave Ctrl-C to this one and end with it, or at once when its work fails.

    Small arguments and results only: a worker that is killed while it sends a large one would
    leave the pool waiting for the rest for ever.
    """

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._held, self._line = context.Pipe(duplex=False)
        super().__init__(workers, context, _start, initargs=(self._held,))

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Submit a call; processes that it starts inherit that requests to stop are held."""
        with signals_held():
            return super().submit(fn, *args, **kwargs)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._line.close()
        with signals_held():
            self.shutdown(cancel_futures=True)
        self._line.close()
        self._held.close()


@contextmanager
def signals_held() -> Iterator[None]:
    """Let requests to stop wait; processes started meanwhile inherit this."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(held: Connection) -> None:
    """Leave Ctrl-C to the parent, and end when it lets go of the line, as it does by ending."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # by which the pool ends workers
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()


def _end_with(held: Connection) -> None:
    with suppress(EOFError, OSError):
        held.recv()
    os._exit(1)
