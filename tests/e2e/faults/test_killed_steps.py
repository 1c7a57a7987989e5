"""kill -9 of the server at every step that makes an upload durable, and at its answers."""

import signal
from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.conftest import MakeFile
from tests.support.e2e import stored_files as kept
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace

pytestmark = needs("strace")

CHUNK = 2 * MIB
SIZE = 5  # MiB; three chunks, two of which come in two frames
FLUSHES = "fdatasync,fsync"
LOG = "facecli.db-wal"  # what SQLite writes and flushes in a commit

Of = Literal["bytes", "rows"] | None


class Mortal(Server):
    def died(self) -> None:
        """Wait for the end that a kill -9 from elsewhere brings."""
        assert self._ended() == -signal.SIGKILL


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mortal]:
    with Mortal(tmp_path / "data", options=["--workers", "0"]) as running:
        yield running
        running.terminate()
        check_whole(running)


def test_a_kill_at_any_flush_of_a_name_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    """The directories and the empty file, with which an upload begins."""
    assert Killing(server, user, file(SIZE)).at_every_call("fsync", begun=False) >= 2


def test_a_kill_at_any_flush_of_the_bytes_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    assert Killing(server, user, file(SIZE)).at_every_call(FLUSHES, of="bytes") >= 1


def test_a_kill_at_any_write_of_the_bytes_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    assert Killing(server, user, file(SIZE)).at_every_call("pwrite64", of="bytes") >= 2


def test_a_kill_at_any_flush_of_the_rows_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    """With which a commit ends."""
    assert Killing(server, user, file(SIZE)).until_one_survives("fdatasync", of="rows") >= 2


def test_a_kill_at_any_write_of_the_rows_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    """Of which a commit is made: several pages, each in two writes."""
    assert Killing(server, user, file(SIZE)).until_one_survives("pwrite64", of="rows") >= 8


def test_a_kill_before_an_answer_loses_nothing(server: Mortal, user: str, file: MakeFile) -> None:
    """Also between a commit and its acknowledgement."""
    killing = Killing(server, user, file(SIZE))
    hits = [killing.at_call("sendmsg", when) for when in range(2, 7)]
    assert sum(hit is not None for hit in hits) >= 2


class Killing:
    """Uploads of one file, each with a kill -9 of the server at another call of the kernel."""

    def __init__(self, server: Mortal, user: str, path: Path) -> None:
        self._server = server
        self._user = user
        self._path = path
        self._sha256 = sha256(path)

    def at_every_call(self, calls: str, *, of: Of = None, begun: bool = True) -> int:
        """Kill at the first, the second … until an upload comes through; how many there are."""
        hits = list[int]()
        for when in count(1):
            hit = self.at_call(calls, when, of=of, begun=begun)
            if hit is None:
                break
            hits.append(hit)
        # strace counts for each thread alone: were the calls spread over several, some would never be hit.
        assert sorted(set(hits)) == list(range(len(set(hits)))), f"some {calls} of {of} were left out: {hits}"
        return len(hits)

    def until_one_survives(self, calls: str, *, of: Of) -> int:
        """Kill at the first that a thread makes, the second … until an upload comes through; how many died.

        How many there are depends on which chunks are stored together, and that on the moment.
        """
        return sum(1 for _ in takewhile(lambda n: self.at_call(calls, n, of=of) is not None, count(1)))

    def at_call(self, calls: str, when: int, *, of: Of = None, begun: bool = True) -> int | None:
        """Kill at a call, perhaps only at one that uses the bytes of the upload, or the rows of all.

        Its number among all of them; None when the upload came through before. Whatever was acknowledged is
        there after a start, and the same command completes.
        """
        name = f"{when}.mp4" if begun else f"{when} new.mp4"
        at = self._server.data / LOG if of == "rows" else None
        if begun:
            upload_id = kept.begin(self._server, self._user, self._path, name=name, chunk_size=CHUNK)
            at = kept.bytes_of(self._server, upload_id) if of == "bytes" else at
        to = ("--server", self._server.address, "--user", self._user, "--chunk-size", CHUNK)
        command = ("upload", self._path, "--name", name, *to, "--progress", "json", "--json")
        with (
            Strace(self._server, calls, what="signal=KILL", when=when, at=at) as strace,
            Running(*command, "--retry-for", "0s") as upload,
        ):
            done = upload.done()
        if strace.hit is None:
            assert done.code == 0
            return None
        self._server.died()
        check_whole(self._server)
        self._server.start()
        self._check(name, kept.acknowledged(done))
        again = run(*command).object
        assert again["bytes_skipped"] >= kept.acknowledged(done)
        assert self._server.sha256(again["file_url"], self._user) == self._sha256
        kept.check_agreement(self._server, self._user)
        return strace.hit

    def _check(self, name: str, acknowledged: int) -> None:
        kept.check_agreement(self._server, self._user)
        found = [upload for upload in kept.uploads(self._server, self._user) if upload.name == name]
        assert len(found) <= 1
        assert sum(upload.stored_bytes for upload in found) >= acknowledged
        for upload in found:
            there = kept.chunks(self._server, self._user, upload.upload_id)
            assert there.items() <= kept.crc32c_of_chunks(self._path, CHUNK).items()
