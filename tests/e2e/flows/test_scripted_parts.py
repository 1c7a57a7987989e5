"""The same flow by parts, as a script does it: every command with --json, read line by line."""

from pathlib import Path

from facecli.core.checksums import crc32c
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.files import sha256
from tests.support.e2e.process import Done, Event, Running, run
from tests.support.e2e.server import Server


class Script:
    """Commands of one user to one server, each with --json."""

    def __init__(self, server: Server, user: str) -> None:
        self.to = ("--server", server.address, "--user", user, "--json")

    def __call__(self, *arguments: object, expect: int = 0) -> Done:
        return run(*arguments, *self.to, expect=expect)

    def create(self, image: object, video: object, *options: object) -> Event:
        return self("task", "create", "--image", image, "--video", video, *options).object


def test_upload_prints_an_object_for_each_file_and_the_server_has_these_bytes(
    server: Server, user: str, face: Path, clip: Path
) -> None:
    sent = run("upload", face, clip, "--server", server.address, "--user", user, "--json").objects
    assert [said["name"] for said in sent] == ["face.png", "clip.mp4"]
    for said, path in zip(sent, (face, clip), strict=True):
        size = path.stat().st_size
        assert (said["size"], said["bytes_sent"], said["bytes_skipped"], said["chunks"]) == (size, size, 0, 1)
        assert said["crc32c"] == f"{crc32c(path.read_bytes()):08x}"
        assert server.sha256(said["file_url"], user) == sha256(path)


def test_a_task_from_urls_is_created_watched_listed_and_downloaded(
    server: Server, user: str, face: Path, clip: Path, tmp_path: Path, media: FfmpegMedia
) -> None:
    script, out = Script(server, user), tmp_path / "out.mp4"
    image, video = (said["file_url"] for said in script("upload", face, clip).objects)
    task = script.create(image, video)
    assert (task["image_url"], task["video_url"], task["engine"]) == (image, video, "mock")
    task_id = task["task_id"]
    told = script("task", "watch", task_id).objects
    assert [said["task_id"] for said in told] == [task_id] * len(told)
    assert [said["revision"] for said in told] == sorted({said["revision"] for said in told})
    assert [said["progress"] for said in told] == sorted(said["progress"] for said in told)
    assert (told[-1]["status"], told[-1]["progress"], told[-1]["error"]) == ("completed", 100, None)
    assert script("task", "status", task_id).object == told[-1]
    assert script("task", "list").objects == [told[-1]]
    assert script("task", "list", "--status", "failed").objects == []
    written = script("task", "download", task_id, "-o", out).object
    assert written == {"task_id": task_id, "path": str(out), "size": told[-1]["result_size"]}
    assert f"{crc32c(out.read_bytes()):08x}" == told[-1]["result_crc32c"]
    assert media.probe_video(out).frames == media.probe_video(clip).frames
    assert script("task", "cancel", task_id, expect=1).error["reason"] == "TASK_ENDED"
    assert script("task", "retry", task_id, expect=1).error["reason"] == "TASK_ENDED"


def test_a_task_from_local_files_uploads_them_first_and_the_same_key_makes_no_second_one(
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


def test_a_failed_task_says_why_and_runs_again_when_retried(
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
    with Running("task", "watch", task_id, *script.to) as watch:
        watch.event(lambda said: said["status"] == "processing")
        assert script("task", "cancel", task_id).object["status"] == "cancelled"
        assert watch.done().code == 3
    assert script("task", "cancel", task_id).object["status"] == "cancelled"
    assert script("task", "retry", task_id).object["status"] == "pending"
    with Running("task", "watch", task_id, *script.to) as watch:
        assert watch.event(lambda said: said["status"] == "processing")["attempt"] == 1
        script("task", "cancel", task_id)
        assert watch.done().objects[-1]["error"]["reason"] == "CANCELLED"


def test_what_belongs_to_another_user_is_not_found(server: Server, user: str, face: Path, clip: Path) -> None:
    mine, theirs = Script(server, user), Script(server, f"{user}-other")
    image, video = (said["file_url"] for said in mine("upload", face, clip).objects)
    task_id = mine.create(image, video)["task_id"]
    mine("task", "watch", task_id)
    for command in ("watch", "cancel", "retry"):
        assert theirs("task", command, task_id, expect=5).error["reason"] == "TASK_NOT_FOUND"
    created = theirs("task", "create", "--image", image, "--video", video, expect=5)
    assert created.error["reason"] == "UPLOAD_NOT_FOUND"
    assert theirs("task", "list").objects == []
