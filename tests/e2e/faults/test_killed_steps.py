"""kill -9 of the server at every system call that makes an upload durable and before acknowledgements.

Of the many writes of rows only every fifth is one of them, unless KILL_EVERY_WRITE=1 is set.
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.conftest import MakeFile
from tests.support.e2e import stored_files
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace
from tests.support.e2e.uploads import acknowledged

pytestmark = [needs("strace"), pytest.mark.slow]

CHUNK = 2 * MIB
SIZE = 5  # MiB; three chunks, two of which come in two frames
RATE = "10MB"  # a second, with which each chunk is a commit of its own
FLUSHES = "fdatasync,fsync"
WAL = "facecli.db-wal"  # SQLite writes and flushes it in a commit

# Five is odd, so that both calls of a page have their turn.
STEP = 1 if os.environ.get("KILL_EVERY_WRITE") else 5

Of = Literal["bytes", "rows"] | None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", options=["--workers", "0"]) as running:
        yield running
        running.terminate()
        check_whole(running)


def test_a_kill_at_any_flush_of_a_directory_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    """An upload begins with directories and an empty file."""
    assert KilledUploads(server, user, file(SIZE)).kill_at_every_call("fsync", begun=False) >= 2


def test_a_kill_at_any_flush_of_the_bytes_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    assert KilledUploads(server, user, file(SIZE)).kill_at_every_call(FLUSHES, of="bytes") >= 1


def test_a_kill_at_any_write_of_the_bytes_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    assert KilledUploads(server, user, file(SIZE)).kill_at_every_call("pwrite64", of="bytes") >= 2


def test_a_kill_at_any_flush_of_the_rows_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    """A commit ends with a flush."""
    assert KilledUploads(server, user, file(SIZE)).kill_until_one_survives("fdatasync", of="rows") >= 2


def test_a_kill_at_any_write_of_the_rows_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    """A commit writes several pages, each in two calls."""
    assert (
        KilledUploads(server, user, file(SIZE)).kill_until_one_survives("pwrite64", of="rows", step=STEP) >= 8
    )


def test_a_kill_before_an_acknowledgement_loses_nothing(server: Server, user: str, file: MakeFile) -> None:
    """A kill between a commit and its acknowledgement is one of them."""
    uploads = KilledUploads(server, user, file(SIZE))
    hits = [uploads.kill_at_call("sendmsg", when) for when in range(2, 7)]
    assert sum(hit is not None for hit in hits) >= 2


class KilledUploads:
    """Uploads of one file, each with a kill -9 of the server at another system call."""

    def __init__(self, server: Server, user: str, path: Path) -> None:
        self._server = server
        self._user = user
        self._path = path
        self._sha256 = sha256(path)

    def kill_at_every_call(self, calls: str, *, of: Of = None, begun: bool = True) -> int:
        """Kill at the first call, the second … until an upload completes; return the number of kills."""
        hits = list[int]()
        for when in count(1):
            hit = self.kill_at_call(calls, when, of=of, begun=begun)
            if hit is None:
                break
            hits.append(hit)
        # strace counts per thread: if several threads made these calls, some would never be hit.
        assert sorted(set(hits)) == list(range(len(set(hits)))), f"some {calls} of {of} were missed: {hits}"
        return len(hits)

    def kill_until_one_survives(self, calls: str, *, of: Of, step: int = 1) -> int:
        """Kill at the first call of a thread, then at every `step`-th after it, until an upload completes.

        Return the number of the last call with a kill. It varies, because group commit stores a varying
        number of chunks together.
        """
        last = 0
        for when in count(1, step):
            if self.kill_at_call(calls, when, of=of) is None:
                break
            last = when
        return last

    def kill_at_call(self, calls: str, when: int, *, of: Of = None, begun: bool = True) -> int | None:
        """Kill at a call, optionally only at calls on the data file or on the WAL, and check the recovery.

        Return the index of the call among all such calls, or None if the upload completed before it. After a
        restart every acknowledged byte must be stored, and the same command must complete the upload.
        """
        name = f"{when}.mp4" if begun else f"{when} new.mp4"
        target = self._server.data / WAL if of == "rows" else None
        if begun:
            upload_id = stored_files.begin(self._server, self._user, self._path, name=name, chunk_size=CHUNK)
            target = stored_files.data_file(self._server, upload_id) if of == "bytes" else target
        destination = ("--server", self._server.address, "--user", self._user, "--chunk-size", CHUNK)
        pace = ("--limit-rate", RATE) if of == "rows" else ()
        command = ("upload", self._path, "--name", name, *destination, *pace, "--progress", "json", "--json")
        with (
            Strace(self._server, calls, inject="signal=KILL", when=when, path=target) as strace,
            CommandProcess(*command, "--retry-for", "0s") as upload,
        ):
            result = upload.wait()
        if strace.hit is None:
            assert result.code == 0
            return None
        self._server.wait_until_killed()
        check_whole(self._server)
        self._server.start()
        self._check(name, acknowledged(result))
        again = invoke(*command).object
        assert again["bytes_skipped"] >= acknowledged(result)
        assert self._server.sha256(again["file_url"], self._user) == self._sha256
        stored_files.check_agreement(self._server, self._user)
        return strace.hit

    def _check(self, name: str, acknowledged: int) -> None:
        stored_files.check_agreement(self._server, self._user)
        uploads = [upload for upload in stored_files.uploads(self._server, self._user) if upload.name == name]
        assert len(uploads) <= 1
        assert sum(upload.stored_bytes for upload in uploads) >= acknowledged
        for upload in uploads:
            chunks = stored_files.chunks(self._server, self._user, upload.upload_id)
            assert chunks.items() <= stored_files.crc32c_of_chunks(self._path, CHUNK).items()
