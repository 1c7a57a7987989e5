"""README's examples of the library: the program and its test, as a user runs them, warnings being errors."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.e2e.proc import processes_of
from tests.support.eventually import eventually
from tests.support.readme_tables import README

pytestmark = [pytest.mark.e2e, pytest.mark.media, pytest.mark.slow]


def test_the_examples_run_without_a_warning_and_leave_no_process(
    tmp_path: Path, face: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(
        r"^```python\n(from pathlib import Path\n\nimport facecli.testing\n.*?)^```",
        README.read_text(encoding="utf-8"),
        re.M | re.S,
    )
    shutil.copy(Path(__file__).with_name("program.py"), tmp_path / "swap.py")
    (tmp_path / "test_swap.py").write_text(example)
    for path in (face, clip):
        shutil.copy(path, tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "test_swap.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "out.mp4 is the result of task" in done.stdout
    assert hashlib.sha256(b"I agree. Grace, 2026-11-24").hexdigest() in done.stdout
    assert not done.stderr
    eventually(lambda: not processes_of(tmp_path / "tmp"))
    assert not list((tmp_path / "tmp").glob("facecli*"))
