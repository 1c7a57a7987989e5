"""Random kills of the server and of the client during uploads: no acknowledged byte is lost.

`UPLOAD_KILLS=200 UPLOAD_KILL_SEED=7 pytest -s tests/e2e/uploads/test_upload_kills.py` is a long run.
"""

import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import CommandProcess
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import upload_command

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("UPLOAD_KILLS", "5"))
SEED = int(os.environ.get("UPLOAD_KILL_SEED", "1"))
SIZE = 48  # MiB
RATE = 16  # MiB a second, so that kills hit at every stage
CLIENT_KILLS = 0.3  # of all
KILLS_OF_UPLOAD = 8  # at most
MAX_PAUSE = 1.5  # seconds between two kills


def test_no_acknowledged_byte_is_lost_by_random_kills(serve: Serve, user: str, file: MakeFile) -> None:
    server, generator = serve(options=["--workers", "0"]), random.Random(SEED)
    kills: Counter[str] = Counter()
    uploads = 0
    while (left := KILLS - kills.total()) > 0:
        uploads += 1
        path = file(SIZE, f"clip{uploads}.mp4")
        kills += upload_with_kills(server, user, path, min(left, KILLS_OF_UPLOAD), generator)
    sys.stderr.write(f"seed {SEED}: {dict(kills)} over {uploads} uploads\n")
    server.terminate()
    check_whole(server)


def upload_with_kills(
    server: Server, user: str, path: Path, limit: int, generator: random.Random
) -> Counter[str]:
    """Upload a file under at most `limit` kills of the server and of the client; return how many there were.

    Without a limit, a machine on which a client starts more slowly than the kills come would never end it.
    """
    kills: Counter[str] = Counter()
    command = (*upload_command(path, server.address, user), "--limit-rate", f"{RATE}MiB")
    confirmed = 0
    while True:
        with CommandProcess(*command) as upload:
            while kills.total() < limit and upload.runs_for(generator.random() * MAX_PAUSE):
                if generator.random() < CLIENT_KILLS:
                    os.kill(upload.pid, signal.SIGKILL)
                    kills["client"] += 1
                    break
                server.kill()
                confirmed = max(confirmed, upload.stored())
                server.start()
                kills["server"] += 1
                check_stored(server, user, path, confirmed)
            result = upload.wait()
            confirmed = max(confirmed, upload.stored())
        check_stored(server, user, path, confirmed)
        if result.code == 0:
            assert server.sha256(result.object["file_url"], user) == sha256(path)
            return kills
        assert result.code == -signal.SIGKILL, result


def check_stored(server: Server, user: str, path: Path, confirmed: int) -> None:
    """Assert that all acknowledged bytes have rows, and that the bytes of all rows are the file's."""
    rows = [row for row in stored_files.uploads(server, user) if row.name == path.name]
    assert sum(row.stored_bytes for row in rows) >= confirmed
    for row in rows:
        chunks = stored_files.chunks(server, user, row.upload_id)
        assert chunks.items() <= stored_files.crc32c_of_chunks(path, MIB).items()
        data = stored_files.data_file(server, row.upload_id).read_bytes() if chunks else b""
        assert {index: crc32c(data[index * MIB : (index + 1) * MIB]) for index in chunks} == chunks
