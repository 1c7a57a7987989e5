"""A stored file is compared with the checksum of its upload before it is trusted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import BytesDiffer, Cancelled
from facecli.uploads.stored_file import StoredFile
from tests.support.builders import upload

DATA = bytes(range(256)) * 10_000


def go_on() -> bool:
    return False


def stop() -> bool:
    return True


@pytest.fixture
def stored(tmp_path: Path) -> StoredFile:
    (tmp_path / "data").write_bytes(DATA)
    complete = replace(upload(), size=len(DATA), crc32c=crc32c(DATA))
    return StoredFile(complete, tmp_path / "data")


DAMAGES = {
    "a flipped bit": lambda path: path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1])),
    "a lost end": lambda path: path.write_bytes(DATA[:-1]),
    "a longer file": lambda path: path.write_bytes(DATA + b"x"),
    "an empty file": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(len(DATA))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_the_remedy_named(stored: StoredFile, damage: str) -> None:
    harm: Callable[[Path], object] = DAMAGES[damage]
    harm(stored.path)
    with pytest.raises(StoredBytesDamaged) as damaged:
        stored.verify(go_on)
    assert (damaged.value.reason, damaged.value.retryable) == ("STORAGE_FAILED", False)
    assert "clip.mp4 are damaged on the server's disk" in damaged.value.message
    assert "fsck --repair" in damaged.value.message


def test_an_intact_file_is_read_once(stored: StoredFile) -> None:
    stored.verify(go_on)
    stored.verify(stop)  # which ends every reading


def test_a_file_that_was_written_to_is_read_again(stored: StoredFile) -> None:
    stored.verify(go_on)
    with stored.path.open("r+b") as file:
        file.write(b"?")
    with pytest.raises(StoredBytesDamaged):
        stored.verify(go_on)


def test_an_unchanged_file_is_read_again_on_demand(stored: StoredFile) -> None:
    stored.verify(go_on)
    with pytest.raises(Cancelled):
        stored.verify(stop, reread=True)


def test_a_file_that_is_gone_is_no_damage_of_the_upload(stored: StoredFile) -> None:
    stored.path.unlink()
    with pytest.raises(BytesDiffer, match=r"the bytes of clip\.mp4 are gone"):
        stored.verify(go_on)
