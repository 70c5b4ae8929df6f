"""Events a second of ``darkbelle produce``, of the whole process and of each stage.

Usage: python benchmarks/throughput.py [-n EVENTS] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkbelle import gen, geometry, samples
from darkbelle.detsim import simulate
from darkbelle.samples.files.hdf5 import SampleWriter
from darkbelle.samples.files.tables import tabulate
from darkbelle.samples.observables import observables_of
from darkbelle.samples.production import CHUNK_SIZE, Stage

JOB = ["mumu-zprime", "-p", "mass=2.0"]


def whole_process(n_events: int, folder: Path) -> dict[str, float]:
    """Run the command line in a process of its own and account for it."""
    output = folder / "sample.h5"
    command = [sys.executable, "-m", "darkbelle", "produce", *JOB, "-n", str(n_events), "-o"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([*command, str(output), "--seed", "1", "--force"], check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "events_per_cpu_s": n_events / cpu,
        "bytes_per_event": output.stat().st_size / n_events,
        "peak_memory_mb": after.ru_maxrss / 1024,
    }


def stages(n_chunks: int, folder: Path) -> dict[str, float]:
    """Microseconds an event of each stage, one after the other in this process."""
    seconds: dict[str, float] = {}

    @contextmanager
    def clock(stage: str) -> Iterator[None]:
        start = time.process_time()
        yield
        seconds[stage] = seconds.get(stage, 0.0) + time.process_time() - start

    experiment = geometry.load("belle2")
    run = samples.Run(gen.MuMuZPrime(mass=2.0), experiment, seed=1)
    with clock("prepare (once)"):
        generator = run.prepare()
    with SampleWriter(folder / "stages.h5") as writer:
        for chunk in range(n_chunks):
            with clock("generate"):
                truth = generator.generate(CHUNK_SIZE, run.stream(chunk, Stage.GENERATE))
            with clock("simulate"):
                reco = simulate(truth, experiment, rng=run.stream(chunk, Stage.SIMULATE))
            with clock("tabulate"):
                observables = observables_of(run.process)
                tables = tabulate(truth, reco, experiment=experiment, observables=observables)
            with clock("write"):
                writer.append(tables)
        with clock("write"):
            writer.finish({})
    n_events = n_chunks * CHUNK_SIZE
    return {stage: 1e6 * spent / n_events for stage, spent in seconds.items()}


def main() -> None:
    """Print both, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--events", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        whole = whole_process(arguments.events, Path(folder))
        parts = stages(max(arguments.events // 10 // CHUNK_SIZE, 1), Path(folder))
    print(f"{' '.join(JOB)}, {arguments.events} events, one worker")
    for name, value in whole.items():
        print(f"  {name:<18} {value:12.1f}")
    print("  stage              us an event")
    for name, value in parts.items():
        print(f"  {name:<18} {value:12.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"whole": whole, "stages": parts}, indent=2))


if __name__ == "__main__":
    main()
