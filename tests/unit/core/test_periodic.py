"""Periodic jobs run again after a failure, and stop at the end."""

import threading

import pytest

from facecli.core import periodic
from facecli.core.errors import Unavailable
from facecli.core.periodic import run_periodically


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unavailable("no database"), "no database"),
        (OSError("no disk"), "no disk"),
        (ValueError("odd"), "job"),
    ],
    ids=["ours", "of the system", "a bug, with its stack"],
)
def test_a_failed_job_is_logged_and_runs_again(
    caplog: pytest.LogCaptureFixture, error: Exception, expected: str
) -> None:
    again, done = threading.Event(), list[int]()

    def job() -> None:
        done.append(1)
        if len(done) == 1:
            raise error
        again.set()

    with run_periodically(0.001, job):
        assert again.wait(60)
    count = len(done)
    logged = caplog.records[0]
    assert logged.message == "periodic job failed; will run again"
    assert expected in (caplog.text if logged.exc_info else vars(logged)["error"])
    assert "periodic" not in [thread.name for thread in threading.enumerate()]
    assert len(done) == count


def test_the_end_does_not_wait_for_a_job_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(periodic, "END_SECONDS", 0.01)
    running, answered = threading.Event(), threading.Event()

    def job() -> None:
        running.set()
        answered.wait(60)

    try:
        with run_periodically(0.001, job):
            assert running.wait(60)
        assert caplog.records[-1].message == "periodic job still runs at the end"
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "periodic")
    finally:
        answered.set()
    thread.join()
