"""`facecli file`: listing and deleting uploads."""

from pathlib import Path

import pytest

from tests.support.cli import facecli, started
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_files_are_listed_newest_first_with_their_urls(samples: Samples) -> None:
    assert facecli("file", "list").out == ""
    face, clip = facecli("upload", "-q", samples.face, samples.clip).lines
    assert facecli("file", "list", "-q").lines == [clip, face]
    assert facecli("file", "list", "-q", "--limit", "1").lines == [clip]
    assert facecli("file", "list").lines[1] == f"{face}  {samples.face.stat().st_size} bytes"
    listed = facecli("file", "list", "--json").objects[0]
    uploaded = facecli("upload", "--json", samples.clip).object
    assert {name: listed[name] for name in ("file_url", "upload_id", "name", "size", "crc32c")} == {
        name: uploaded[name] for name in ("file_url", "upload_id", "name", "size", "crc32c")
    }
    assert (listed["status"], listed["stored_bytes"]) == ("completed", listed["size"])


def test_incomplete_uploads_can_be_listed_and_deleted(samples: Samples, tmp_path: Path) -> None:
    facecli("upload", samples.face)
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(3 * 10**6))
    command = ("upload", large, "--chunk-size", "1MB", "--limit-rate", "2MB", "--progress", "json")
    with started(*command) as uploading:
        assert uploading.stderr
        while '"stored": 1000000' not in uploading.stderr.readline():
            assert uploading.poll() is None
    (unfinished,) = facecli("file", "list", "--unfinished", "--json").objects
    assert (unfinished["name"], unfinished["status"]) == ("large.mp4", "incomplete")
    assert 10**6 <= unfinished["stored_bytes"] < unfinished["size"] == 3 * 10**6
    assert facecli("file", "delete", unfinished["file_url"]).code == 0
    assert facecli("file", "list", "--unfinished").out == ""
    assert len(facecli("file", "list").lines) == 1


def test_a_failed_deletion_does_not_stop_the_others(samples: Samples) -> None:
    face, clip = facecli("upload", "-q", samples.face, samples.clip).lines
    unknown = f"/uploads/{'0' * 32}/x.mp4"
    ran = facecli("file", "delete", face, unknown, "nothing", clip)
    assert ran.code == 5
    assert ran.lines == [f"{face}  deleted", f"{clip}  deleted"]
    assert f"there is no upload {'0' * 32}" in ran.err
    assert "'nothing' is not a file_url" in ran.err
    assert facecli("file", "list").out == ""


def test_users_cannot_see_or_delete_files_of_other_users(samples: Samples) -> None:
    (face,) = facecli("upload", "-q", samples.face).lines
    assert facecli("file", "list", "--user", "somebody").out == ""
    refused = facecli("file", "delete", face, "--user", "somebody", "--json")
    assert (refused.code, refused.error["reason"]) == (5, "UPLOAD_NOT_FOUND")
    assert facecli("file", "list", "-q").lines == [face]


def test_a_file_needed_by_a_task_cannot_be_deleted_until_the_task_ends(samples: Samples) -> None:
    face, clip = facecli("upload", "-q", samples.face, samples.clip).lines
    (task_id,) = facecli(
        "task", "create", "--image", face, "--video", clip, "--option", "delay=600", "-q"
    ).lines
    refused = facecli("file", "delete", clip, "--json")
    facecli("task", "cancel", task_id)
    assert (refused.code, refused.error["reason"]) == (1, "NOT_READY")
    assert refused.error["message"].startswith(
        f"task {task_id} needs {samples.clip.name}; cancel it with facecli task cancel first"
    )
    assert facecli("file", "delete", clip, face).code == 0
