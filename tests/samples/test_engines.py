from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import distributed  # noqa: F401  its settings must be there before one is changed
import pytest
from dask import config as dask_config

from darkbelle.errors import ConfigError, MissingDependencyError, WorkerError
from darkbelle.samples import engines
from darkbelle.samples.engines import completed, dask, local
from tests.samples import jobs


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with jobs.dask_cluster(tmp_path_factory.mktemp("dask"), 1, "--no-nanny") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_cluster():
    """One that needs no scheduler, and gives up a task after its first worker died of it."""
    before = signal.getsignal(signal.SIGINT)
    with dask_config.set({"distributed.scheduler.allowed-failures": 0}), dask(None, 2) as engine:
        assert signal.getsignal(signal.SIGINT) is before
        yield engine


@pytest.fixture(params=["pool", "cluster"])
def two_workers(request):
    if request.param == "cluster":
        yield request.getfixturevalue("own_cluster")
    else:
        with local(2) as engine:
            yield engine


@pytest.fixture(params=["here", "pool", "cluster"])
def engine(request):
    if request.param == "cluster":
        with dask(request.getfixturevalue("cluster").address, 1) as engine:
            yield engine
    else:
        with local(1 if request.param == "here" else 2) as engine:
            yield engine


def test_each_task_comes_back_once_with_its_result(engine):
    results = {task: future.result() for task, future in completed(engine, jobs.square, range(9))}
    assert {task: result[0] for task, result in results.items()} == {i: i * i for i in range(9)}


def test_no_tasks_no_results(engine):
    assert not list(completed(engine, jobs.square, []))


def test_a_call_that_fails_fails_alone(engine):
    futures = dict(completed(engine, jobs.squares_of_even, range(4)))
    assert {i: futures[i].result() for i in (0, 2)} == {0: 0, 2: 4}
    for i in (1, 3):
        with pytest.raises(ValueError, match=f"{i} is odd"):
            futures[i].result()


def test_tasks_are_taken_when_there_is_room(engine):
    taken = []

    def tasks():
        for i in range(20):
            taken.append(i)
            yield i

    for n_done, _ in enumerate(completed(engine, jobs.square, tasks(), ahead=3)):
        assert len(taken) <= n_done + 3


def test_one_worker_is_this_process_and_shows_each_result_at_once():
    taken = []

    def tasks():
        for i in range(3):
            taken.append(i)
            yield i

    with local(1) as engine:
        for task, future in completed(engine, jobs.square, tasks()):
            assert future.result()[1] == os.getpid()
            assert taken[-1] == task


def test_the_first_to_end_comes_first():
    with local(2) as engine:
        assert [task for task, _ in completed(engine, jobs.nap, [0.6, 0.0])] == [0.0, 0.6]


def test_requests_to_stop_are_obeyed_while_all_work(tmp_path):
    """And the pool does not wait for what is half-done."""
    tasks = [(i, 15.0, tmp_path) for i in range(4)]

    def check():
        if len(list(tmp_path.iterdir())) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), local(2) as engine:
        list(completed(engine, jobs.nap_noting_where, tasks, check=check))
    jobs.until(lambda: not any(map(jobs.is_running, jobs.noted(tmp_path))), 5)


