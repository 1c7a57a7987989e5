"""A program runs limited and watched, can be stopped at once, and never outlives who started it."""

import json
import os
import resource
import select
import signal
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
from facecli.media.run import Bounds, run

BOUNDS = Bounds(seconds=60)
FOREVER = "import signal; signal.pause()"


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def ends(process: int) -> bool:
    """Whether a process is gone, or goes within 10 s."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


def test_both_pipes_are_read_however_full() -> None:
    lines, words = list[str](), list[str]()
    code = (
        "import sys\nfor n in range(20000): sys.stdout.write(f'{n} out\\n'); sys.stderr.write(f'{n} err\\n')"
    )
    ended = run(python(code), bounds=BOUNDS, on_output=lines.append, on_words=words.append)
    assert ended.exit_code == 0
    assert (len(lines), len(words)) == (20000, 20000)
    assert (lines[-1], words[-1]) == ("19999 out", "19999 err")


def test_a_line_without_an_end_takes_no_memory() -> None:
    lines = list[str]()
    tracemalloc.start()
    run(python("print('x' * 50_000_000)\nprint('y')"), bounds=BOUNDS, on_output=lines.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert [line[0] for line in lines] == ["x", "y"]
    assert len(lines[0]) < 10_000


def test_stopping_ends_the_whole_group() -> None:
    printed = list[str]()
    child = f"import subprocess, sys; child = subprocess.Popen({python(FOREVER)!r})"
    code = f"{child}; print(child.pid, flush=True); {FOREVER}"
    with pytest.raises(Cancelled):
        run(python(code), bounds=BOUNDS, stopped=lambda: bool(printed), on_output=printed.append)
    assert ends(int(printed[0]))


def test_what_is_stopped_before_it_begins_never_starts(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with pytest.raises(Cancelled):
        run(python(f"open({str(trace)!r}, 'w')"), bounds=BOUNDS, stopped=lambda: True)
    assert not trace.exists()


def test_a_listener_that_raises_ends_it() -> None:
    printed = list[str]()

    def hear(line: str) -> None:
        printed.append(line)
        raise KeyError(line)

    with pytest.raises(KeyError):
        run(python(f"import os; print(os.getpid(), flush=True); {FOREVER}"), bounds=BOUNDS, on_output=hear)
    assert ends(int(printed[0]))


def test_the_clock_ends_what_never_ends() -> None:
    with pytest.raises(MediaRefused, match="longer than 0 s"):
        run(python(FOREVER), bounds=Bounds(seconds=0))


def test_it_starts_with_an_empty_environment_and_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "token")
    code = """
import json, os, resource as r, sys
kinds = (r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)
limits = [r.getrlimit(kind)[0] for kind in kinds]
print(json.dumps([dict(os.environ), limits, os.getsid(0) == os.getpid(), os.getcwd()]))
"""
    printed = list[str]()
    bounds = Bounds(seconds=5, memory=10**9, file_size=10**6, open_files=20)
    run(python(code), bounds=bounds, on_output=printed.append)
    environment, limits, leads_session, folder = json.loads(printed[0])
    assert not environment.keys() - {"LC_CTYPE"}  # set by Python itself
    assert (limits, leads_session, folder) == ([10**9, 10**6, 20, 0], True, "/")


def test_last_words_are_short_printable_and_without_paths(tmp_path: Path) -> None:
    says = "'x\\n' * 50 + sys.argv[1] + ': \\x1b[31mbad\\u202e' + 'y' * 9999"
    code = f"import sys; sys.stderr.write({says}); sys.exit(3)"
    ended = run([*python(code), f"file:{tmp_path}/a video.mp4"], bounds=BOUNDS)
    assert ended.exit_code == 3
    assert ended.words.startswith("x; the file: \\x1b[31mbad\\u202eyyy")
    assert len(ended.words) <= 300


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("av_interleaved_write_frame(): No space left on device", DiskFull),
        ("Error writing trailer: File too large", FileTooLarge),
        ("Unknown encoder 'libx264'", FfmpegMissing),
    ],
)
def test_a_failure_that_is_not_the_files_fault_has_its_own_name(says: str, kind: type[FacecliError]) -> None:
    with pytest.raises(kind):
        run(python(f"import sys; sys.exit({says!r})"), bounds=BOUNDS)


def test_being_killed_from_outside_is_said() -> None:
    with pytest.raises(FacecliError, match="killed from outside"):
        run(python("import os; os.kill(os.getpid(), 9)"), bounds=BOUNDS)


def test_what_is_no_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(FfmpegMissing, match="cannot be started"):
        run([str(tmp_path / "ffmpeg")], bounds=BOUNDS)


PARENT = """
import sys
from facecli.media.run import Bounds, run
endless = ["-f", "lavfi", "-i", "testsrc2", "-f", "null", "-", "-progress", "pipe:1"]
say = lambda line: print(line, flush=True)
run([sys.argv[1], "-nostdin", "-v", "quiet", *endless], bounds=Bounds(seconds=60), on_output=say)
"""


def test_no_ffmpeg_outlives_a_killed_parent(binary: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(binary)], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout
        assert parent.stdout.readline()  # ffmpeg works
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert len(children) == 1
        parent.send_signal(signal.SIGKILL)
    assert ends(int(children[0]))


def test_a_machine_without_room_for_a_process_is_to_be_asked_again() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(Unavailable, match="could not be started now: Too many open files"):
            run(python(""), bounds=BOUNDS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
