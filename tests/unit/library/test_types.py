"""The types of the library for programs outside of the checkout, as an installed mypy sees them."""

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.readme_tables import README

ROOT = README.parent
ENGINE = """
from collections.abc import Callable, Mapping

from facecli.plugins import Box, Engine, EngineOption, Media, OverlayJob, Placement, SwapJob
from facecli.testing import EngineContract


class Corner:
    name, version, needs = "corner", "1", ("ffmpeg",)
    options: tuple[EngineOption, ...] = ()

    def __init__(self, media: Media) -> None:
        self.media = media

    def check(self, options: Mapping[str, str]) -> None: ...

    def swap(self, job: SwapJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        corner = Placement.fixed(Box(x=0, y=0, width=8, height=8))
        files = {"video": job.video, "picture": job.face, "output": job.output}
        overlay = OverlayJob(segment=job.segment, info=job.info, placement=corner, **files)
        self.media.overlay(overlay, progress=progress, stopped=stopped)


class TestCorner(EngineContract):
    def make_engine(self, media: Media) -> Engine:
        return Corner(media)
"""


def test_programs_outside_of_the_checkout_pass_mypy_strict(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "installed.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")

    program = tmp_path / "program"
    program.mkdir()
    (test,) = re.findall(
        r"^```python\n(from pathlib [^`]*import facecli.testing\n.*?)^```", README.read_text(), re.M | re.S
    )
    (program / "test_swap.py").write_text(test)
    shutil.copy(ROOT / "tests/e2e/library/program.py", program / "swap.py")
    (program / "corner.py").write_text(ENGINE)
    options = ["--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]
    interpreter = ["--python-executable", str(environment / "bin/python")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *interpreter, "."],
        cwd=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Success: no issues found in 3 source files\n", done.stdout + done.stderr
