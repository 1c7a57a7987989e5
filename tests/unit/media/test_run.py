"""Running a program: limited, cancellable at once, and never outliving its parent."""

import json
import os
import resource
import select
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from facecli.core.errors import (
    Cancelled,
    DiskFull,
    FacecliError,
    FfmpegMissing,
    FileTooLarge,
    MediaRefused,
    Unavailable,
)
from facecli.media.run import ProcessLimits, run, started
from facecli.media.sandbox.launch import NICE
from tests.support.eventually import eventually

LIMITS = ProcessLimits(seconds=60)
FOREVER = "import signal; signal.pause()"
PARENT = """
import sys
from facecli.media.run import ProcessLimits, run
run(sys.argv[1:], limits=ProcessLimits(seconds=600), on_stdout=lambda line: print(line, flush=True))
"""
ENDLESS = (
    "-nostdin",
    "-v",
    "quiet",
    "-f",
    "lavfi",
    "-i",
    "testsrc2",
    "-f",
    "null",
    "-",
    "-progress",
    "pipe:1",
)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def ends(process: int) -> bool:
    """Return whether a process ends within 10 s."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


def test_both_pipes_are_read_however_full_they_are() -> None:
    out, err = list[str](), list[str]()
    code = (
        "import sys\nfor n in range(20000): sys.stdout.write(f'{n} out\\n'); sys.stderr.write(f'{n} err\\n')"
    )
    result = run(python(code), limits=LIMITS, on_stdout=out.append, on_stderr=err.append)
    assert result.exit_code == 0
    assert (len(out), len(err)) == (20000, 20000)
    assert (out[-1], err[-1]) == ("19999 out", "19999 err")


def test_an_endless_line_takes_no_memory() -> None:
    lines = list[str]()
    tracemalloc.start()
    run(python("print('x' * 50_000_000)\nprint('y')"), limits=LIMITS, on_stdout=lines.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert [line[0] for line in lines] == ["x", "y"]
    assert len(lines[0]) < 10_000


def starts(command: list[str], **options: bool) -> str:
    """Code that starts a child, prints its pid and goes on."""
    arguments = f"{command!r}, **{options!r}"
    return f"import subprocess; print(subprocess.Popen({arguments}).pid, flush=True)"


CHILDREN = {
    "child": starts(python(FOREVER)),
    "child with a session of its own": starts(python(FOREVER), start_new_session=True),
    "child of a child that has ended": (
        f"import subprocess; subprocess.run({python(starts(python(FOREVER), start_new_session=True))!r})"
    ),
}


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_cancelling_ends_every_descendant(child: str) -> None:
    printed = list[str]()
    with pytest.raises(Cancelled):
        run(
            python(f"{child}; {FOREVER}"),
            limits=LIMITS,
            stopped=lambda: bool(printed),
            on_stdout=printed.append,
        )
    assert ends(int(printed[0]))


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_no_descendant_outlives_the_program(child: str) -> None:
    printed = list[str]()
    result = run(python(f"{child}; raise SystemExit(3)"), limits=LIMITS, on_stdout=printed.append)
    assert result.exit_code == 3
    assert ends(int(printed[0]))


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_no_descendant_outlives_a_killed_parent(child: str) -> None:
    command = [sys.executable, "-c", PARENT, *python(f"{child}; {FOREVER}")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        descendant = int(parent.stdout.readline())
        parent.kill()
    assert ends(descendant)


def test_a_run_cancelled_in_advance_never_starts(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with pytest.raises(Cancelled):
        run(python(f"open({str(trace)!r}, 'w')"), limits=LIMITS, stopped=lambda: True)
    assert not trace.exists()


def test_a_callback_that_raises_ends_the_program() -> None:
    printed = list[str]()

    def on_stdout(line: str) -> None:
        printed.append(line)
        raise KeyError(line)

    with pytest.raises(KeyError):
        run(
            python(f"import os; print(os.getpid(), flush=True); {FOREVER}"),
            limits=LIMITS,
            on_stdout=on_stdout,
        )
    assert ends(int(printed[0]))


def test_the_time_limit_ends_an_endless_program() -> None:
    with pytest.raises(MediaRefused, match="longer than 0 s"):
        run(python(FOREVER), limits=ProcessLimits(seconds=0))


def test_a_program_starts_with_an_empty_environment_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "token")
    code = """
import json, os, resource as r, sys
kinds = (r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)
limits = [r.getrlimit(kind)[0] for kind in kinds]
print(json.dumps([dict(os.environ), limits, os.getsid(0) == os.getppid(), os.getcwd()]))
"""
    printed = list[str]()
    limits = ProcessLimits(seconds=5, memory=10**9, file_size=10**6, open_files=20)
    run(python(code), limits=limits, on_stdout=printed.append)
    environment, applied, in_launchers_session, folder = json.loads(printed[0])
    assert not environment.keys() - {"LC_CTYPE"}  # set by Python itself
    assert (applied, in_launchers_session, folder) == ([10**9, 10**6, 20, 0], True, "/")


def test_a_program_and_its_session_have_a_lower_priority() -> None:
    printed = list[str]()
    run(python("import os; print(os.nice(0))"), limits=LIMITS, on_stdout=printed.append)
    assert int(printed[0]) == min(os.nice(0) + NICE, 19)
    with started(python(FOREVER), LIMITS, reads=(), writes=()) as launcher:
        session = Path(f"/proc/{launcher.pid}/autogroup")
        if session.exists():
            eventually(lambda: session.read_text().endswith(f" nice {NICE}\n"))


def test_the_error_text_is_short_printable_and_without_paths(tmp_path: Path) -> None:
    text = "'x\\n' * 50 + sys.argv[1] + ': \\x1b[31mbad\\u202e' + 'y' * 9999"
    code = f"import sys; sys.stderr.write({text}); sys.exit(3)"
    result = run([*python(code), f"file:{tmp_path}/a video.mp4"], limits=LIMITS)
    assert result.exit_code == 3
    assert result.error_text.startswith("x; the file: \\x1b[31mbad\\u202eyyy")
    assert len(result.error_text) <= 300


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("av_interleaved_write_frame(): No space left on device", DiskFull),
        ("Error writing trailer: File too large", FileTooLarge),
        ("Unknown encoder 'libx264'", FfmpegMissing),
    ],
)
def test_a_failure_of_the_machine_has_its_own_error(text: str, kind: type[FacecliError]) -> None:
    with pytest.raises(kind):
        run(python(f"import sys; sys.exit({text!r})"), limits=LIMITS)


def test_a_kill_from_outside_is_reported() -> None:
    with pytest.raises(FacecliError, match="killed from outside"):
        run(python("import os; os.kill(os.getpid(), 9)"), limits=LIMITS)


def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FfmpegMissing, match="cannot be started"):
        run([str(tmp_path / "ffmpeg")], limits=LIMITS)


def test_no_ffmpeg_outlives_a_killed_parent(binary: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(binary), *ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline()  # ffmpeg is running
        (launcher,) = children(parent.pid)
        (ffmpeg,) = children(launcher)
        parent.kill()
    assert ends(ffmpeg)
    assert ends(launcher)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_machine_out_of_file_descriptors_is_unavailable() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(Unavailable, match="could not be started now: Too many open files"):
            run(python(""), limits=LIMITS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
