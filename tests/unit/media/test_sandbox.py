"""A confined program reaches what it was given and nothing else: no file, no network, no process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.core.errors import FfmpegMissing
from facecli.media.run import Bounds, Ended, run
from tests.support.e2e.requirements import needs
from tests.support.unsandboxed import run_unwalled

BOUNDS = Bounds(seconds=60)
DENIED = "Permission denied"


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "theirs" / "secret"
    path.parent.mkdir()
    path.write_text("of somebody else")
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


READ = "import sys; open(sys.argv[1]).read()"
WRITE = "import sys; open(sys.argv[1], 'w').write('x')"
GREET = "import socket; socket.create_connection(('127.0.0.1', int(__import__('sys').argv[1])))"
TRIES = {
    "read a file": READ,
    "write a file": WRITE,
    "cut a file short": "import os, sys; os.truncate(sys.argv[1], 0)",
    "make a file": "import sys; open(sys.argv[1] + '-new', 'x')",
    "remove a file": "import os, sys; os.remove(sys.argv[1])",
    "rename a file": "import os, sys; os.rename(sys.argv[1], sys.argv[1] + '-new')",
    "link to a file": "import os, sys; os.link(sys.argv[1], sys.argv[1] + '-new')",
    "list a directory": "import os, sys; os.listdir(os.path.dirname(sys.argv[1]))",
    "run a program of its own": "import os, sys; os.chmod(sys.argv[1], 0o755); os.execv(sys.argv[1], ['x'])",
    "read the memory of others": "import os; open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "make a TCP socket": "import socket; socket.socket()",
    "make a UDP socket": "import socket; socket.socket(type=socket.SOCK_DGRAM)",
    "make a Unix socket": "import socket; socket.socket(socket.AF_UNIX)",
}


@needs("landlock")
@pytest.mark.parametrize("tried", TRIES)
def test_what_was_not_given_is_out_of_reach(secret: Path, mine: Path, tried: str) -> None:
    ended = run(python(TRIES[tried], secret), bounds=BOUNDS, reads=[mine], writes=[mine])
    assert (ended.exit_code, DENIED in ended.words) == (1, True), ended
    assert secret.read_text() == "of somebody else"
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("tried", TRIES)
def test_without_the_wall_it_is_in_reach(secret: Path, tried: str) -> None:
    """Or the test above would show nothing."""
    assert DENIED not in run_unwalled(python(TRIES[tried], secret), BOUNDS)


@needs("landlock")
def test_what_was_given_is_in_reach(secret: Path, mine: Path) -> None:
    def goes(code: str, path: Path, **given: list[Path]) -> bool:
        return run(python(code, path), bounds=BOUNDS, **given).exit_code == 0  # type: ignore[arg-type]

    assert goes(READ, secret, reads=[secret])
    assert goes(READ, secret, reads=[secret.parent])
    assert not goes(WRITE, secret, reads=[secret])
    assert goes(WRITE, mine / "result", writes=[mine])
    assert goes(READ, mine / "result", writes=[mine])
    assert goes("open('/dev/null', 'w')", mine)
    assert goes(READ, mine / "result", reads=[mine / "result", mine / "not there"])


@needs("landlock")
def test_a_symbolic_link_leads_nowhere_that_was_not_given(secret: Path, mine: Path) -> None:
    (mine / "link").symlink_to(secret)
    assert DENIED in run(python(READ, mine / "link"), bounds=BOUNDS, reads=[mine]).words


@needs("landlock")
def test_who_is_outside_gets_no_signal() -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        code = "import os, sys; os.kill(int(sys.argv[1]), 9)"
        assert "Operation not permitted" in run(python(code, bystander.pid), bounds=BOUNDS).words
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_no_program_gives_more_rights() -> None:
    code = "import ctypes; assert ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 1"  # PR_GET_NO_NEW_PRIVS
    assert run(python(code), bounds=BOUNDS).exit_code == 0


@needs("landlock")
def test_the_program_finds_its_libraries_beside_itself_and_its_neighbours_stay_out(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "program"
    program.parent.mkdir()
    (tmp_path / "lib").mkdir()
    program.write_text('#!/bin/sh\nread -r line < "$1" && echo "$line"\n')
    program.chmod(0o755)
    for folder in ("lib", "bin"):
        (tmp_path / folder / "words").write_text(folder + "\n")

    def read(path: Path) -> Ended:
        return run([str(program), str(path)], bounds=BOUNDS, on_output=printed.append)

    printed = list[str]()
    assert read(tmp_path / "lib" / "words").exit_code == 0
    assert read(tmp_path / "bin" / "words").exit_code != 0
    assert printed == ["lib"]


READER = """
from pathlib import Path
import sys
from facecli.media.run import Bounds, run
print(run([sys.executable, "-I", "-S", "-c", sys.argv[1], sys.argv[2]], bounds=Bounds(seconds=60)).exit_code)
"""

Refusing = Callable[[str], str]


@pytest.fixture
def refusing(secret: Path) -> Refusing:
    """What a confined reader of the secret ends with, on a kernel that fails `call` with this error."""

    def read(fault: str) -> str:
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={fault}"]
        command += [sys.executable, "-c", READER, READ, str(secret)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return read


@needs("strace")
@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP", "EPERM"])
def test_on_a_kernel_without_landlock_the_program_goes_on_with_one_wall(
    refusing: Refusing, error: str
) -> None:
    assert refusing(f"landlock_create_ruleset:error={error}") == "0\n"


@needs("strace")
@needs("landlock")
@pytest.mark.parametrize("call", ["landlock_add_rule", "landlock_restrict_self"])
def test_a_wall_that_the_kernel_has_and_does_not_raise_stops_the_program(
    refusing: Refusing, call: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        refusing(f"{call}:error=ENOMEM")
    assert FfmpegMissing.__name__ in failed.value.stderr
