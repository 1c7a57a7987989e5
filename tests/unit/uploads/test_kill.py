"""kill -9 of a real process: acknowledged chunks survive, the others are sent again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.support.storage import CHUNK, Content, Storage, send

pytestmark = pytest.mark.slow


FILE = Content(size=200 * CHUNK + 7)

SENDER = """
import sys
from pathlib import Path
from tests.support.storage import Storage, written
from tests.unit.uploads.test_kill import FILE

upload_service = Storage(Path(sys.argv[1])).upload_service()
upload, chunks = upload_service.begin(FILE.new)
with upload_service.writer(upload.id, owner="ann") as writer:
    for index in range(len(chunks), upload.total_chunks):
        upload_service.store(writer, written(writer, FILE.frames(index)))
        print(index, flush=True)
"""


def killed_sender(directory: Path, *, after: int) -> set[int]:
    """The chunks that a sender acknowledged before it was killed, while it was busy with the next."""
    command = [sys.executable, "-c", SENDER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout
        acknowledged = {int(sender.stdout.readline()) for _ in range(after)}
        sender.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in sender.stdout if line.endswith("\n")}
    assert sender.returncode == -signal.SIGKILL
    return acknowledged


@pytest.mark.parametrize("after", [1, 3, 10])
def test_an_acknowledged_chunk_survives_kill_9(storage: Storage, tmp_path: Path, after: int) -> None:
    acknowledged = killed_sender(tmp_path, after=after)
    acknowledged |= killed_sender(tmp_path, after=after)
    upload_service = storage.upload_service()
    assert upload_service.collector.sweep() == 0
    upload, chunks = upload_service.begin(FILE.new)
    assert acknowledged <= {chunk.index for chunk in chunks}
    for chunk in chunks:
        assert chunk.crc32c == crc32c(FILE.chunk(chunk.index))
        assert storage.stored(upload, chunk) == FILE.chunk(chunk.index)
    with upload_service.writer(upload.id, owner="ann") as writer:
        finished = send(upload_service, writer, FILE, range(len(chunks), upload.total_chunks))
    assert storage.content(finished) == FILE.data
