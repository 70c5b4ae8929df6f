"""Requests to stop: noted, obeyed when asked for, and ignored where they were."""

from __future__ import annotations

import signal

import pytest

from darkbelle.samples.cli.stopping import StopRequests


@pytest.fixture
def hang_ups_ignored():
    """As ``nohup`` leaves them."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_request_is_obeyed_when_asked_for():
    before = signal.getsignal(signal.SIGTERM)
    requests = StopRequests()
    with pytest.raises(SystemExit, match=str(128 + signal.SIGTERM)), requests:
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("hang_ups_ignored")
def test_what_is_ignored_stays_so():
    with StopRequests() as requests:
        signal.raise_signal(signal.SIGHUP)
        requests.check()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
