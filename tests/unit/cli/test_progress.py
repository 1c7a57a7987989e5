"""Progress: bars on a terminal, lines in a log, JSON or none; its failures never break a transfer."""

import errno
import gc
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte
import pytest

from facecli.cli.progress.bars import progress_bars
from facecli.cli.progress.safe import SafeProgress
from facecli.core.progress import NullProgress
from tests.support.cli import DEADLINE, facecli, process, words
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")

COLUMNS, LINES = 100, 24
MIB = 1024 * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """32 MiB under a name that rich would read as markup."""
    path = tmp_path / "a [red]clip.mp4"
    path.write_bytes(os.urandom(MIB) * 32)
    return path


def on_a_terminal(command: list[str], *, term: str = "xterm-256color") -> tuple[list[str], list[str], int]:
    """The screen after every refresh, the final screen, and the exit code."""
    child = pexpect.spawn(
        command[0],
        command[1:],
        dimensions=(LINES, COLUMNS),
        env={**os.environ, "TERM": term},
        timeout=DEADLINE,
    )
    screen = pyte.HistoryScreen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    seen = []
    while True:
        try:
            stream.feed(child.read_nonblocking(65536, timeout=DEADLINE))
        except pexpect.EOF:
            break
        seen.append("\n".join(screen.display))
    child.wait()
    child.close()
    return seen, [line.rstrip() for line in screen.display if line.strip()], child.exitstatus


def test_a_terminal_shows_name_percentage_bytes_and_verification(large: Path) -> None:
    with large.open("ab") as file:
        file.truncate(256 * MIB)  # long enough to be seen under way
    seen, end, code = on_a_terminal(words("upload", large, "--chunk-size", "1MiB"))
    assert code == 0
    bar, url = end
    assert bar.startswith("a [red]clip.mp4 ━")
    assert re.search(r" 100% 256\.0/256\.0 MiB .*verified$", bar)
    assert url.startswith("/uploads/")
    on_the_way = [re.search(r"clip\.mp4 .* (\d+)% (\d+)\.\d/256\.0 MiB", screen) for screen in seen]
    shares = [int(found[1]) for found in on_the_way if found]
    assert shares == sorted(shares)
    assert any(0 < share < 100 for share in shares)


def test_results_go_to_stdout_while_bars_are_on_the_terminal(large: Path, tmp_path: Path) -> None:
    urls = tmp_path / "urls"
    _, end, code = on_a_terminal(["bash", "-c", f"{shlex.join(words('upload', large))} > {urls}"])
    assert code == 0
    assert len(end) == 1
    assert urls.read_text().startswith("/uploads/")


def test_a_terminal_shows_the_stages_of_a_task(samples: Samples) -> None:
    task = ("task", "create", "--image", samples.face, "--video", samples.clip, "--watch")
    seen, end, code = on_a_terminal(words(*task, "--option", "delay=2"))
    assert code == 0
    task_id, *bars, last = end
    assert last.startswith(f"{task_id}  completed  /outputs/")
    assert len(bars) == 3
    assert any(re.search(rf"task {task_id[:8]} .*\d+% .*\d+/25 frames .*fps .*swapping", one) for one in seen)
    assert re.search(rf"task {task_id[:8]} .*100% .*25/25 frames .*completed", "\n".join(end))


def test_a_dumb_terminal_gets_plain_lines(samples: Samples) -> None:
    _, end, code = on_a_terminal(words("upload", samples.clip), term="dumb")
    assert code == 0
    assert [line[:14] for line in end[:-1]] == ["clip.mp4:   0%", "clip.mp4: 100%"]


def test_a_long_error_is_shown_whole_above_the_bars(samples: Samples, tmp_path: Path) -> None:
    missing = tmp_path / ("long-" * 20) / "gone.mp4"
    _, end, code = on_a_terminal(words("upload", missing, samples.face))
    assert code == 2
    message = f"facecli: cannot read {missing}: No such file or directory"
    assert "".join(end).startswith(message)
    first, bar, summary, url = end[-4:]
    assert (first[:9], first[-6:]) == ("gone.mp4 ", "failed")
    assert bar.endswith("verified")
    assert summary.startswith("2 files: 1 done, 0 running, 0 waiting, 1 failed, ")
    assert url.startswith("/uploads/")


