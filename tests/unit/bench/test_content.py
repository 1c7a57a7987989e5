"""The content of a bench, and the disk space for it."""

import zlib
from pathlib import Path

import pytest

from facecli.bench.content import check_disk_space, check_free_bytes, scratch_directory, write_content
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


def test_too_little_disk_space_is_refused_with_a_remedy(tmp_path: Path) -> None:
    check_disk_space(tmp_path, 1, cure="go elsewhere")
    with pytest.raises(LimitReached, match=rf"MB in {tmp_path.parent}, which has .* MB left; go elsewhere"):
        check_disk_space(tmp_path, 10**18, cure="go elsewhere")


def test_some_disk_space_is_left_free() -> None:
    check_free_bytes(200_000_000, 100_000_000, where="server:1", cure="make room there")
    with pytest.raises(LimitReached, match="217 MB in server:1, which has 200 MB left; make room there"):
        check_free_bytes(200_000_000, 150_000_000, where="server:1", cure="make room there")


def test_the_directory_is_new_and_removed_even_after_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        scratch_directory(tmp_path) as one,
        scratch_directory(tmp_path) as other,
    ):
        assert one != other
        (one / "content").write_bytes(b"bytes")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidInput, match=f"in {tmp_path}/none: No such file"),
        scratch_directory(tmp_path / "none"),
    ):
        pass
