"""The content of a bench."""

import zlib
from pathlib import Path

import pytest

from facecli.bench.content import write_content
from facecli.core.errors import InvalidInput, LimitReached

SIZE = 2 * 1024 * 1024 + 7


def test_the_content_has_the_requested_size_and_is_incompressible(tmp_path: Path) -> None:
    write_content(tmp_path / "content", size=SIZE, seed=1)
    content = (tmp_path / "content").read_bytes()
    assert len(content) == SIZE
    assert len(zlib.compress(content, level=1)) > SIZE


def test_the_same_seed_makes_the_same_content(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        write_content(tmp_path / name, size=SIZE, seed=seed)
    one, again, other = ((tmp_path / name).read_bytes() for name in ("one", "again", "other"))
    assert one == again != other


def test_a_full_disk_is_a_limit(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="cannot write /dev/full: No space left on device"):
        write_content(Path("/dev/full"), size=SIZE, seed=1)
    with pytest.raises(InvalidInput, match="Is a directory"):
        write_content(tmp_path, size=SIZE, seed=1)