def test_a_log_gets_whole_lines(large: Path) -> None:
    ran = process("upload", large, "--chunk-size", "1MiB")
    assert ran.code == 0
    assert "\r" not in ran.err and "\x1b" not in ran.err
    first, *_, last = ran.err.splitlines()
    assert first.startswith("a [red]clip.mp4:   0%|")
    assert last.startswith("a [red]clip.mp4: 100%|#")
    assert len(set(ran.err.splitlines())) == len(ran.err.splitlines())


def test_an_unfinished_bar_writes_nothing_after_the_bars_close(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars("tqdm", quiet=False) as bars:
        transfer = bars.transfer()
        transfer.begin("clip.mp4", 100, 0)
        transfer.stored(40)
    assert "40%" in capsys.readouterr().err
    del transfer, bars
    gc.collect()
    assert capsys.readouterr().err == ""


def test_json_events_report_stored_bytes_in_order(large: Path) -> None:
    ran = facecli("upload", large, "--chunk-size", "1MiB", "--progress", "json")
    *stored, verified = [json.loads(line) for line in ran.err.splitlines()]
    assert {event["event"] for event in stored} == {"stored"}
    assert all((event["name"], event["total"]) == (large.name, 32 * MIB) for event in stored)
    assert [event["stored"] for event in stored] == [number * MIB for number in range(33)]
    assert verified == {"event": "verified", "name": large.name}


def test_json_events_report_the_stages_of_a_task(samples: Samples) -> None:
    task = ("task", "create", "--image", samples.face, "--video", samples.clip, "--watch")
    ran = facecli(*task, "--progress", "json")
    events = [json.loads(line) for line in ran.err.splitlines()]
    of_task = [event for event in events if event["event"] == "task"]
    for name in ("progress", "frames_done"):
        assert [event[name] for event in of_task] == sorted(event[name] for event in of_task)
    assert (of_task[-1]["frames_done"], of_task[-1]["frames"], of_task[-1]["attempt"]) == (25, 25, 1)
    assert of_task[-1]["status"] == "completed"


@pytest.mark.parametrize("silent", [("--progress", "none"), ("-q",)], ids=" ".join)
def test_progress_none_writes_nothing(samples: Samples, silent: tuple[str, ...]) -> None:
    assert facecli("upload", samples.clip, *silent).err == ""


@pytest.mark.parametrize("kind", ["auto", "rich", "tqdm", "json"])
@pytest.mark.parametrize("stderr", ["closed", "unread"])
def test_the_transfer_continues_without_stderr(
    samples: Samples, tmp_path: Path, kind: str, stderr: str
) -> None:
    out = tmp_path / "out.mp4"
    swap = words("swap", samples.face, samples.clip, "-o", out, "--progress", kind)
    reader, unread = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            ["bash", "-c", 'exec "$@" 2>&-', "", *swap] if stderr == "closed" else swap,
            stdout=subprocess.PIPE,
            stderr=unread,
            timeout=DEADLINE,
            check=False,
        )
    finally:
        os.close(unread)
    assert (done.returncode, done.stdout.decode()) == (0, f"{out}\n")
    assert out.stat().st_size > 0


def test_a_closed_stderr_is_not_written_into_an_open_file(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    swap = words("swap", samples.face, samples.clip, "-o", out, "--progress", "json")
    subprocess.run(["bash", "-c", 'exec "$@" 2>&- >&- <&-', "", *swap], timeout=DEADLINE, check=False)
    assert out.stat().st_size > 0
    assert b'{"event"' not in out.read_bytes()


class BrokenBar(NullProgress):
    """Bar that cannot be drawn, as on a closed terminal."""

    def __init__(self) -> None:
        self.draws = 0

    def _draw(self) -> None:
        self.draws += 1
        raise OSError(errno.EIO, "Input/output error")

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._draw()

    def stored(self, total_stored: int) -> None:
        self._draw()

    def waiting(self, reason: str, seconds: float) -> None:
        self._draw()

    def verified(self) -> None:
        self._draw()


@pytest.mark.parametrize(
    "first",
    [
        lambda progress: progress.begin("clip.mp4", 10, 0),
        lambda progress: progress.stored(5),
        lambda progress: progress.waiting("broken", 1.0),
        lambda progress: progress.verified(),
    ],
    ids=["begin", "stored", "waiting", "verified"],
)
def test_a_broken_bar_is_not_drawn_again(first: Callable[[SafeProgress], None]) -> None:
    bar = BrokenBar()
    progress = SafeProgress(bar)
    first(progress)
    progress.begin("clip.mp4", 10, 0)
    progress.stored(10)
    progress.verified()
    assert bar.draws == 1
