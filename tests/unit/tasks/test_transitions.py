"""The state machine of a task: the table of moves, and each transition."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import FacecliError, MediaRefused, NotReady, TakenOver, TaskEnded
from facecli.tasks import claims, transitions
from facecli.tasks.task import ENDED, Task, TaskStatus
from facecli.tasks.transitions import MOVES
from tests.support.builders import RESULT, task_in

RUN = "r1"

# Every transition, its new status, and the states it may start from; all others are refused.
TRANSITIONS: dict[str, tuple[Callable[[Task], Task], TaskStatus, set[TaskStatus]]] = {
    "claim": (
        partial(transitions.claim, run="r2", worker="w2"),
        TaskStatus.PROCESSING,
        {TaskStatus.PENDING, TaskStatus.PROCESSING},
    ),
    "complete": (
        partial(transitions.complete, run=RUN, result=RESULT),
        TaskStatus.COMPLETED,
        {TaskStatus.PROCESSING},
    ),
    "fail": (
        partial(transitions.fail, run=RUN, error=MediaRefused("no frames")),
        TaskStatus.FAILED,
        {TaskStatus.PROCESSING},
    ),
    "cancel": (transitions.cancel, TaskStatus.CANCELLED, {TaskStatus.PENDING, TaskStatus.PROCESSING}),
    "retry": (transitions.retry, TaskStatus.PENDING, {TaskStatus.FAILED, TaskStatus.CANCELLED}),
}


@pytest.mark.parametrize("to", TaskStatus)
@pytest.mark.parametrize("status", TaskStatus)
def test_every_move_outside_the_table_is_refused(status: TaskStatus, to: TaskStatus) -> None:
    if to in MOVES[status]:
        assert transitions.move(task_in(status), to) == replace(task_in(status), status=to)
        return
    with pytest.raises(
        TaskEnded if status in ENDED else NotReady, match=f"is {status}; it cannot become {to}"
    ):
        transitions.move(task_in(status), to)


@pytest.mark.parametrize("status", TaskStatus)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_is_legal_only_from_its_states(name: str, status: TaskStatus) -> None:
    change, to, legal = TRANSITIONS[name]
    if status in legal:
        assert change(task_in(status)).status is to
        return
    with pytest.raises((NotReady, TakenOver)):
        change(task_in(status))


def test_a_completed_task_has_no_further_moves() -> None:
    assert MOVES[TaskStatus.COMPLETED] == frozenset()


def test_a_claim_starts_anew_and_fences_off_the_previous_run() -> None:
    claimed = transitions.claim(task_in(TaskStatus.PROCESSING), run="r2", worker="w2")
    assert (claimed.run, claimed.worker, claimed.attempt) == ("r2", "w2", 2)
    assert (claimed.progress, claimed.frames_done, claimed.frames) == (0, 0, 250)
    fenced: list[Callable[[], Task]] = [
        lambda: transitions.advance(claimed, run=RUN, progress=50, stage="swapping"),
        lambda: transitions.complete(claimed, run=RUN, result=RESULT),
        lambda: transitions.fail(claimed, run=RUN, error=FacecliError("late")),
    ]
    for late in fenced:
        with pytest.raises(TakenOver):
            late()
    assert claims.release_after_crash(claimed, run=RUN, max_crashes=5) == claimed
    assert claims.release(claimed, run=RUN) == claimed


@pytest.mark.parametrize(("reported", "expected"), [(50, 50), (39, 40), (-1, 40), (100, 99), (1000, 99)])
def test_progress_never_decreases_and_reaches_100_only_at_the_end(reported: int, expected: int) -> None:
    advanced = transitions.advance(
        task_in(TaskStatus.PROCESSING), run=RUN, progress=reported, stage="joining"
    )
    assert (advanced.progress, advanced.stage) == (expected, "joining")


@pytest.mark.parametrize(("reported", "expected"), [(120, 120), (99, 100), (0, 100)])
def test_frame_counts_never_decrease_and_default_to_the_last_ones(reported: int, expected: int) -> None:
    processing = task_in(TaskStatus.PROCESSING)
    advanced = transitions.advance(processing, run=RUN, progress=50, stage="swapping", frames_done=reported)
    assert (advanced.frames_done, advanced.frames) == (expected, 250)
    counted = transitions.advance(processing, run=RUN, progress=50, stage="swapping", frames=300)
    assert counted.frames == 300


def test_completing_sets_the_result_and_full_progress() -> None:
    processing = replace(task_in(TaskStatus.PROCESSING), video_url="/uploads/v1/clip.of.mine.mp4")
    completed = transitions.complete(processing, run=RUN, result=RESULT)
    assert (completed.progress, completed.stage, completed.run, completed.worker) == (100, "", "", "")
    assert completed.frames_done == completed.frames == 250
    assert completed.result_url == "/outputs/t1/clip.of.mine.mp4"
    assert completed.ended


def test_a_failed_task_has_reason_and_message() -> None:
    failed = transitions.fail(task_in(TaskStatus.PROCESSING), run=RUN, error=MediaRefused("no frames"))
    assert (failed.error_reason, failed.error_message) == ("MEDIA_REFUSED", "no frames")
    assert (failed.run, failed.worker, failed.stage, failed.result_url) == ("", "", "", "")


def test_a_retry_starts_a_new_round_under_the_same_id() -> None:
    failed = task_in(TaskStatus.FAILED)
    retried = transitions.retry(failed)
    assert retried.id == failed.id
    assert retried.work_id != failed.work_id
    assert (retried.round, retried.attempt, retried.progress, retried.frames_done) == (2, 0, 0, 0)
    assert (retried.error_reason, retried.error_message) == ("", "")


def test_the_task_of_a_dead_worker_is_pending_again() -> None:
    released = claims.release_after_crash(task_in(TaskStatus.PROCESSING), run=RUN, max_crashes=5)
    assert (released.status, released.run, released.worker) == (TaskStatus.PENDING, "", "")
    assert (released.attempt, released.progress, released.frames_done) == (1, 40, 100)
    assert released.work_id == task_in(TaskStatus.PROCESSING).work_id


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.PROCESSING}))
def test_a_late_crash_report_changes_nothing(status: TaskStatus) -> None:
    assert claims.release_after_crash(task_in(status), run=RUN, max_crashes=1) == task_in(status)


def test_the_message_of_a_failure_shows_no_secret_and_no_folder() -> None:
    error = MediaRefused("cannot read '/srv/my data/face.png' with token ghp_a1b2c3d4e5f6g7h8i9j0")
    failed = transitions.fail(task_in(TaskStatus.PROCESSING), run=RUN, error=error)
    assert failed.error_message == "cannot read '…/face.png' with token ***"
