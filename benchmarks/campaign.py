"""A campaign by ``darkbelle produce`` next to the same points by calls of `samples.produce`.

Usage: python benchmarks/campaign.py [--points 20] [-n 2000] [--workers 2]

Both start from nothing, on as many cores. The goal is one of 400 points: at most 15 % longer, and
below 1.5 GB, for which the greatest memory of all processes is added up.
"""

from __future__ import annotations

import argparse
import filecmp
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darkbelle import gen, geometry, samples

SEED = 1


@dataclass(frozen=True)
class Spent:
    """What some processes took together."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def masses(n_points: int) -> list[float]:
    return np.linspace(0.5, 8.0, n_points).round(6).tolist()


def call(n_points: int, n_events: int, folder: Path, share: slice) -> None:
    """Make some of the points as one writes it by hand."""
    experiment = geometry.load("belle2")
    chunk_size = min(8192, 1 << (n_events - 1).bit_length())
    for i, mass in list(enumerate(masses(n_points)))[share]:
        process = gen.MuMuZPrime(mass=mass, decay="invisible")
        run = samples.Run(process, experiment, SEED, point=i, chunk_size=chunk_size)
        samples.produce(run, folder / f"{i:04d}.h5", n_events=n_events)


def spent_by(*commands: list[str]) -> Spent:
    """Run commands at once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    running = [subprocess.Popen(c, stdout=subprocess.DEVNULL) for c in commands]
    peaks: dict[int, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for process in running:
                _note_memory(process.pid, peaks)

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses = [process.wait() for process in running]
    wall = time.perf_counter() - start
    ended.set()
    watcher.join()
    if any(statuses):
        sys.exit("a command failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, cpu, sum(peaks.values()) / 1024)


def _note_memory(pid: int, peaks: dict[int, float]) -> None:
    """Keep the greatest memory [kB] so far of a process and of all that it started."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return
    found = [float(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    peaks[pid] = max([peaks.get(pid, 0.0), *found])
    for child in children:
        _note_memory(int(child), peaks)


def compare(n_points: int, n_events: int, workers: int) -> dict[str, Spent]:
    """The same points made in both ways, which must be the same files."""
    with tempfile.TemporaryDirectory(prefix="darkbelle-") as name:
        folder = Path(name)
        (folder / "scan.toml").write_text(
            f'process = "mumu-zprime"\nevents = {n_events}\nseed = {SEED}\n'
            f'parameters.decay = "invisible"\ngrid.mass = {masses(n_points)}\n'
        )
        (folder / "calls").mkdir()
        size = ["--points", str(n_points), "-n", str(n_events), "--workers", str(workers)]
        produce = [sys.executable, "-m", "darkbelle", "produce", str(folder / "scan.toml")]
        calls = [sys.executable, __file__, *size, "--into", str(folder / "calls"), "--share"]
        spent = {
            "campaign": spent_by([*produce, "-o", str(folder / "scan"), "--workers", str(workers)]),
            "calls": spent_by(*([*calls, str(i)] for i in range(workers))),
        }
        files = [f"{i:04d}.h5" for i in range(n_points)]
        same, *_ = filecmp.cmpfiles(folder / "scan/belle2", folder / "calls", files, shallow=False)
        if same != files:
            sys.exit("the files differ")
    return spent


def main() -> None:
    """Print both and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("-n", "--events", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.into:
        call(given.points, given.events, given.into, slice(given.share, None, given.workers))
        return
    spent = compare(given.points, given.events, given.workers)
    print(f"{given.points} points x {given.events} events, {given.workers} workers")
    print("            wall s   CPU s  memory MB")
    for name, one in spent.items():
        print(f"  {name:<8} {one.wall_s:7.1f} {one.cpu_s:7.1f} {one.memory_mb:10.0f}")
    campaign, calls = spent.values()
    print(f"  ratio    {campaign.wall_s / calls.wall_s:7.2f} {campaign.cpu_s / calls.cpu_s:7.2f}")


if __name__ == "__main__":
    main()
