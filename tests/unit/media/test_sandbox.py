"""The sandbox: a program reaches the files it was given, and no other file, network or process."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.core.errors import FfmpegMissing
from facecli.media.run import ProcessLimits, ProcessResult, run
from tests.support.e2e.requirements import needs
from tests.support.unsandboxed import run_unsandboxed

LIMITS = ProcessLimits(seconds=60)
DENIED = "Permission denied"


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "secret"
    path.parent.mkdir()
    path.write_text("of another user")
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


READ = "import sys; open(sys.argv[1]).read()"
WRITE = "import sys; open(sys.argv[1], 'w').write('x')"
ATTEMPTS = {
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
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_but_the_given_files_is_in_reach(secret: Path, workspace: Path, attempt: str) -> None:
    result = run(python(ATTEMPTS[attempt], secret), limits=LIMITS, reads=[workspace], writes=[workspace])
    assert (result.exit_code, DENIED in result.error_text) == (1, True), result
    assert secret.read_text() == "of another user"
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_without_the_sandbox_everything_is_in_reach(secret: Path, attempt: str) -> None:
    """A control: without it, the test above would prove nothing."""
    assert DENIED not in run_unsandboxed(python(ATTEMPTS[attempt], secret), LIMITS)


@needs("landlock")
def test_the_given_files_are_in_reach(secret: Path, workspace: Path) -> None:
    def succeeds(code: str, path: Path, **given: list[Path]) -> bool:
        return run(python(code, path), limits=LIMITS, **given).exit_code == 0  # type: ignore[arg-type]

    assert succeeds(READ, secret, reads=[secret])
    assert succeeds(READ, secret, reads=[secret.parent])
    assert not succeeds(WRITE, secret, reads=[secret])
    assert succeeds(WRITE, workspace / "result", writes=[workspace])
    assert succeeds(READ, workspace / "result", writes=[workspace])
    assert succeeds("open('/dev/null', 'w')", workspace)
    assert succeeds(READ, workspace / "result", reads=[workspace / "result", workspace / "not there"])


@needs("landlock")
def test_a_symbolic_link_leads_to_no_other_file(secret: Path, workspace: Path) -> None:
    (workspace / "link").symlink_to(secret)
    assert DENIED in run(python(READ, workspace / "link"), limits=LIMITS, reads=[workspace]).error_text


@needs("landlock")
def test_no_signal_reaches_a_process_outside() -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        code = "import os, sys; os.kill(int(sys.argv[1]), 9)"
        assert "Operation not permitted" in run(python(code, bystander.pid), limits=LIMITS).error_text
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_no_program_can_gain_privileges() -> None:
    code = "import ctypes; assert ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 1"  # PR_GET_NO_NEW_PRIVS
    assert run(python(code), limits=LIMITS).exit_code == 0


@needs("landlock")
def test_the_programs_own_libraries_are_in_reach_and_its_neighbours_are_not(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "program"
    program.parent.mkdir()
    (tmp_path / "lib").mkdir()
    program.write_text('#!/bin/sh\nread -r line < "$1" && echo "$line"\n')
    program.chmod(0o755)
    for folder in ("lib", "bin"):
        (tmp_path / folder / "words").write_text(folder + "\n")

    def read(path: Path) -> ProcessResult:
        return run([str(program), str(path)], limits=LIMITS, on_stdout=printed.append)

    printed = list[str]()
    assert read(tmp_path / "lib" / "words").exit_code == 0
    assert read(tmp_path / "bin" / "words").exit_code != 0
    assert printed == ["lib"]


READER = """
from pathlib import Path
import sys
from facecli.media.run import ProcessLimits, run
command = [sys.executable, "-I", "-S", "-c", sys.argv[1], sys.argv[2]]
print(run(command, limits=ProcessLimits(seconds=60)).exit_code)
"""

FaultyKernel = Callable[[str], str]


@pytest.fixture
def faulty_kernel(secret: Path) -> FaultyKernel:
    """Return the exit code of a confined reader of the secret, on a kernel where a call fails."""

    def read(fault: str) -> str:
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={fault}"]
        command += [sys.executable, "-c", READER, READ, str(secret)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return read


ALONE = """
import os, sys
from facecli.media.sandbox.landlock import landlock_abi, restrict
from facecli.media.sandbox.libc import libc
from facecli.media.sandbox.seccomp import forbid_sockets
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
if sys.argv.pop(1) == "landlock":
    restrict(landlock_abi(), sys.executable, reads=[], writes=[], devices=[])
else:
    forbid_sockets()
"""
CONNECT = "import socket; socket.create_connection(('127.0.0.1', int(sys.argv[2])), 5)"


@needs("landlock")
@pytest.mark.parametrize(
    ("mechanism", "denied", "allowed"),
    [
        ("landlock", [READ, WRITE, CONNECT], ["make a UDP socket"]),
        ("seccomp", [CONNECT, "make a TCP socket", "make a UDP socket", "make a Unix socket"], [READ]),
    ],
)
def test_landlock_alone_keeps_files_and_tcp_away_and_seccomp_alone_every_socket(
    secret: Path, mechanism: str, denied: list[str], allowed: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def error_of(attempt: str) -> str:
            code = ALONE + ATTEMPTS.get(attempt, attempt)
            command = [sys.executable, "-c", code, mechanism, str(secret), str(port)]
            return subprocess.run(command, capture_output=True, text=True, check=False).stderr

        assert [attempt for attempt in denied if DENIED not in error_of(attempt)] == []
        assert [attempt for attempt in allowed if error_of(attempt)] == []


@needs("strace")
@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP", "EPERM"])
def test_on_a_kernel_without_landlock_the_program_runs_with_seccomp_alone(
    faulty_kernel: FaultyKernel, error: str
) -> None:
    assert faulty_kernel(f"landlock_create_ruleset:error={error}") == "0\n"


@needs("strace")
@needs("landlock")
@pytest.mark.parametrize("call", ["landlock_add_rule", "landlock_restrict_self"])
def test_a_sandbox_that_fails_stops_the_program(faulty_kernel: FaultyKernel, call: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        faulty_kernel(f"{call}:error=ENOMEM")
    assert FfmpegMissing.__name__ in failed.value.stderr
