"""Frame rate and time left, derived from the changes of a task."""

from dataclasses import replace

import pytest

from facecli.cli.progress.bars import progress_bars
from facecli.cli.progress.frame_rate import FrameRate
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from tests.support.views import task_view_in

PROCESSING = task_view_in(TaskStatus.PROCESSING)


def at(second: float, done: int, *, attempt: int = 1, **more: object) -> TaskView:
    values = {"frames_done": done, "progress": done * 100 // 250, "attempt": attempt, **more}
    return replace(PROCESSING, updated_at=1000.0 + second, **values)  # type: ignore[arg-type]


@pytest.fixture
def rate() -> FrameRate:
    return FrameRate()


def test_two_samples_give_a_rate(rate: FrameRate) -> None:
    rate.update(at(0, 0))
    assert (rate.per_second, rate.text) == (None, "0/250 frames")
    rate.update(at(2, 50))
    assert (rate.per_second, rate.seconds_left) == (25.0, 8.0)
    assert rate.text == "50/250 frames  25.0 fps  0:08 left"


def test_the_rate_covers_the_last_seconds(rate: FrameRate) -> None:
    for second in range(20):
        rate.update(at(second, second))
    for second in range(20, 31):
        rate.update(at(second, 20 + (second - 20) * 10))
    assert rate.per_second == pytest.approx(10, rel=0.05)


def test_unchanged_frames_give_no_rate(rate: FrameRate) -> None:
    rate.update(at(0, 10))
    rate.update(at(5, 10, stage="publishing"))
    assert rate.per_second is None


def test_a_new_attempt_is_reported_once_and_resets_the_rate(rate: FrameRate) -> None:
    pending = replace(at(3, 100), status=TaskStatus.PENDING, stage="")
    assert not rate.update(replace(pending, attempt=0))
    assert not rate.update(at(0, 0))
    assert not rate.update(at(2, 100))
    assert not rate.update(pending)
    assert rate.update(at(4, 0, attempt=2))
    assert rate.per_second is None
    assert not rate.update(at(5, 10, attempt=2))
    assert rate.per_second == 10.0


def test_frames_from_a_checkpoint_do_not_count_for_the_rate(rate: FrameRate) -> None:
    rate.update(at(0, 100))
    rate.update(at(1, 0, attempt=2, stage="starting"))
    rate.update(at(2, 100, attempt=2))
    assert (rate.per_second, rate.text) == (None, "100/250 frames")
    rate.update(at(4, 150, attempt=2))
    assert rate.per_second == 25.0


def test_an_attempt_already_running_is_not_reported(rate: FrameRate) -> None:
    assert not rate.update(at(0, 0, attempt=2))


def test_a_retry_counts_as_a_new_attempt(rate: FrameRate) -> None:
    rate.update(at(0, 100))
    assert not rate.update(at(1, 0, attempt=0, round=2))
    assert rate.update(at(2, 0, attempt=1, round=2))


def test_an_ended_task_has_no_time_left(rate: FrameRate) -> None:
    rate.update(at(0, 0))
    rate.update(at(10, 250))
    assert rate.text == "250/250 frames  25.0 fps"


def test_a_log_gets_a_line_per_ten_percent_and_per_attempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bars("tqdm", quiet=False) as bars:
        update = bars.task()
        update(replace(at(0, 0, attempt=0), status=TaskStatus.PENDING, stage="", frames=0))
        for frame in range(0, 60, 5):
            update(at(frame / 25, frame))
        update(replace(at(2.5, 55), status=TaskStatus.PENDING, stage=""))
        update(at(3, 0, attempt=2, stage="starting"))
        update(at(4, 25, attempt=2))
        update(at(5, 50, attempt=2))
    assert capsys.readouterr().err.splitlines() == [
        "t1  pending  0%",
        "t1  processing  0%  swapping  0/250 frames",
        "t1  processing  10%  swapping  25/250 frames  25.0 fps  0:09 left",
        "t1  processing  20%  swapping  50/250 frames  25.0 fps  0:08 left",
        "t1  pending  20%  55/250 frames",
        "t1  attempt 2 began",
        "t1  processing  0%  starting  0/250 frames",
        "t1  processing  10%  swapping  25/250 frames",
        "t1  processing  20%  swapping  50/250 frames  25.0 fps  0:08 left",
    ]
