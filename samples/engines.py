"""Where work is done: in this process, in several of this machine, or on a Dask cluster."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import pickle
import signal
import socket
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
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from darkbelle import __version__
from darkbelle.errors import ConfigError, DarkbelleError, WorkerError
from darkbelle.extras import needed_for

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Engine", "ProcessPool", "completed", "dask", "finished", "local"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_AHEAD: Final = 1000
"""Tasks that wait at an engine: they are small, and a cluster may grow with their number."""
_PATIENCE: Final = 0.2
"""Time [s] between two looks at requests to stop."""
_ANSWER: Final = 10
"""Time [s] within which a scheduler answers."""
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
"""Requests to stop."""


class Engine(Executor):
    """An executor that tells calls that failed from calls that could not be done."""

    def trouble(self, future: Future[Any]) -> DarkbelleError | None:
        """What keeps this and all other calls from being done, if anything does."""
        return None


def local(workers: int) -> Engine:
    """One worker: in this process; several: a pool of processes. Used by ``with``.

    Raises
    ------
    ConfigError
        There is no such number of workers.
    """
    _check(workers)
    return _InProcess() if workers == 1 else ProcessPool(workers)


@contextmanager
def dask(scheduler: str | None, workers: int) -> Iterator[Engine]:
    """Processes of a Dask cluster.

    Parameters
    ----------
    scheduler
        Address of a running scheduler, with what workers it has; None starts a cluster of
        processes on this machine.
    workers
        Number of those processes.

    Raises
    ------
    ConfigError
        No scheduler answers at this address, or there is no such number of workers.
    MissingDependencyError
        Dask is not installed.
    """
    _check(workers)
    with needed_for("Dask", "dask"):
        from distributed import Client, LocalCluster
    with ExitStack() as stack:
        stack.enter_context(_hushed("distributed"))
        resource_tracker.ensure_running()  # by which no signal is held
        with _signals_held():  # which Dask's threads inherit, and from them its processes
            where: Any = scheduler
            if where is None:
                where = stack.enter_context(
                    LocalCluster(
                        processes=True,
                        n_workers=workers,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                    )
                )
            try:
                client = stack.enter_context(Client(where, timeout=_ANSWER))
            except (OSError, ValueError) as error:
                msg = f"no Dask scheduler answers at {scheduler}: start it by 'dask scheduler'"
                raise ConfigError(msg) from error
        with _DaskWorkers(client, scheduler or where.scheduler_address) as engine:
            yield engine


def completed(
    engine: Engine,
    function: Callable[[T], R],
    tasks: Iterable[T],
    *,
    ahead: int = _AHEAD,
    check: Callable[[], object] = lambda: None,
) -> Iterator[tuple[T, Future[R]]]:
    """Tasks with their finished futures, in order of completion.

    Parameters
    ----------
    engine
        Where ``function`` is called with each task. It may be called more than once with one: what
        a lost worker did is done again by another.
    function, tasks
        Small, as are results, for they travel; a task is taken when there is room for it.
    ahead
        Tasks that may be submitted and not finished.
    check
        Called several times a second while this waits; raises to stop.

    Raises
    ------
    ConfigError
        Workers cannot be sent the function or a task, or have another version of this package.
    WorkerError
        Those who worked are lost.
    """
    unsubmitted = iter(tasks)
    waiting: dict[Future[R], T] = {}
    while True:
        for task in itertools.islice(unsubmitted, ahead - len(waiting)):
            future = engine.submit(function, task)
            waiting[future] = task
            with _signals_held():
                if future.done():
                    break
        if not waiting:
            return
        with _signals_held():
            done = finished(waiting)
            troubles = {future: engine.trouble(future) for future in waiting}
        check()
        for future in done:
            if troubles[future] is None:
                yield waiting.pop(future), future
        for trouble in troubles.values():
            if trouble is not None:
                raise trouble


def finished(futures: Iterable[Future[R]]) -> set[Future[R]]:
    """Those that are done, at the latest after a moment; requests to stop wait meanwhile."""
    with _signals_held():
        return wait(futures, _PATIENCE, FIRST_COMPLETED).done


class _InProcess(Engine):
    """Calls at once, here: what interrupts a call interrupts who submitted it."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ProcessPool(ProcessPoolExecutor, Engine):
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
        try:
            with _signals_held():
                return super().submit(fn, *args, **kwargs)
        except BrokenExecutor as error:
            future: Future[R] = Future()
            future.set_exception(error)
            return future

    def trouble(self, future: Future[Any]) -> DarkbelleError | None:
        """A worker that was killed."""
        if not (future.done() and isinstance(future.exception(), BrokenExecutor)):
            return None
        return WorkerError(
            "a worker was killed, perhaps for want of memory: run the same command again, with "
            "fewer workers if need be; it goes on where it stopped"
        )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._line.close()
        with _signals_held():
            self.shutdown(cancel_futures=True)
        self._line.close()
        self._held.close()


