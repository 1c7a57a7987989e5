"""The interval of polls: constant load on the database, whatever the number of workers."""

import pytest

from facecli.queue.runner import MAX_POLL_INTERVAL, POLL_INTERVAL, POLLS, poll_interval


@pytest.mark.parametrize(
    ("workers", "seconds"),
    [(0, POLL_INTERVAL), (1, POLL_INTERVAL), (10, POLL_INTERVAL), (50, 1.0), (5000, MAX_POLL_INTERVAL)],
)
def test_workers_poll_less_often_the_more_there_are(workers: int, seconds: float) -> None:
    assert poll_interval(workers) == seconds


def test_all_workers_together_poll_at_most_so_often() -> None:
    assert max(workers / poll_interval(workers) for workers in range(1, 101)) == pytest.approx(POLLS)
