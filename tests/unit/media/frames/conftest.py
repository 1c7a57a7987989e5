"""A filter that records frames, and an ffmpeg that behaves differently at one end of a pipe."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facecli.core.video.frames import FrameLayout

Variant = Callable[..., Path]

# Replaces the value of the option -crf: no loss in any depth.
LOSSLESS = """
i=$#
while [ $i -gt 0 ]; do
  a=$1; shift; i=$((i - 1))
  if [ "$last" = -crf ]; then a=0; fi
  last=$a
  if [ "$a" = -crf ]; then a=-qp; fi
  set -- "$@" "$a"
done
"""


@pytest.fixture(scope="session")
def variant(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Variant:
    """Make an ffmpeg that runs these lines of shell first when it decodes to, or encodes from, a pipe."""
    prefix, real = tmp_path_factory.mktemp("variants"), binary
    for folder in ("bin", "lib"):
        (prefix / folder).mkdir()
    if not str(binary.resolve()).startswith("/usr/"):  # where the sandbox lets a script start it
        real = prefix / "lib" / "ffmpeg"
        shutil.copy(binary, real)

    def make(*, decoding: str = ":", encoding: str = ":") -> Path:
        script = prefix / "bin" / f"ffmpeg{len(list((prefix / 'bin').iterdir()))}"
        script.write_text(
            f'#!/bin/sh\ncase "$*" in\n*pipe:0*) {encoding}\n;;\n*rawvideo*) {decoding}\n;;\nesac\n'
            f'exec {real} "$@"\n'
        )
        script.chmod(0o755)
        return script

    return make


class Recorder:
    """Notes every frame, and sets its first sample to 77 of 255 if it is the segment's own."""

    def __init__(self) -> None:
        self.layout: FrameLayout | None = None
        self.frames: list[tuple[bytes, bool]] = []
        self.opened = 0

    def push(self, planes: bytearray, *, own: bool) -> Iterator[bytearray]:
        self.frames.append((bytes(planes), own))
        planes[0] = 77
        if own:
            yield planes

    def finish(self) -> Iterator[bytearray]:
        yield from ()

    @contextmanager
    def open(self, layout: FrameLayout) -> Iterator["Recorder"]:
        self.layout, self.opened = layout, self.opened + 1
        self.frames.clear()
        yield self


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