class _DaskWorkers(Engine):
    """Calls through Dask's own executor."""

    def __init__(self, client: Client, address: str) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)  # a call made twice is done twice
        self._address = address

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        import cloudpickle

        try:
            call = cloudpickle.dumps((fn, args, kwargs))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ConfigError(f"what is produced cannot be sent to workers ({error})") from error
        with _signals_held():
            future: Future[R] = self._executor.submit(_call, __version__, call)
        return future

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False)

    def trouble(self, future: Future[Any]) -> DarkbelleError | None:
        """A scheduler that is gone, workers that die or are not fit to work."""
        from distributed import KilledWorker

        if not future.done():  # Dask may leave it so for ever when the scheduler goes
            return None if self._client.status == "running" else self._no_scheduler()
        if future.cancelled():
            return self._no_scheduler()
        error = future.exception()
        if isinstance(error, _UnfitWorker):
            return error
        if isinstance(error, KilledWorker):
            return WorkerError(
                "several Dask workers died of the same task, perhaps for want of memory: give "
                "them more and run the same command again; it goes on where it stopped"
            )
        return None

    def _no_scheduler(self) -> WorkerError:
        return WorkerError(
            f"the Dask scheduler at {self._address} is lost: start it and run the same command "
            "again; it goes on where it stopped"
        )


class _UnfitWorker(ConfigError):
    """A worker with another version of this package."""


def _call(version: str, call: bytes) -> Any:
    """Do a call of a client that has the same version of this package."""
    if version != __version__:
        raise _UnfitWorker(
            f"the worker on {socket.gethostname()} has darkbelle {__version__}, this process has "
            f"{version}: install the same"
        )
    function, args, kwargs = pickle.loads(call)
    return function(*args, **kwargs)


def _check(workers: int) -> None:
    if workers < 1:
        raise ConfigError(f"the number of workers must be positive (got {workers})")


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let requests to stop wait; processes started meanwhile inherit this.

    A handler that raised might strike between a lock and its release: of a future, on which the
    pool's own thread would then wait for ever. To block signals is not enough against that: other
    threads, such as those of NumPy, receive them, and the handler runs in the main one.
    """
    noted: list[int] = []
    handlers: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in _STOPS}
        handlers = {number: handler for number, handler in found.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda number, _: noted.append(number))
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for received in noted:
            signal.raise_signal(received)


@contextmanager
def _hushed(library: str) -> Iterator[None]:
    """Keep a library's own warnings off the terminal: what matters of them is raised."""
    before = {handler: handler.level for handler in logging.getLogger(library).handlers}
    for handler in before:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in before.items():
            handler.setLevel(level)


def _start(held: Connection) -> None:
    """Leave Ctrl-C to the parent, and end when it lets go of the line, as it does by ending."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # by which the pool ends workers
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()


def _end_with(held: Connection) -> None:
    with suppress(EOFError, OSError):
        held.recv()
    os._exit(1)
