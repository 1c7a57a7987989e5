"""Pictures of real commands in terminals of all sizes: one line a row, in order, whole, without debris."""

import os
import re
import shlex
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from wcwidth import wcswidth

from tests.support.cli import Server, facecli, words
from tests.support.e2e.terminal import Terminal
from tests.unit.cli.conftest import Samples

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("user")]

WIDTHS = [40, 60, 80, 100, 200]
NAMES = ["a-rather-long-name-of-a-clip-from-a-camera.mp4", "视频文件视频文件.mp4", "🎬 cafe\u0301.mp4"]
SIZE = 1024 * 1024
# The beginning of each row, the percentage whole, and the note if it has one.
ROWS = [
    *(rf"{head}\S* .*?(?<!\d)(\d{{1,3}})%( .*)?" for head in ("a-r", "视", "🎬 ca")),
    r"(3 files: )?\d done, \d run(ning)?, \d wait(ing)?, \d fail(ed)?(, .*)?",
]
AMOUNT = r"\d+\.\d/\d+\.\d [KM]iB|\d+/\d+ bytes"
RATE = r"\d+\.\d ([KM]iB|bytes)/s"


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Files whose names have wide characters and combining marks."""
    paths = [tmp_path / name for name in NAMES]
    for path in paths:
        path.write_bytes(os.urandom(SIZE))
    return paths


@contextmanager
def uploading(
    clips: list[Path], columns: int, *options: str, lines: int = 24, **environment: str | None
) -> Iterator[Terminal]:
    """An upload of these clips; its results go to a file."""
    folder = clips[0].parent
    command = shlex.join(words("upload", *clips, "--chunk-size", "64KiB", *options))
    line = ["bash", "-c", f"cd {folder} && {command} > urls"]
    terminal = Terminal(line, columns=columns, lines=lines, **environment)
    try:
        yield terminal
    finally:
        terminal.kill()


def rows_of(picture: list[str], columns: int) -> list[str]:
    """The rows of a picture, after a check that each is there once, in order, and in one line."""
    kinds = [next((n for n, row in enumerate(ROWS) if re.fullmatch(row, line)), None) for line in picture]
    assert None not in kinds, "\n".join(["debris:", *picture])
    assert kinds == sorted(set(kinds), key=str), "\n".join(["doubled or out of order:", *picture])
    assert all(wcswidth(row) < columns for row in picture)
    return picture


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("color", [None, "1"], ids=["colour", "NO_COLOR"])
def test_rows_take_one_line_each_at_any_width(clips: list[Path], columns: int, color: str | None) -> None:
    with uploading(clips, columns, NO_COLOR=color) as terminal:
        end = terminal.end()
        assert terminal.code == 0
        assert (b"\x1b[32m" in terminal.raw) == (color is None)
    for picture in [*terminal.pictures, end]:
        rows_of(picture, columns)
    shares = [re.findall(r"(\d+)%", "\n".join(picture)) for picture in terminal.pictures]
    firsts = [int(one[0]) for one in shares if one]
    assert firsts == sorted(firsts)
    assert len(end) == 4
    assert re.search("3 done, 0 run(ning)?, 0 wait(ing)?, 0 fail", end[-1])
    if columns >= 80:
        assert all(re.search(rf" 100% +({AMOUNT}) .*verified$", row) for row in end[:3])


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_dumb_terminal_gets_short_lines_without_control_characters(clips: list[Path], columns: int) -> None:
    with uploading(clips, columns, TERM="dumb") as terminal:
        terminal.end()
        assert terminal.code == 0
    lines = terminal.raw.decode().replace("\r\n", "\n").splitlines()
    assert "\x1b" not in terminal.raw.decode()
    assert all(wcswidth(line) < columns for line in lines)
    assert sum("100%" in line for line in lines) == 3


def test_resizing_in_the_middle_leaves_no_debris(clips: list[Path]) -> None:
    with uploading(clips, 100, "--limit-rate", "100KiB") as terminal:
        terminal.wait_for(lambda picture: bool(re.search(AMOUNT, "\n".join(picture))))
        for columns in (60, 40, 200, 80):
            terminal.resize(columns)
            terminal.wait_for_frames(3)
            # The first may be drawn before the command knows of the new size.
            for picture in terminal.pictures[1:]:
                assert len(rows_of(picture, columns)) == 4
        terminal.interrupt()
        *rows, message, hint = terminal.end()
        assert len(rows_of(rows, 80)) == 4
        assert message == "facecli: interrupted; the server keeps the data it has stored"
        assert hint == "  hint: run the same command again to resume"
        assert terminal.code == 130


def test_typing_over_the_rows_leaves_no_debris(clips: list[Path]) -> None:
    with uploading(clips, 60, "--limit-rate", "100KiB") as terminal:
        terminal.wait_for(lambda picture: bool(re.search(AMOUNT, "\n".join(picture))))
        terminal.type("is it still running" * 3)
        terminal.wait_for_text(b"still")
        terminal.wait_for_frames(2)
        assert len(rows_of(terminal.picture, 60)) == 4


def test_thirty_tasks_in_a_small_terminal_collapse_into_a_true_summary(
    server: Server, samples: Samples, slow: str, user: str, completed_once: str
) -> None:
    waiting = [
        facecli("task", "create", "--image", samples.face, "--video", samples.clip, "-q").out.strip()
        for _ in range(2)
    ]
    done = copies(server, completed_once, user, 26)
    failed = copies(server, completed_once, user, 1, status="failed", error_message="broken")
    ids = [*done[:13], slow, *failed, *done[13:], *waiting]
    terminal = Terminal(words("task", "watch", *ids, "--server", server.address), columns=80, lines=12)
    try:
        counts = "30 tasks: 26 done, 1 running, 2 waiting, 1 failed"
        terminal.wait_for(lambda picture: counts in picture[-1])
        assert all(len(picture) <= 12 for picture in terminal.pictures)
        rows = [line for line in terminal.pictures[-1] if line.startswith("task ")]
        assert [row[:13] for row in rows] == [f"task {task[:8]}" for task in (slow, *failed)]
        terminal.interrupt()
        *_, first, second, summary, message, hint = unwrapped(terminal.end(), 80)
        assert terminal.code == 130
        assert [first[:13], second[:13]] == [f"task {task[:8]}" for task in (slow, *failed)]
        assert summary.startswith(counts)
        assert message == "facecli: interrupted; 3 tasks continue on the server"
        left = " ".join([slow, *waiting])
        flags = f"--server {server.address}"
        assert hint == (
            f"  hint: facecli task watch {left} {flags} watches again; "
            f"facecli task cancel {left} {flags} cancels"
        )
    finally:
        terminal.kill()
        for task in waiting:
            facecli("task", "cancel", task)


def unwrapped(picture: list[str], columns: int) -> list[str]:
    """Lines of text put together again where the terminal wrapped them."""
    lines = list[str]()
    full = False
    for line in picture:
        if full:
            lines[-1] += line
        else:
            lines.append(line)
        full = len(line) == columns
    return lines


def copies(server: Server, task_id: str, owner: str, count: int, **changes: str) -> list[str]:
    """Ended tasks like this one, as rows of the server's database."""
    ids = [uuid.uuid4().hex for _ in range(count)]
    failed = changes.get("status") == "failed"
    with closing(sqlite3.connect(server.database(), timeout=60)) as database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT * FROM tasks WHERE id = ?", [task_id]).fetchone())
        if failed:
            row |= {"result_blob_key": None, "result_size": None, "result_crc32c": None, "progress": 10}
        for one in ids:
            values = {**row, "id": one, "owner": owner, "key": None, **changes}
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" for _ in values)
            database.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", list(values.values()))
        database.commit()
    return ids
