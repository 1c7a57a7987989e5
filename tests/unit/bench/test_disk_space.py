"""Disk space for a bench: checks and the scratch directory."""

from pathlib import Path

import pytest

from facecli.bench.disk_space import check_disk_space, check_free_bytes, scratch_directory
from facecli.core.errors import InvalidInput, LimitReached


def test_too_little_disk_space_is_refused_with_a_remedy(tmp_path: Path) -> None:
    check_disk_space(tmp_path, 1, remedy="go elsewhere")
    with pytest.raises(LimitReached, match=rf"MB in {tmp_path.parent}, which has .* MB left; go elsewhere"):
        check_disk_space(tmp_path, 10**18, remedy="go elsewhere")


def test_some_disk_space_is_left_free() -> None:
    check_free_bytes(200_000_000, 100_000_000, where="server:1", remedy="make room there")
    with pytest.raises(LimitReached, match="217 MB in server:1, which has 200 MB left; make room there"):
        check_free_bytes(200_000_000, 150_000_000, where="server:1", remedy="make room there")


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
