"""The flow as separate commands in a script, with --json output read line by line."""

from pathlib import Path

from facecli.core.checksums import crc32c
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.files import sha256
from tests.support.e2e.process import CommandProcess, CommandResult, Event, run
from tests.support.e2e.server import Server


class Script:
    """Commands of one user to one server, each with --json."""

    def __init__(self, server: Server, user: str) -> None:
        self.options = ("--server", server.address, "--user", user, "--json")

    def __call__(self, *arguments: object, expect: int = 0) -> CommandResult:
        return run(*arguments, *self.options, expect=expect)

    def create(self, image: object, video: object, *options: object) -> Event:
        return self("task", "create", "--image", image, "--video", video, *options).object


def test_upload_prints_an_object_for_each_file_that_the_server_stored(
    server: Server, user: str, face: Path, clip: Path
) -> None:
    printed = run("upload", face, clip, "--server", server.address, "--user", user, "--json").objects
    assert [upload["name"] for upload in printed] == ["face.png", "clip.mp4"]
    for upload, path in zip(printed, (face, clip), strict=True):
        size = path.stat().st_size
        assert (upload["size"], upload["bytes_sent"], upload["bytes_skipped"], upload["chunks"]) == (
            size,
            size,
            0,
            1,
        )
        assert upload["crc32c"] == f"{crc32c(path.read_bytes()):08x}"
        assert server.sha256(upload["file_url"], user) == sha256(path)


def test_a_task_from_urls_is_created_watched_listed_and_downloaded(
    server: Server, user: str, face: Path, clip: Path, tmp_path: Path, media: FfmpegMedia
) -> None:
    script, out = Script(server, user), tmp_path / "out.mp4"
    image, video = (upload["file_url"] for upload in script("upload", face, clip).objects)
    task = script.create(image, video)
    assert (task["image_url"], task["video_url"], task["engine"]) == (image, video, "mock")
    task_id = task["task_id"]
    states = script("task", "watch", task_id).objects
    assert [state["task_id"] for state in states] == [task_id] * len(states)
    assert [state["revision"] for state in states] == sorted({state["revision"] for state in states})
    assert [state["progress"] for state in states] == sorted(state["progress"] for state in states)
    assert (states[-1]["status"], states[-1]["progress"], states[-1]["error"]) == ("completed", 100, None)
    assert script("task", "status", task_id).object == states[-1]
    assert script("task", "list").objects == [states[-1]]
    assert script("task", "list", "--status", "failed").objects == []
    download = script("task", "download", task_id, "-o", out).object
    assert download == {"task_id": task_id, "path": str(out), "size": states[-1]["result_size"]}
    assert f"{crc32c(out.read_bytes()):08x}" == states[-1]["result_crc32c"]
    assert media.probe_video(out).frames == media.probe_video(clip).frames
    assert script("task", "cancel", task_id, expect=1).error["reason"] == "TASK_ENDED"
    assert script("task", "retry", task_id, expect=1).error["reason"] == "TASK_ENDED"


def test_a_task_from_local_files_uploads_them_and_is_idempotent_by_key(
    server: Server, user: str, face: Path, clip: Path
) -> None:
    script = Script(server, user)
    watched = script("task", "create", "--image", face, "--video", clip, "--id", "mine", "--watch").objects
    assert watched[0]["task_id"] == watched[-1]["task_id"]
    assert watched[-1]["status"] == "completed"
    assert script.create(face, clip, "--id", "mine") == watched[-1]
    refused = script(
        "task", "create", "--image", face, "--video", clip, "--id", "mine", "--option", "delay=1", expect=2
    )
    assert refused.error["reason"] == "KEY_REUSED"
    assert len(script("task", "list").objects) == 1


def test_a_failed_task_gives_its_reason_and_runs_again_when_retried(
    server: Server, user: str, face: Path, clip: Path
) -> None:
    script = Script(server, user)
    task_id = script.create(face, clip, "--option", "fail_at=0.5")["task_id"]
    assert script("task", "watch", task_id, expect=3).objects[-1]["status"] == "failed"
    failed = script("task", "status", task_id).object
    assert "fail_at=0.5" in failed["error"]["message"]
    assert failed["result_url"] == ""
    assert script("task", "download", task_id, expect=1).error["reason"] == "RESULT_MISSING"
    retried = script("task", "retry", task_id).object
    assert (retried["status"], retried["error"]) == ("pending", None)
    assert script("task", "watch", task_id, expect=3).error["reason"] == "TASK_UNSUCCESSFUL"
    assert script("task", "status", task_id).object["revision"] > retried["revision"]


def test_a_cancelled_task_runs_again_when_retried(server: Server, user: str, face: Path, clip: Path) -> None:
    script = Script(server, user)
    task_id = script.create(face, clip, "--option", "delay=600")["task_id"]
    with CommandProcess("task", "watch", task_id, *script.options) as watch:
        watch.wait_for_event(lambda event: event["status"] == "processing")
        assert script("task", "cancel", task_id).object["status"] == "cancelled"
        assert watch.wait().code == 3
    assert script("task", "cancel", task_id).object["status"] == "cancelled"
    assert script("task", "retry", task_id).object["status"] == "pending"
    with CommandProcess("task", "watch", task_id, *script.options) as watch:
        assert watch.wait_for_event(lambda event: event["status"] == "processing")["attempt"] == 1
        script("task", "cancel", task_id)
        assert watch.wait().objects[-1]["error"]["reason"] == "CANCELLED"


def test_files_and_tasks_of_another_user_are_not_found(
    server: Server, user: str, face: Path, clip: Path
) -> None:
    mine, theirs = Script(server, user), Script(server, f"{user}-other")
    image, video = (upload["file_url"] for upload in mine("upload", face, clip).objects)
    task_id = mine.create(image, video)["task_id"]
    mine("task", "watch", task_id)
    for command in ("watch", "cancel", "retry"):
        assert theirs("task", command, task_id, expect=5).error["reason"] == "TASK_NOT_FOUND"
    created = theirs("task", "create", "--image", image, "--video", video, expect=5)
    assert created.error["reason"] == "UPLOAD_NOT_FOUND"
    assert theirs("task", "list").objects == []
