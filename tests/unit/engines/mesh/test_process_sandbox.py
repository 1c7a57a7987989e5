"""Two layers around the process of the engine, each enough alone.

The first is that the process gets pixels, not files: its own code opens nothing that they name. The second
is the sandbox, which holds also when a flaw in a network runs other code in it.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest

import facecli
from facecli.core.video.frames import FrameLayout, Picture, ProcessResult
from facecli.core.video.media import never
from facecli.engines.mesh.process.client import swap_process
from facecli.engines.mesh.process.setup import Setup, Work
from facecli.media.ffmpeg import FfmpegMedia
from facecli.testing import FakeMedia
from tests.support.e2e.requirements import needs
from tests.support.media.portraits import ASTRONAUT, HOPPER, moving_camera, photo, portrait, to_planes

pytestmark = pytest.mark.media

SYSTEM = ("/usr", "/lib", "/etc/ld.so", "/etc/localtime", "/proc", "/sys", "/dev", "/bin", "/opt", "/nix")
OPENED = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]+)[^)]*\) = \d+')
GREY = Picture(width=2, height=2, pixels=bytes(12))
TAKEN_OVER = """
import json, os, socket, sys
def take():
    head = sys.stdin.buffer.read(5)
    return head and sys.stdin.buffer.read(int.from_bytes(head[1:], "little"))
def attempt(action):
    try:
        action()
    except OSError:
        return "denied"
    return "done"
secret = sys.argv[1]
take(), take()
attempts = {
    "read a file": lambda: open(secret).read(),
    "read the accounts": lambda: open("/etc/passwd").read(),
    "write a file": lambda: open(secret, "w").write("x"),
    "make a file": lambda: open(secret + "-new", "x"),
    "list a directory": lambda: os.listdir(os.path.dirname(secret)),
    "change its own code": lambda: open(sys.argv[2], "r+"),
    "read the memory of others": lambda: open(f"/proc/{os.getppid()}/mem", "rb"),
    "end others": lambda: os.kill(int(sys.argv[3]), 9),
    "TCP": socket.socket,
    "UDP": lambda: socket.socket(type=socket.SOCK_DGRAM),
    "Unix": lambda: socket.socket(socket.AF_UNIX),
}
answer = json.dumps({name: attempt(action) for name, action in attempts.items()}).encode()
os.write(1, bytes([129]) + len(answer).to_bytes(4, "little") + answer)
take()
os.write(1, bytes([132, 2, 0, 0, 0]) + b"{}")
"""


class UnconfinedProgram:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process, self.memory = process, None

    def write(self, data: bytes | bytearray | memoryview) -> bool:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()
        return True

    def read(self, size: int) -> bytearray:
        assert self._process.stdout
        return bytearray(self._process.stdout.read(size))

    def wait(self) -> ProcessResult:
        return ProcessResult(exit_code=self._process.wait(), error_text="")


class TracedMedia(FakeMedia):
    """Starts programs without the sandbox, and logs the files and sockets that they open."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    @contextmanager
    def start(self, command: Sequence[str], **limits: Any) -> "Iterator[UnconfinedProgram]":
        trace = ["strace", "-f", "--seccomp-bpf", "-s", "999", "-e", "trace=open,openat,%network"]
        pipe = subprocess.PIPE
        with subprocess.Popen([*trace, "-o", self._log, *command], stdin=pipe, stdout=pipe) as process:
            yield UnconfinedProgram(process)


@needs("strace")
def test_without_the_sandbox_the_process_opens_its_own_code_and_nothing_else(tmp_path: Path) -> None:
    layout, pixels = FrameLayout(width=160, height=120), photo(ASTRONAUT)
    picture = Picture(width=pixels.shape[1], height=pixels.shape[0], pixels=pixels[..., ::-1].tobytes())
    setup = Setup(
        work=Work.SWAP,
        layout=layout,
        picture=(picture.width, picture.height),
        options={"faces": "all"},
    )
    log = tmp_path / "log"
    with swap_process(TracedMedia(log), setup, picture, stopped=never) as process:
        for shot in moving_camera(portrait(HOPPER), (160, 120), 2):
            list(process.push(to_planes(shot.picture, layout), own=True))
        assert len(list(process.finish())) == 2
    traced = log.read_text(errors="replace")
    opened = OPENED.findall(traced)
    allowed = (*SYSTEM, sys.prefix, sys.base_prefix, *(str(path.parent) for path in code_directories()))
    assert [path for path, _ in opened if path.endswith(".tflite")]  # the control: it is traced
    assert [path for path, _ in opened if path.startswith("/") and not path.startswith(allowed)] == []
    written = [path for path, how in opened if "O_RDONLY" not in how and not path.startswith("/dev")]
    assert [path for path in written if "/__pycache__/" not in path] == []  # Python's own, of its own code
    assert "socket(" not in traced


def code_directories() -> Sequence[Path]:
    return Path(facecli.__file__).parent, Path(cv2.__file__).parents[1]


@needs("landlock")
def test_other_code_in_the_process_reaches_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "private" / "secret"
    secret.parent.mkdir()
    secret.write_text("of another user")
    code = Path(facecli.__file__)
    setup = Setup(work=Work.DESCRIBE, layout=FrameLayout(width=2, height=2), picture=(2, 2))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        arguments = [str(secret), str(code), str(bystander.pid)]
        command = [sys.executable, "-I", "-S", "-c", TAKEN_OVER, *arguments]
        with swap_process(FfmpegMedia(), setup, GREY, stopped=never, command=command) as process:
            assert process.face == dict.fromkeys(process.face, "denied")
            assert len(process.face) == 11
            list(process.finish())
        assert bystander.poll() is None
        bystander.kill()
    assert secret.read_text() == "of another user"
