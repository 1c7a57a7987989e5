"""The contract of every TaskRepository for ended tasks and crashes."""

from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import TaskNotFound
from facecli.tasks import claims, transitions
from facecli.tasks.repository import TaskRepository
from facecli.uploads.repository import UploadRepository
from tests.support.builders import NEW, claim, upload


def test_ended_tasks_are_listed_oldest_first_up_to_a_time(
    task_repository: TaskRepository,
) -> None:
    for number, at in enumerate([140.0, 120.0, 160.0]):
        task_repository.insert(NEW, task_id=f"t{number}", now=100.0)
        task_repository.change(f"t{number}", transitions.cancel, now=at)
    task_repository.insert(NEW, task_id="waits", now=100.0)
    ended = task_repository.ended(before=150.0)
    assert [task.id for task in ended] == ["t1", "t0"]
    assert task_repository.ended(before=150.0, after=ended[0]) == ended[1:]
    assert task_repository.ended(before=150.0, after=ended[1]) == []


def test_an_ended_task_is_deleted_only_at_the_given_revision(
    task_repository: TaskRepository,
) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    assert not task_repository.delete("t1", revision=task.revision)
    ended = task_repository.change("t1", transitions.cancel, now=101.0)
    assert not task_repository.delete("t1", revision=task.revision)
    assert task_repository.get("t1") == ended
    assert task_repository.delete("t1", revision=ended.revision)
    assert not task_repository.delete("t1", revision=ended.revision)
    with pytest.raises(TaskNotFound):
        task_repository.get("t1")


def test_a_task_needs_its_uploads_until_it_ends(
    task_repository: TaskRepository, upload_repository: UploadRepository
) -> None:
    upload_repository.insert([NEW.image, NEW.video, upload(id="u1")])
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    assert [upload_repository.needed_by(upload_id) for upload_id in ("i1", "v1", "u1")] == ["t1", "t1", None]
    task_repository.change("t1", transitions.cancel, now=102.0)
    assert upload_repository.needed_by("v1") is None
    task_repository.change("t1", transitions.retry, now=103.0)
    assert upload_repository.needed_by("v1") == "t1"


def test_a_task_needs_the_picture_that_an_option_names(
    task_repository: TaskRepository, upload_repository: UploadRepository
) -> None:
    upload_repository.insert([upload(id=upload_id) for upload_id in ("p_1", "p11", "p_")])
    new = replace(NEW, options={"faces": "like:/uploads/p_1/old%20face.png"})
    task_repository.insert(new, task_id="t1", now=100.0)
    assert [upload_repository.needed_by(upload_id) for upload_id in ("p_1", "p11", "p_")] == [
        "t1",
        None,
        None,
    ]
    task_repository.change("t1", transitions.cancel, now=101.0)
    assert upload_repository.needed_by("p_1") is None


def test_crashes_are_stored_and_a_retry_resets_them(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    assert (
        task_repository.change(
            "t1", partial(claims.release_after_crash, run="r1", max_crashes=5), now=102.0
        ).crashes
        == 1
    )
    assert task_repository.get("t1").crashes == 1
    task_repository.change("t1", transitions.cancel, now=103.0)
    assert task_repository.change("t1", transitions.retry, now=104.0).crashes == 0
