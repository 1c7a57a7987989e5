"""Programs that engines start: confined as ffmpeg is, and fed and read without a deadlock."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.media import never
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.frames.piped_program import piped
from facecli.media.run import ProcessLimits
from facecli.media.sandbox.gpu import gpu_devices
from tests.support.e2e.requirements import needs

ATTEMPTS = """
import os, socket, sys
secret, given = sys.argv[1:]
def attempt(action):
    try:
        action()
    except OSError:
        return "no"
    return "yes"
attempts = [
    lambda: open(given).read(),
    lambda: open(secret).read(),
    lambda: open(given, "w").write("x"),
    lambda: os.listdir(os.path.dirname(secret)),
    lambda: open(secret + "-new", "x"),
    lambda: os.execv(secret, ["x"]),
    socket.socket,
]
os.write(1, " ".join(map(attempt, attempts)).encode())
"""
CONTROL = """
import errno, fcntl, os, sys, termios
step = "opened"
try:
    with open(sys.argv[1], "r+b", buffering=0) as device:
        step = "controlled"
        fcntl.ioctl(device, termios.TCGETS, bytes(64))
except OSError as error:
    os.write(1, f"not {step}: {errno.errorcode[error.errno]}".encode())
"""
SHARING = """
import mmap, os, sys
descriptor = int(sys.stdin.readline())
shared = mmap.mmap(descriptor, 4096)
shared[:5] = shared[:5].upper()
def attempt(size):
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        return "no"
    return "yes"
os.write(1, f"{attempt(0)} {attempt(8192)}".encode())
"""
ECHO = """
import os
while data := os.read(0, 1 << 20):
    while data:
        data = data[os.write(1, data):]
"""


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]


@needs("landlock")
def test_a_program_reaches_what_it_may_read_and_nothing_else(media: FfmpegMedia, tmp_path: Path) -> None:
    secret, given = tmp_path / "private" / "secret", tmp_path / "given"
    secret.parent.mkdir()
    for path in (secret, given):
        path.write_text("text")
    command = python(ATTEMPTS, secret, given)
    with media.start(command, reads=[given], name="it", max_unread=0, stopped=never) as program:
        assert program.read(1000).decode().split() == ["yes", *["no"] * 6]
    assert given.read_text() == "text"


def test_a_program_shares_memory_that_it_cannot_resize(media: FfmpegMedia) -> None:
    command = python(SHARING)
    with media.start(command, reads=[], name="it", max_unread=0, memory=4096, stopped=never) as program:
        assert program.memory
        program.memory.view[:5] = b"frame"
        program.write(f"{program.memory.descriptor}\n".encode())
        assert program.read(1000) == b"no no"
        assert bytes(program.memory.view[:6]) == b"FRAME\0"


@needs("landlock")
def test_a_program_controls_only_the_devices_that_it_is_given(media: FfmpegMedia) -> None:
    device = Path("/dev/zero")

    def attempt(*, writes: Sequence[Path] = (), devices: tuple[Path, ...] = ()) -> str:
        limits = ProcessLimits(seconds=60, devices=devices)
        with piped(python(CONTROL, device), limits=limits, writes=writes, stopped=never) as program:
            return program.read(1000).decode()

    assert attempt() == "not opened: EACCES"
    assert attempt(writes=[device]) == "not controlled: EACCES"
    assert attempt(devices=(device,)) == "not controlled: ENOTTY"  # the device knows no such command


@needs("landlock")
def test_a_program_on_gpus_has_their_devices_and_no_other_files(media: FfmpegMedia, tmp_path: Path) -> None:
    for name in ("nvidiactl", "nvidia0", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert [path.name for path in gpu_devices(tmp_path)] == ["nvidia-uvm", "nvidia0", "nvidiactl"]
    secret, given = tmp_path / "secret", tmp_path / "given"
    for path in (secret, given):
        path.write_text("text")
    command = python(ATTEMPTS, secret, given)
    with media.start(command, reads=[given], name="it", gpu=True, max_unread=0, stopped=never) as program:
        assert program.read(1000).decode().split() == ["yes", *["no"] * 6]


def test_a_program_that_answers_while_it_is_fed_does_not_block(media: FfmpegMedia) -> None:
    data = bytes(range(256)) * 32 * 1024
    with media.start(python(ECHO), reads=[], name="it", max_unread=len(data), stopped=never) as program:
        assert program.write(data)
        assert program.read(len(data)) == data
        assert program.wait().exit_code == 0
        assert program.read(1) == b""


def test_a_program_that_ends_is_neither_fed_nor_read_further(media: FfmpegMedia) -> None:
    command = python("import os, sys; os.write(1, b'last'); sys.exit('odd')")
    with media.start(command, reads=[], name="it", max_unread=0, stopped=never) as program:
        assert not program.write(bytes(8 * 1024 * 1024))
        assert program.read(100) == b"last"
        ended = program.wait()
    assert (ended.exit_code, ended.error_text) == (1, "odd")


def test_the_time_limit_ends_a_program_that_is_waited_for() -> None:
    forever = python("import signal; signal.pause()")
    with (
        pytest.raises(MediaRefused, match=r"longer than 0\.2 s"),
        piped(forever, limits=ProcessLimits(seconds=0.2), stopped=never) as program,
    ):
        program.read(1)
