"""`facecli task delete`: deletes ended tasks with their results, and nothing else."""

import pytest

from tests.support.cli import facecli
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_a_deleted_task_is_gone_with_its_result(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--watch", "-q")
    task_id = facecli(*command).lines[0]
    ran = facecli("task", "delete", task_id, "--json")
    assert (ran.code, ran.object) == (0, {"task_id": task_id, "deleted": True})
    for verb in ("status", "delete", "retry"):
        assert facecli("task", verb, task_id, "--json").error["reason"] == "TASK_NOT_FOUND"
    assert facecli("task", "download", task_id).code == 5


def test_a_running_task_must_be_cancelled_before_deletion(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--option", "delay=600")
    (task_id,) = facecli(*command, "-q").lines
    refused = facecli("task", "delete", task_id, "--json")
    assert (refused.code, refused.error["reason"], refused.out) == (1, "NOT_READY", "")
    assert "run facecli task cancel first" in refused.error["message"]
    facecli("task", "cancel", task_id)
    assert facecli("task", "delete", task_id, "-q").out == f"{task_id}\n"


def test_users_cannot_delete_tasks_of_other_users(completed: str) -> None:
    refused = facecli("task", "delete", completed, "--user", "somebody", "--json")
    assert refused.error["reason"] == "TASK_NOT_FOUND"
    assert facecli("task", "status", completed).code == 0
