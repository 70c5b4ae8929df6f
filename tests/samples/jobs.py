"""Calls that workers can import, and a real Dask cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def square(x: int) -> tuple[int, int]:
    """What became of it and where."""
    return x * x, os.getpid()


def squares_of_even(x: int) -> int:
    if x % 2:
        msg = f"{x} is odd"
        raise ValueError(msg)
    return x * x


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def nap_noting_where(job: tuple[int, float, Path]) -> int:
    """Leave a file that names this process while it sleeps."""
    i, seconds, folder = job
    note = folder / f"{i}-{os.getpid()}"
    note.touch()
    time.sleep(seconds)
    return i


def noted(folder: Path) -> list[int]:
    """The processes that left a note."""
    return [int(note.name.split("-")[1]) for note in folder.iterdir()]


def is_running(pid: int) -> bool:
    """Whether there is such a process, zombies left aside."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def leave_a_file(folder: Path) -> None:
    (folder / uuid.uuid4().hex).touch()


def kill_itself(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers, each a process group of its own."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def dask_cluster(folder: Path, workers: int = 2, *options: str) -> Iterator[Cluster]:
    """Run ``dask scheduler`` and ``dask worker`` as a user does; end them whatever happens."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        with (folder / f"dask-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        started.append(process)
        return process

    said = folder / "dask-0.log"
    try:
        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
        until(lambda: b"Scheduler at:" in said.read_bytes())
        line = next(x for x in said.read_text().splitlines() if "Scheduler at:" in x)
        address = line.split()[-1]
        options += ("--nthreads", "1", "--local-directory", str(folder))
        running = [start("worker", address, *options) for _ in range(workers)]
        yield Cluster(address, scheduler, running)
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
