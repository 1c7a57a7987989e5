"""kill -9 of the server within a PATCH of a tus upload: no byte whose offset was answered is lost.

Only one flush of bytes, one of rows and one answer are hit, unless KILL_EVERY_PATCH=1 is set: then every
system call is, but every third write of rows, until an upload survives. That takes half an hour:
`KILL_EVERY_PATCH=1 pytest -s --timeout 3600 tests/e2e/faults/test_killed_patches.py`.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from itertools import count
from typing import Literal

import pytest

from tests.e2e.conftest import MakeFile
from tests.support.e2e import stored_files
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace
from tests.support.sockets import reserved_address
from tests.support.web.tus_upload import TusUpload

pytestmark = [needs("strace"), pytest.mark.slow]

EVERY = bool(os.environ.get("KILL_EVERY_PATCH"))
WAL = "facecli.db-wal"  # SQLite writes and flushes it in a commit

Of = Literal["bytes", "rows"] | None

BOUNDARIES: Mapping[str, tuple[str, Of]] = {
    "write of bytes": ("pwrite64", "bytes"),
    "flush of bytes": ("fdatasync,fsync", "bytes"),
    "write of rows": ("pwrite64", "rows"),
    "flush of rows": ("fdatasync", "rows"),
    "answer": ("sendto", None),
}
TYPICAL = {"flush of bytes": 1, "flush of rows": 1, "answer": 2}  # number of the call in its thread


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server and its address of HTTP, killed and started again by every test."""
    data = tmp_path_factory.mktemp("server") / "data"
    with (
        reserved_address() as address,
        Server(data, options=["--workers", "0", "--http", address]) as running,
    ):
        yield running, f"http://{address}"
        running.terminate()
        check_whole(running)


@pytest.mark.parametrize("boundary", BOUNDARIES if EVERY else TYPICAL)
def test_a_kill_within_a_patch_loses_no_answered_byte(
    served: tuple[Server, str], file: MakeFile, boundary: str
) -> None:
    server, url = served
    data = file(10).read_bytes()
    calls, of = BOUNDARIES[boundary]
    if not EVERY:
        assert is_killed(server, url, data, calls, TYPICAL[boundary], of=of)
        return
    # Three is odd, so that both calls of a page have their turn.
    numbers = count(1, 3 if boundary == "write of rows" else 1)
    survived = next(when for when in numbers if not is_killed(server, url, data, calls, when, of=of))
    sys.stderr.write(f"{boundary}: killed at each call before number {survived}\n")
    assert survived > 2


def is_killed(server: Server, url: str, data: bytes, calls: str, when: int, *, of: Of) -> bool:
    """Upload until a kill at the call with this number in its thread, and check what is left.

    Whether there was such a call.
    """
    upload = TusUpload(url, data)
    upload.send()
    paths = {
        "bytes": stored_files.data_file(server, upload.path.rpartition("/")[2]),
        "rows": server.data / WAL,
        None: None,
    }
    with (
        Strace(server, calls, inject="signal=KILL", when=when, path=paths[of]) as strace,
        suppress(OSError, HTTPException),
    ):
        upload.send_all()
    if strace.hit is None:
        assert upload.answered == len(data)
        return False
    server.wait_until_killed()
    server.start()
    answered, stored = upload.answered, upload.offset()
    assert answered <= stored <= len(data)
    upload.answered = stored
    upload.send_all()
    assert upload.sha256() == hashlib.sha256(data).hexdigest()
    return True
