"""Lists that say when they end, and commands that take IDs by key, by beginning or from a list."""

import os
import pty
import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.support.cli import DEADLINE, Ran, Server, facecli, words
from tests.unit.cli.conftest import Samples, slow_tasks

pytestmark = pytest.mark.usefixtures("user")


def piped(*pipeline: tuple[object, ...]) -> Ran:
    """Run commands, the output of each as the input of the next; the last one's outcome."""
    out = b""
    for command in pipeline:
        done = subprocess.run(words(*command), input=out, capture_output=True, timeout=DEADLINE, check=False)
        out = done.stdout
    return Ran(code=done.returncode, out=out.decode(), err=done.stderr.decode())


def on_a_terminal(*command: object) -> list[str]:
    """The lines that a command prints to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
    done = subprocess.run(words(*command), stdout=theirs, env=environment, timeout=DEADLINE, check=True)
    assert done.returncode == 0
    os.close(theirs)
    with closing(os.fdopen(ours, "rb")) as terminal:
        return terminal.read1(65536).decode().splitlines()


def many_files(server: Server, user: str, samples: Samples, count: int) -> None:
    """Copies of the row of one upload."""
    upload = facecli("upload", samples.face, "--json").object["upload_id"]
    with closing(sqlite3.connect(server.database())) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(uploads)") if row[1] != "id"]
        columns = ", ".join(names)
        connection.executemany(
            f"INSERT INTO uploads (id, {columns}) SELECT ?, {columns} FROM uploads WHERE id = ?",
            [(f"{user[:20]}{number:06}", upload) for number in range(1, count)],
        )


def test_a_list_says_that_there_is_more_and_lists_all_on_request(
    server: Server, user: str, samples: Samples
) -> None:
    many_files(server, user, samples, 230)
    for mode in ("-q", "--json", "--progress-less"):
        shown = facecli("file", "list", *([mode] if mode != "--progress-less" else []))
        assert len(shown.lines) == 100
        assert "the newest 100 of more files; --all lists all" in shown.err
    assert len(facecli("file", "list", "-q", "--limit", "150").lines) == 150
    assert facecli("file", "list", "-q", "--limit", "5").err == ""
    everything = facecli("file", "list", "-q", "--all")
    assert (len(everything.lines), everything.err) == (230, "")
    assert facecli("file", "list", "--all", "--limit", "3").code == 2
    deleted = piped(("file", "list", "--all", "-q"), ("file", "delete", "-", "-q"))
    assert (deleted.code, len(deleted.lines)) == (0, 230)
    assert facecli("file", "list").out == ""


def test_deleting_the_files_of_an_empty_list_succeeds() -> None:
    for noun in ("file", "task"):
        assert (facecli(noun, "delete").code, facecli(noun, "delete").err) == (0, "")
        assert piped((noun, "list", "-q"), (noun, "delete", "-")).code == 0


def test_a_list_has_a_header_on_a_terminal_only(samples: Samples) -> None:
    created = facecli(
        *("task", "create", "--image", samples.face, "--video", samples.clip, "--json"),
        *("--option", "delay=600", "--id", "order-1"),
    ).object
    header, row = on_a_terminal("task", "list")
    facecli("task", "cancel", "order-1")
    assert header.split() == ["ID", "STATUS", "CREATED", "ENGINE", "INPUTS"]
    assert row.startswith(created["task_id"][:12] + "  ")
    for part in ("mock 2", "face.png + clip.mp4"):
        assert part in row
    assert max(map(len, (header, row))) <= 80
    (line,) = facecli("task", "list").lines
    assert "ID" not in line
    assert line.startswith(created["task_id"])
    assert "order-1" in line


def test_a_task_is_found_by_its_key_and_by_the_beginning_of_its_id(samples: Samples) -> None:
    create = ("task", "create", "--image", samples.face, "--video", samples.clip, "--json")
    task = facecli(*create, "--id", "order-1", "--option", "delay=600").object
    assert (task["key"], task["engine"], task["options"]) == ("order-1", "mock", {"delay": "600"})
    assert (task["image_name"], task["video_name"]) == ("face.png", "clip.mp4")
    for reference in ("order-1", task["task_id"][:4], task["task_id"][:12]):
        assert facecli("task", "status", reference, "--json").object["task_id"] == task["task_id"]
    for reference in ("order", task["task_id"][:3], "%", "____", ""):
        assert facecli("task", "status", reference, "--json").code == 5, reference
    short = facecli("task", "status", task["task_id"][:3], "--json").error["message"]
    assert short.endswith("; the beginning of an ID needs at least 4 characters")
    assert facecli("task", "status", "order-1", "--user", "somebody").code == 5
    assert facecli("task", "cancel", "order-1", "-q").out == f"{task['task_id']}\n"
    assert facecli("task", "watch", "order-1").code == 3
    assert facecli("task", "delete", task["task_id"][:8], "-q").out == f"{task['task_id']}\n"


def test_an_ambiguous_beginning_lists_the_candidates(server: Server, samples: Samples) -> None:
    ids = slow_tasks(samples, 2)
    facecli("task", "cancel", *ids)
    twins = [f"{'5eed' * 7}{number:04}" for number in range(2)]
    with closing(sqlite3.connect(server.database())) as connection, connection:
        for old, new in zip(ids, twins, strict=True):
            connection.execute("UPDATE tasks SET id = ? WHERE id = ?", (new, old))
    ran = facecli("task", "status", "5eed", "--json")
    assert ran.code == 2
    assert ran.error["message"].startswith("several tasks begin with 5eed: ")
    assert all(twin in ran.error["message"] for twin in twins)
    assert facecli("task", "status", twins[0][:31], "--json").code == 2
    assert facecli("task", "status", twins[0], "-q").out == f"{twins[0]}\n"
