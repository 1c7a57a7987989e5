"""`facecli task`: create, status, watch, cancel, retry, download and delete."""

import json
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.support.cli import TASK, facecli
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_create_prints_the_id_and_accepts_files_or_urls(samples: Samples) -> None:
    image = facecli("upload", samples.face, "-q").out.strip()
    ran = facecli("task", "create", "--image", image, "--video", samples.clip)
    assert ran.code == 0
    (task_id,) = ran.lines
    task = facecli("task", "status", task_id, "--json").object
    assert task["image_url"] == image
    assert task["video_url"].endswith("/clip.mp4")


def test_an_idempotency_key_creates_one_task_and_rejects_other_content(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--id", "order", "--json")
    first, second = facecli(*command), facecli(*command)
    assert first.object["task_id"] == second.object["task_id"]
    other = facecli(*command, "--option", "delay=1")
    assert (other.code, other.error["reason"], other.error["hint"]) == (
        2,
        "KEY_REUSED",
        "choose a different --id",
    )


def test_create_with_watch_waits_for_the_end(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--watch")
    created, *rest = facecli(*command, "--json").objects
    assert set(created) == TASK
    assert [task["task_id"] for task in rest] == [created["task_id"]] * len(rest)
    assert rest[-1]["status"] == "completed"
    task_id, url = facecli(*command, "-q").lines
    assert url.startswith(f"/outputs/{task_id}/")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--option", "delay"], "--option 'delay' is not K=V"),
        (["--option", "dealy=1"], "engine mock has no option 'dealy'; its options are: delay, fail_at, seed"),
        (["--engine", "magic"], "magic"),
        (["--consent", ""], "Invalid value for '--consent': it is empty"),
        (["--notify", " "], "Invalid value for '--notify': it is empty"),
        (["--id", ""], "Invalid value for '--id': it is empty"),
        (["--image", "missing.png", "--priority", "loud"], "use one of high, normal, low"),
        (["--id", "schlüssel"], "--id 'schlüssel' must consist of printable ASCII characters"),
        (["--image", "/uploads/none/face.png"], "there is no upload none"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_create_rejects_invalid_options(options: list[str], expected: str, samples: Samples) -> None:
    ran = facecli("task", "create", "--image", samples.face, "--video", samples.clip, *options, "--json")
    assert ran.code in {2, 5}
    assert ran.out == ""
    assert expected in ran.error["message"]


def test_status_prints_a_line_an_object_or_an_id(completed: str) -> None:
    plain, quiet = facecli("task", "status", completed), facecli("task", "status", completed, "-q")
    task = facecli("task", "status", completed, "--json").object
    assert plain.out.startswith(f"{completed}  completed   ")
    assert plain.out.endswith(f"  mock 2      face.png + clip.mp4  {task['result_url']}\n")
    assert quiet.out == f"{completed}\n"
    assert set(task) == TASK
    assert (task["progress"], task["engine"], task["error"]) == (100, "mock", None)
    assert plain.err == quiet.err == ""


def test_an_unknown_task_does_not_stop_the_others(completed: str) -> None:
    ran = facecli("task", "status", "nobody", completed, "--json")
    assert ran.code == 5
    assert ran.object["task_id"] == completed
    assert "nobody" in ran.error["message"]
    assert ran.error["hint"] == "facecli task list shows your tasks"


def test_watching_an_ended_task_returns_at_once(completed: str) -> None:
    plain, quiet = facecli("task", "watch", completed), facecli("task", "watch", completed, "-q")
    (url,) = quiet.lines
    assert plain.out == f"{completed}  completed  {url}\n"
    assert quiet.err == ""
    assert facecli("task", "watch", completed, "--json").object["result_url"] == url


def test_watching_several_tasks_exits_with_the_code_of_the_failed_one(
    completed: str, samples: Samples
) -> None:
    failing = facecli(
        *("task", "create", "--image", samples.face, "--video", samples.clip, "-q"),
        *("--option", "fail_at=0.5"),
    ).out.strip()
    ran = facecli("task", "watch", failing, completed, "--json")
    assert ran.code == 3
    ended = {task["task_id"]: task for task in ran.objects}
    assert ended[completed]["status"] == "completed"
    assert ended[failing]["error"]["message"] in ran.error["message"]
    assert "fail_at=0.5" in ran.error["message"]


def test_results_are_printed_in_the_order_of_the_arguments(samples: Samples) -> None:
    create = ("task", "create", "--image", samples.face, "--video", samples.clip, "-q", "--option")
    first = facecli(*create, "delay=0.1").out.strip()
    second = facecli(*create, "delay=0.2").out.strip()  # the only worker runs it after the first
    quiet = facecli("task", "watch", second, first, "-q")
    assert [line.split("/")[2] for line in quiet.lines] == [second, first]
    plain = facecli("task", "watch", second, first, second)
    assert [line.split()[0] for line in plain.lines] == [second, first, second]


def test_a_task_without_a_result_keeps_its_line(completed: str) -> None:
    ran = facecli("task", "watch", "nobody", completed, "-q")
    assert (ran.code, ran.lines[0]) == (5, "")
    assert ran.lines[1].startswith(f"/outputs/{completed}/")


def test_fail_fast_stops_at_the_first_failure_and_names_running_tasks(samples: Samples, slow: str) -> None:
    facecli("task", "cancel", slow)
    running = facecli(
        *("task", "create", "--image", samples.face, "--video", samples.clip, "-q"),
        *("--option", "delay=600"),
    ).out.strip()
    ran = facecli("task", "watch", running, slow, "--fail-fast", "--json")
    assert ran.code == 3
    # The state of the other task may follow it: both are watched concurrently.
    assert "cancelled" in {task["status"] for task in ran.objects}
    message = f"task {slow} cancelled: the task was cancelled; still running: {running}"
    assert ran.error["message"] == message
    assert facecli("task", "status", running, "--json").object["status"] in {"pending", "processing"}
    facecli("task", "cancel", running)
    both = facecli("task", "watch", running, slow, "--fail-fast")
    assert both.code == 3
    assert both.err.count("facecli: task") == 1


def test_fail_fast_waits_for_all_tasks_if_none_fails(completed: str) -> None:
    ran = facecli("task", "watch", completed, "nobody", completed, "--fail-fast", "-q")
    assert ran.code == 5
    assert [line.startswith("/outputs/") for line in ran.lines] == [True, False, True]


def test_watch_stops_after_its_timeout_and_the_task_continues(slow: str) -> None:
    ran = facecli("task", "watch", slow, "--timeout", "0.2s")
    assert ran.code == 124
    assert ran.err.endswith(f"facecli: task {slow} had not ended after 0.2s; it is still running\n")
    assert facecli("task", "status", slow, "--json").object["status"] in {"pending", "processing"}


def test_a_cancelled_task_can_be_retried(slow: str) -> None:
    cancelled = facecli("task", "cancel", slow, "--json").object
    assert (set(cancelled), cancelled["status"]) == (TASK, "cancelled")
    assert facecli("task", "watch", slow).code == 3
    retried = facecli("task", "retry", slow, "--json").object
    assert (set(retried), retried["status"]) == (TASK, "pending")
    assert facecli("task", "cancel", slow, "-q").out == f"{slow}\n"


def test_a_completed_task_can_be_neither_cancelled_nor_retried(completed: str) -> None:
    for action in ("cancel", "retry"):
        ran = facecli("task", action, completed, "--json")
        assert (ran.code, ran.error["reason"]) == (1, "TASK_ENDED")


def test_the_first_failure_determines_the_exit_code(completed: str) -> None:
    ran = facecli("task", "cancel", "nobody", completed, "--json")
    assert ran.code == 5
    assert [json.loads(line)["error"]["exit_code"] for line in ran.err.splitlines()] == [5, 1]
    assert facecli("task", "cancel", completed, "nobody").code == 1


def test_download_writes_the_result_and_prints_its_path(
    completed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = facecli("task", "status", completed, "--json").object
    out = tmp_path / "out.mp4"
    ran = facecli("task", "download", completed, "-o", out, "--json")
    assert ran.object == {"task_id": completed, "path": str(out), "size": task["result_size"]}
    assert f"{crc32c(out.read_bytes()):08x}" == task["result_crc32c"]
    monkeypatch.chdir(tmp_path)
    quiet = facecli("task", "download", completed, "-q")
    named = Path(task["result_url"]).name
    assert (quiet.out, quiet.err) == (f"{named}\n", "")
    assert (tmp_path / named).read_bytes() == out.read_bytes()
    again = facecli("task", "download", completed)
    assert (again.code, again.out) == (0, f"{named}\n")
    assert again.err == f"{named} is the result already\n"


def test_downloading_a_missing_result_is_an_error(slow: str, tmp_path: Path) -> None:
    ran = facecli("task", "download", slow, "-o", tmp_path / "out.mp4", "--json")
    assert (ran.code, ran.error["reason"]) == (1, "RESULT_MISSING")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_output_path_is_named(completed: str, tmp_path: Path) -> None:
    out = tmp_path / "none" / "out.mp4"
    ran = facecli("task", "download", completed, "-o", out, "--json")
    assert ran.code == 2
    assert str(out) in ran.error["message"]


def test_a_deleted_task_is_gone_with_its_result(samples: Samples) -> None:
    command = ("task", "create", "--image", samples.face, "--video", samples.clip, "--watch", "-q")
    task_id = facecli(*command).lines[0]
    ran = facecli("task", "delete", task_id, "--json")
    assert (ran.code, ran.object) == (0, {"task_id": task_id, "deleted": True})
    for verb in ("status", "delete", "retry"):
        assert facecli("task", verb, task_id, "--json").error["reason"] == "TASK_NOT_FOUND"
    assert facecli("task", "download", task_id).code == 5


def test_a_running_task_must_be_cancelled_before_deletion(slow: str) -> None:
    refused = facecli("task", "delete", slow, "--json")
    assert (refused.code, refused.error["reason"], refused.out) == (1, "NOT_READY", "")
    assert "run facecli task cancel first" in refused.error["message"]
    facecli("task", "cancel", slow)
    assert facecli("task", "delete", slow, "-q").out == f"{slow}\n"


def test_users_cannot_delete_tasks_of_other_users(completed: str) -> None:
    refused = facecli("task", "delete", completed, "--user", "somebody", "--json")
    assert refused.error["reason"] == "TASK_NOT_FOUND"
    assert facecli("task", "status", completed).code == 0
