"""Every command that calls a server, against servers that send garbage.

A server of another version, a broken one or a malicious one may send anything. Whatever it is, a command ends
with a published exit code, prints no control characters, writes no more than it was promised, and never shows
a stack.
"""

import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facecli.cli.shared.exits import EXITS
from tests.support.cli import Ran, facecli
from tests.support.garbage.plausible import DATA, MESSAGES, PLAUSIBLE, RUNNING_ID, TASK_ID, URL
from tests.support.garbage.server import GarbageServer, garbage_server
from tests.support.garbage.strategies import answers

FETCHED = URL.replace("clip", "fetched")
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "upload": (("upload", "clip.mp4"), ("BeginUploads", "StreamUpload")),
    "file list": (("file", "list"), ("ListUploads",)),
    "file delete": (("file", "delete", URL), ("CancelUpload",)),
    "task create": (("task", "create", "--image", URL, "--video", URL), ("CheckTask", "CreateTask")),
    "file download": (("file", "download", FETCHED), ("Download",)),
    "task status": (("task", "status", TASK_ID), ("GetTaskStatus", "FindTask")),
    "task status KEY": (("task", "status", "order-4711"), ("FindTask",)),
    "task list": (("task", "list"), ("ListTasks",)),
    "task logs": (("task", "logs", TASK_ID), ("GetTaskStatus", "ListTaskLogs")),
    "task provenance": (("task", "provenance", TASK_ID), ("GetTaskStatus", "GetProvenance")),
    "task watch": (("task", "watch", TASK_ID, RUNNING_ID), ("FindTask", "WatchTasks")),
    "task cancel": (("task", "cancel", TASK_ID), ("GetTaskStatus", "CancelTask")),
    "task retry": (("task", "retry", TASK_ID), ("GetTaskStatus", "RetryTask")),
    "task delete": (("task", "delete", TASK_ID), ("GetTaskStatus", "DeleteTask")),
    "task download": (("task", "download", TASK_ID), ("GetTaskStatus", "Download")),
    "task download --sheet": (("task", "download", TASK_ID, "--sheet"), ("GetTaskStatus", "Download")),
    "preview": (("preview", URL, URL, "-o", "sheet.jpg"), ("CheckTask", "PreviewTask")),
    "task url": (("task", "url", TASK_ID), ("GetTaskStatus", "CreateLink")),
    "swap": (
        ("swap", "clip.png", "clip.mp4", "-o", "out.mp4"),
        ("CheckTask", "BeginUploads", "StreamUpload", "CreateTask", "WatchTask", "Download"),
    ),
    "swap again": (
        ("swap", "clip.png", "clip.mp4", "-o", "done.mp4"),
        ("CheckTask", "ListTasks", "GetProvenance", "GetUpload"),
    ),
    "doctor": (("doctor",), ("GetServerInfo",)),
}
ONCE = ("--retry-for", "0")
IMPATIENT = (*ONCE, "--call-timeout", "0.3s")  # for servers that never answer
# A failure with no code of its own: the server says that the state forbids it, or that it has a bug.
ORDINARY_FAILURES = {
    *("UNKNOWN", "NOT_READY", "TASK_ENDED", "RESULT_MISSING", "OUT_OF_ORDER", "INTERNAL"),
    *("FFMPEG_MISSING", "DIRECTORY_IN_USE"),
}
FILES = ("clip.mp4", "clip.png", "done.mp4")
MAX_OUTPUT = 3_000_000  # characters
FEWER = 20  # of the examples of the profile for each command

counts: Counter[str] = Counter()


@pytest.fixture(scope="module")
def server() -> Iterator[GarbageServer]:
    with garbage_server(PLAUSIBLE) as running:
        yield running
    total = sum(counts.values())
    sys.stdout.write(f"\n{total} commands against garbage; exit codes: {dict(sorted(counts.items()))}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory with two files to send and a result."""
    for name in FILES:
        (tmp_path / name).write_bytes(DATA)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(ran: Ran, folder: Path) -> None:
    counts[str(ran.code)] += 1
    assert ran.code in {row.code for row in EXITS}
    said = ran.out + ran.err
    assert "Traceback" not in said
    assert "bug" not in said.lower().replace("debug", "")
    assert len(said) < MAX_OUTPUT
    shown = {c for c in set(said) - {"\n"} if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert shown <= {"\r", "\u200c", "\u200d"}, f"control characters on the terminal: {shown}"
    files = [path for path in folder.rglob("*") if path.is_file()]
    # Of an unfinished download the part file holds what was sent, up to the size that was promised.
    sizes = {path.name: path.stat().st_size for path in files if path.suffix != ".part"}
    assert sum(sizes.values()) <= (len(FILES) + 1) * len(DATA), sizes
    for path in folder.rglob("*"):
        assert not path.name.startswith(".")
        if path.name not in FILES:
            path.unlink()


@pytest.mark.parametrize("name", COMMANDS)
@settings(
    max_examples=max(10, settings().max_examples // FEWER),
    suppress_health_check=[*HealthCheck],
)
@given(data=st.data())
def test_a_command_survives_whatever_a_server_sends(
    server: GarbageServer, folder: Path, name: str, data: st.DataObject
) -> None:
    (folder / "done.mp4").write_bytes(DATA)
    command, methods = COMMANDS[name]
    bad = data.draw(st.sampled_from(methods), label="bad method")
    server.answers = {**PLAUSIBLE, bad: data.draw(answers(bad), label="answer")}
    form = data.draw(st.sampled_from([(), ("--json",), ("-q",)]), label="form")
    ran = facecli(*command, *IMPATIENT, "--server", server.address, *form)
    check(ran, folder)
    if form == ("--json",):
        errors = [json.loads(line)["error"] for line in ran.err.splitlines() if line.startswith('{"error"')]
        assert all(isinstance(each, dict) for each in ran.objects)
        assert (errors != []) == (ran.code not in {0, 3}) or ran.code == 3
        if ran.code == 1:
            assert {error["reason"] for error in errors} & ORDINARY_FAILURES


@pytest.mark.parametrize("name", COMMANDS)
def test_the_plausible_server_is_believed(server: GarbageServer, folder: Path, name: str) -> None:
    """Otherwise the fuzz would not get behind the first check."""
    command, methods = COMMANDS[name]
    server.answers, server.calls = PLAUSIBLE, []
    ran = facecli(*command, *ONCE, "--server", server.address)
    assert ran.code == 0, ran
    assert {*server.calls} == {*methods}


def test_every_call_of_the_client_is_covered() -> None:
    used = {method for _, methods in COMMANDS.values() for method in methods}
    assert used == set(MESSAGES)
