"""`facecli open`: the player, and what to do without one."""

from pathlib import Path

import pytest

from tests.support.cli import facecli


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the desktop's player, which writes the file that it was given."""
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return program


def test_the_player_gets_the_result(player: Path, completed: str, tmp_path: Path) -> None:
    first = facecli("open", completed, "--json")
    assert first.code == 0, first.err
    path = Path(first.object["path"])
    assert (tmp_path / "opened").read_text() == str(path)
    assert path.stat().st_size
    assert facecli("open", completed, "-q").out == f"{path}\n"


def test_without_a_player_the_path_and_the_next_step_are_named(
    player: Path, completed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    player.write_text("#!/bin/sh\nexit 3\n")
    broken = facecli("open", completed)
    assert (broken.code, "exit code 3" in broken.err) == (1, True)
    monkeypatch.delenv("DISPLAY")
    none = facecli("open", completed)
    assert (none.code, "there is no display; the result is /" in none.err) == (1, True)
    assert "facecli task url" in none.err
