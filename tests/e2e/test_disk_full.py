"""A full disk: refused with words, and gone on with when there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Running, run
from tests.e2e.conftest import MakeFile, Serve, mount, unmount
from tests.e2e.files import MIB, sha256

SIZE = 32  # MiB


class Disk:
    """A small file system, and what fills it to its last byte."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._filling = folder / "filling"

    def fill(self, *, but: int = 0) -> None:
        """Take all the room but so many bytes."""
        with self._filling.open("wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space"):
                while True:
                    assert file.write(bytes(4096))
            file.truncate(file.tell() - but)

    def empty(self) -> None:
        self._filling.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    assert mount(folder, f"{SIZE}m")
    try:
        yield Disk(folder)
    finally:
        unmount(folder)


def test_an_upload_to_a_full_disk_is_refused_and_completes_when_there_is_room(
    disk: Disk, serve: Serve, user: str, face: Path, clip: Path, file: MakeFile
) -> None:
    server = serve(data=disk.data, options=["--workers", "0"])
    send = ("upload", "--server", server.address, "--user", user, "--json", "--retry-for", "1s")
    kept = run(*send, face).object["file_url"]
    refused = run(*send, file(SIZE), expect=9)
    assert refused.error["reason"] == "DISK_FULL"
    assert "make room" in refused.error["hint"]
    disk.fill()
    assert run(*send, clip, expect=9).error["reason"] == "DISK_FULL"
    assert server.sha256(kept, user) == sha256(face)
    assert server.uploads(user) == {face.name: face.stat().st_size}
    disk.empty()
    assert server.sha256(run(*send, clip).object["file_url"], user) == sha256(clip)


def test_an_upload_that_was_begun_goes_on_while_the_disk_is_full_because_its_room_was_taken_first(
    disk: Disk, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.data, options=["--workers", "0"]), file(SIZE // 2)
    command = ("upload", path, "--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
    with Running(*command, "--progress", "json", "--retry-for", "1s") as upload:
        upload.stored(0)
        disk.fill()
        done = upload.done()
    if done.code:
        # The rows had no room: refused, nothing that was acknowledged is lost.
        assert (done.code, done.error["reason"]) == (9, "DISK_FULL")
        disk.empty()
        done = run(*command)
    assert server.sha256(done.object["file_url"], user) == sha256(path)


def test_a_task_that_has_no_room_for_its_result_fails_with_that_reason_and_completes_when_there_is(
    disk: Disk, serve: Serve, face: Path, long_clip: Path
) -> None:
    server = serve(data=disk.data, options=["--workers", "0"])
    files = ("--image", face, "--video", long_clip, "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    server.terminate()
    disk.fill(but=512 * 1024)
    server.start("--workers", "1")
    failed = run("task", "watch", task_id, "--server", server.address, "--json", expect=3).objects[-1]
    assert failed["error"]["reason"] == "DISK_FULL"
    assert (server.results(), server.leftovers()) == ([], [])
    disk.empty()
    run("task", "retry", task_id, "--server", server.address)
    run("task", "watch", task_id, "--server", server.address)
    assert (len(server.results()), server.leftovers()) == (1, [])


def test_a_task_whose_databases_have_no_room_either_completes_when_there_is(
    disk: Disk, serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(data=disk.data, complains=True)
    files = ("--image", face, "--video", clip, "--option", "delay=2", "--server", server.address)
    task_id = run("task", "create", *files, "-q").out.strip()
    with Running("task", "watch", task_id, "--server", server.address, "--json") as watch:
        watch.event(lambda said: said["stage"] == "swapping")
        disk.fill()
        server.heard("disk is full")
        disk.empty()
        done = watch.done()
    if done.code:
        # There was room for the outcome but not for the result.
        assert done.objects[-1]["error"]["reason"] == "DISK_FULL"
        run("task", "retry", task_id, "--server", server.address)
        run("task", "watch", task_id, "--server", server.address)
    assert (len(server.results()), server.leftovers()) == (1, [])
