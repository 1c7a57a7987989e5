"""The cache of a machine: bounded, shared by processes, and correct after a kill at any moment."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from facecli.blobs.file_cache import FileCache
from facecli.core.errors import Cancelled, DiskFull, FileTooLarge, StorageFailed

LIMIT = 10  # bytes


class Source:
    """Files to fetch: each is its name, repeated. `held` makes a fetch wait in its middle."""

    def __init__(self, directory: Path) -> None:
        self.cache = FileCache(directory, limit=LIMIT)
        self.fetched: list[str] = []
        self.middle = threading.Event()
        self.held = threading.Event()
        self.held.set()

    def file(self, name: str, size: int = 4, *, stopped: bool = False) -> AbstractContextManager[Path]:
        def blocks() -> Iterator[bytes]:
            self.fetched.append(name)
            yield name.encode() * (size // 2)
            self.middle.set()
            self.held.wait()
            yield name.encode() * (size - size // 2)

        return self.cache.file(name, size=lambda: size, blocks=blocks, stopped=lambda: stopped)

    def use(self, *names: str) -> None:
        for name in names:
            with self.file(name) as path:
                assert path.read_bytes() == name.encode() * 4


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "cache")


def files(directory: Path) -> set[str]:
    return {path.name for path in (directory / "cache" / "files").iterdir()}


def test_a_file_is_fetched_once(source: Source) -> None:
    source.use("a", "b", "a", "a")
    assert source.fetched == ["a", "b"]


def test_the_file_that_was_used_the_longest_time_ago_makes_room(source: Source, tmp_path: Path) -> None:
    source.use("a", "b", "a", "c")
    assert files(tmp_path) == {"a", "c"}


def test_a_file_in_use_stays(source: Source, tmp_path: Path) -> None:
    with source.file("a") as path:
        source.use("b", "c", "d")
        assert path.read_bytes() == b"aaaa"
        with source.file("d"), pytest.raises(DiskFull, match="set FACECLI_BLOB_CACHE to more"):
            source.use("e")
    source.use("e", "f")
    assert files(tmp_path) == {"e", "f"}


def test_a_file_larger_than_the_cache_is_refused(source: Source) -> None:
    with pytest.raises(FileTooLarge, match="11 bytes does not fit"), source.file("a", LIMIT + 1):
        pass
    assert source.fetched == []


def test_a_fetch_that_fails_leaves_nothing(source: Source, tmp_path: Path) -> None:
    with pytest.raises(Cancelled), source.file("a", stopped=True):
        pass
    short = source.cache.file("a", size=lambda: 5, blocks=lambda: iter([b"aaaa"]), stopped=lambda: False)
    with pytest.raises(StorageFailed, match="ended after 4 bytes, not 5"), short:
        pass
    assert files(tmp_path) == set()
    source.use("a", "b")
    assert files(tmp_path) == {"a", "b"}


def test_tasks_that_need_the_same_file_wait_for_one_fetch(source: Source) -> None:
    source.held.clear()
    with ThreadPoolExecutor(3) as pool:
        uses = [pool.submit(source.use, "a") for _ in range(3)]
        assert source.middle.wait(60)
        source.held.set()
        for use in uses:
            use.result()
    assert source.fetched == ["a"]


def test_a_forgotten_file_is_fetched_again_unless_it_is_in_use(source: Source, tmp_path: Path) -> None:
    with source.file("a"):
        source.cache.forget("a")
        assert files(tmp_path) == {"a"}
    source.cache.forget("a")
    source.cache.forget("a")
    source.use("a")
    assert source.fetched == ["a", "a"]


def fetch_and_die(directory: Path) -> None:
    source = Source(directory)
    source.use("b")

    def blocks() -> Iterator[bytes]:
        yield b"aa"
        os.kill(os.getpid(), signal.SIGKILL)

    with (
        source.file("b"),
        source.cache.file("a", size=lambda: 4, blocks=blocks, stopped=lambda: False),
    ):
        pass


def test_a_killed_process_holds_no_file_and_no_room(source: Source, tmp_path: Path) -> None:
    victim = multiprocessing.get_context("fork").Process(target=fetch_and_die, args=(tmp_path / "cache",))
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    source.use("a", "c")
    assert files(tmp_path) == {"a", "c"}
    assert {path.name for path in (tmp_path / "cache" / "fetching").iterdir()} == set()