def test_a_killed_process_is_told():
    message = r"a worker was killed, .*: run the same command again, .* goes on where it stopped"
    with pytest.raises(WorkerError, match=message), local(2) as engine:
        list(completed(engine, jobs.kill_itself, range(50)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(tmp_path, number):
    """However it ends; Ctrl-C goes to all of them, and they leave it to the parent."""
    script = (
        "from pathlib import Path\n"
        "from darkbelle.samples.engines import completed, local\n"
        "from tests.samples.jobs import nap_noting_where\n"
        "if __name__ == '__main__':\n"
        "    with local(2) as engine:\n"
        f"        tasks = [(i, 15.0, Path({str(tmp_path)!r})) for i in range(2)]\n"
        "        list(completed(engine, nap_noting_where, tasks))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=jobs.ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    jobs.until(lambda: len(list(tmp_path.iterdir())) == 2)
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)
    else:
        parent.kill()
    _, said = parent.communicate(timeout=10)
    assert said.count("Traceback") == (number == signal.SIGINT)  # the parent's own
    jobs.until(lambda: not any(map(jobs.is_running, jobs.noted(tmp_path))), 5)


class _Idle(engines.Engine):
    """Takes calls and does none."""

    def __init__(self):
        self.futures = []

    def submit(self, *_):
        self.futures.append(Future())
        return self.futures[-1]


def _is_interrupted(engine, moment):
    """Whether a request to stop strikes as one of the first locks and the like is taken."""

    def strike(frame, event, _):
        nonlocal moment
        if event == "return" and frame.f_code.co_name == "__enter__":
            moment -= 1
            if moment < 0:
                sys.setprofile(None)
                signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)

    def end():
        raise TimeoutError

    sys.setprofile(strike)
    try:
        list(completed(engine, jobs.nap, range(2), check=end))
    except (KeyboardInterrupt, TimeoutError) as error:
        return isinstance(error, KeyboardInterrupt)
    finally:
        sys.setprofile(None)


def test_requests_to_stop_leave_no_call_locked(monkeypatch):
    """A pool that is left would wait for ever; NumPy's threads receive what this one blocks."""
    monkeypatch.setattr(engines, "_PATIENCE", 0.0)
    for moment in itertools.count():
        engine = _Idle()
        interrupted = _is_interrupted(engine, moment)
        pool = threading.Thread(
            target=lambda calls: [call.cancel() for call in calls],
            args=(engine.futures,),
            daemon=True,
        )
        pool.start()
        pool.join(5)
        assert not pool.is_alive()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not interrupted:
            break
    assert moment > 5


def test_workers_of_this_machine_leave_ctrl_c_to_their_parent(tmp_path, two_workers):
    interrupted = []

    def interrupt():
        for pid in set(jobs.noted(tmp_path)) - set(interrupted):
            os.kill(pid, signal.SIGINT)
            interrupted.append(pid)

    tasks = [(i, 0.5, tmp_path) for i in range(2)]
    results = completed(two_workers, jobs.nap_noting_where, tasks, check=interrupt)
    assert {future.result() for _, future in results} == {0, 1}
    assert len(interrupted) == 2
    assert os.getpid() not in interrupted


def test_a_task_that_kills_its_workers_is_told(own_cluster):
    """The last of its cluster, whose workers come again."""
    message = "several Dask workers died of the same task, .* goes on where it stopped"
    with pytest.raises(WorkerError, match=message):
        list(completed(own_cluster, jobs.kill_itself, range(2)))


def test_equal_tasks_are_done_anew(cluster, tmp_path):
    """Dask would give the old answer to an equal question, but a file may have gone since."""
    with dask(cluster.address, 1) as engine:
        list(completed(engine, jobs.leave_a_file, [tmp_path] * 3))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_worker_of_another_version_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(engines, "__version__", "99.0")
    message = r"the worker on .* has darkbelle .*, this process has 99\.0: install the same"
    with pytest.raises(ConfigError, match=message), dask(cluster.address, 1) as engine:
        list(completed(engine, jobs.square, range(3)))


def test_what_workers_cannot_be_sent_is_refused(cluster):
    lock = threading.Lock()
    message = r"cannot be sent to workers \(.*lock"
    with pytest.raises(ConfigError, match=message), dask(cluster.address, 1) as engine:
        list(completed(engine, str, [lock]))


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(engines, "_ANSWER", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        message = re.escape(f"no Dask scheduler answers at {address}: start it by 'dask scheduler'")
        with pytest.raises(ConfigError, match=message), dask(address, 1):
            pass


def test_dask_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = r"distributed is missing: pip install 'darkbelle\[dask\]'"
    with pytest.raises(MissingDependencyError, match=message), dask(None, 1):
        pass


@pytest.mark.parametrize("make", [local, lambda workers: dask(None, workers).__enter__()])
def test_no_workers_are_refused(make):
    with pytest.raises(ConfigError, match="the number of workers must be positive"):
        make(0)


@pytest.mark.validation
def test_a_killed_worker_of_a_cluster_loses_nothing(tmp_path):
    """The whole group of one of two, in the middle of work: another does it again."""
    with jobs.dask_cluster(tmp_path) as cluster, dask(cluster.address, 1) as engine:
        notes = tmp_path / "notes"
        notes.mkdir()
        done = []
        for task, future in completed(
            engine, jobs.nap_noting_where, [(i, 0.1, notes) for i in range(12)]
        ):
            done.append(future.result())
            if len(done) == 3:
                os.killpg(cluster.workers[0].pid, signal.SIGKILL)
            assert task[0] == done[-1]
    assert sorted(done) == list(range(12))


def _lose(cluster, number):
    """Lose the scheduler in the middle of work."""
    since = 0.0

    def work(engine) -> None:
        nonlocal since
        for _, future in completed(engine, jobs.nap, [0.1] * 200):
            assert isinstance(future, Future)
            if not since:
                os.killpg(cluster.scheduler.pid, number)
                since = time.monotonic()

    message = f"the Dask scheduler at {cluster.address} is lost: start it .* where it stopped"
    with pytest.raises(WorkerError, match=message), dask(cluster.address, 1) as engine:
        work(engine)
    assert time.monotonic() - since < 10


@pytest.mark.validation
def test_a_scheduler_that_ends_is_told_at_once(tmp_path):
    with jobs.dask_cluster(tmp_path, workers=1) as cluster:
        _lose(cluster, signal.SIGTERM)


def test_a_lost_scheduler_is_told_at_once(cluster):
    """The last test, for the others share the scheduler."""
    _lose(cluster, signal.SIGKILL)
