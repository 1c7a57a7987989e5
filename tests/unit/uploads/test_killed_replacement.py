"""kill -9 at any step of a replacement: no second version stays on the disk, no acknowledged byte is lost."""

import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from tests.support.storage import Storage
from tests.unit.uploads.disk_use import NEW, SIZE, allocated, chunk, content

REWRITER = """
import os, signal, sys
from pathlib import Path
from facecli.metadata.uploads import SqlUploadRepository
from tests.unit.uploads.disk_use import CHUNKS, NEW, chunk
from tests.support.storage import Storage

left = int(sys.argv[2])

def step():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def stepping(function):
    def call(*args, **kwargs):
        step()
        result = function(*args, **kwargs)
        step()
        return result
    return call

class Rows(SqlUploadRepository):
    store_chunks = stepping(SqlUploadRepository.store_chunks)
    move_chunks = stepping(SqlUploadRepository.move_chunks)
    complete = stepping(SqlUploadRepository.complete)

for name in ("pwrite", "fdatasync", "ftruncate"):
    setattr(os, name, stepping(getattr(os, name)))

storage = Storage(Path(sys.argv[1]))
upload_service = storage.upload_service(repository=storage.opened(Rows))
upload, _ = upload_service.begin(NEW)
for version in range(2):
    for index in range(CHUNKS - 1):
        upload_service.put_chunk(upload.id, chunk(index, version), owner="ann")
        print(index, version, flush=True)
upload_service.put_chunk(upload.id, chunk(CHUNKS - 1, 0), owner="ann")
"""


@pytest.mark.slow
def test_a_kill_at_any_step_of_a_replacement_leaves_no_second_version_on_the_disk(tmp_path: Path) -> None:
    for killed_at in count(1, 5):  # all residues come up, because the steps of a chunk are no multiple
        directory = tmp_path / str(killed_at)
        directory.mkdir()
        command = [sys.executable, "-c", REWRITER, str(directory), str(killed_at)]
        rewriter = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        storage = Storage(directory)
        upload_service = storage.upload_service()
        assert upload_service.collector.sweep() == 0
        assert allocated(storage) <= SIZE
        upload, chunks = upload_service.begin(NEW)
        acknowledged = {
            int(index): int(version)
            for index, version in (line.split() for line in rewriter.stdout.splitlines())
        }
        for each in chunks if not upload.completed else ():
            data = storage.stored(upload, each)
            assert data in {chunk(each.index, version).data for version in (0, 1)}
            assert data[1] >= acknowledged.pop(each.index, 0)
        assert upload.completed or not acknowledged
        if upload.completed:
            assert storage.content(upload) == content({0: 1, 1: 1, 2: 1, 3: 0})
        assert allocated(storage) <= SIZE
        storage.close()
        if rewriter.returncode == 0:
            return
        assert rewriter.returncode == -signal.SIGKILL
