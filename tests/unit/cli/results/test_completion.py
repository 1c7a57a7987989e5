"""Completion of IDs, URLs and engines from the server, and its installation for the shell that is named."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import DEADLINE, facecli, process
from tests.support.eventually import eventually
from tests.unit.cli.conftest import Samples


def completed(words: str) -> list[str]:
    """The completions of the last word, as bash asks for them; nothing may be on stderr."""
    asked = {
        "_FACECLI_COMPLETE": "complete_bash",
        "COMP_WORDS": f"facecli {words}",
        "COMP_CWORD": str(len(words.split(" "))),
    }
    done = subprocess.run(
        [sys.executable, "-m", "facecli"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.usefixtures("user")
def test_ids_urls_and_engines_come_from_the_server(samples: Samples) -> None:
    create = ("task", "create", "--image", samples.face, "--video", samples.clip, "--json")
    task = facecli(*create, "--option", "delay=600").object
    facecli("task", "cancel", task["task_id"])
    # A busy machine may need longer for an answer than a person would wait, so ask again.
    assert eventually(lambda: completed(f"task status {task['task_id'][:6]}")) == [task["task_id"]]
    urls = eventually(lambda: completed("file delete /up"))
    assert set(urls) == {task["image_url"], task["video_url"]}
    assert eventually(lambda: completed("swap --engine m")) == ["mesh", "mock"]
    assert completed("task watch zz") == []


def test_a_server_that_is_away_offers_nothing_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # but not listening
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FACECLI_SERVER", f"127.0.0.1:{bound.getsockname()[1]}")
        assert completed("task status ab") == []
        assert completed("swap --engine m") == []


@pytest.mark.parametrize(
    ("shell", "file"),
    [("bash", ".bash_completions/facecli.sh"), ("zsh", ".zfunc/_facecli")],
)
def test_completion_is_installed_for_the_shell_that_is_named(shell: str, file: str, tmp_path: Path) -> None:
    ran = process("completion", "install", shell, "-q", env={**os.environ, "HOME": str(tmp_path)})
    assert (ran.code, ran.out) == (0, f"{tmp_path / file}\n"), ran.err
    assert "_FACECLI_COMPLETE" in (tmp_path / file).read_text()
    assert {path.name for path in tmp_path.iterdir()} == {file.split("/")[0], f".{shell}rc"}


def test_an_unknown_shell_is_refused() -> None:
    ran = facecli("completion", "show", "tcsh", "--json")
    assert (ran.code, "'tcsh' is not one of 'bash', 'zsh'" in ran.error["message"]) == (2, True)
