"""The units for systemd: they start this program, with settings that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from facecli.config.settings import Settings, variable
from facecli.operations.systemd import unit
from tests.support.command_lines import check
from tests.support.e2e.requirements import needs

VARIABLES = {variable(name) for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize("worker", [False, True])
def test_a_unit_names_only_commands_and_settings_that_exist(worker: bool) -> None:
    text = unit(["/opt/facecli/bin/facecli"], worker=worker)
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert command.startswith("/opt/facecli/bin/facecli ")
    lines = [command, *re.findall(r"^#   (facecli .+)$", text, re.MULTILINE)]
    assert all(check(line.replace("%i", "gpu-7")) for line in lines)
    named = set(re.findall(r"FACECLI_[A-Z_]+", text))
    assert len(named) > 3
    assert named <= VARIABLES
    assert "{" not in text


@needs("systemd-analyze")
@pytest.mark.parametrize("worker", [False, True])
def test_systemd_accepts_a_unit_and_calls_its_exposure_low(tmp_path: Path, worker: bool) -> None:
    file = tmp_path / ("facecli-worker@7.service" if worker else "facecli.service")
    file.write_text(unit([sys.executable, "-m", "facecli"], worker=worker).replace("User=facecli", "User=1"))
    analyze("verify", "--man=no", str(file))
    analyze("security", "--offline=yes", "--threshold=20", str(file))  # tenths of its scale of 0 to 10


def analyze(*arguments: str) -> None:
    command = ["systemd-analyze", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in done.stderr.splitlines() if "nknown" in line], done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/usr/bin/python3", "-m", "facecli"], "/usr/bin/python3 -m facecli"),
        (["/opt/my tools/facecli"], '"/opt/my tools/facecli"'),
        (["/opt/50%$x/facecli"], "/opt/50%%$$x/facecli"),
    ],
)
def test_systemd_reads_the_path_of_the_program_as_it_is(words: list[str], expected: str) -> None:
    assert f"\nExecStart={expected} serve\n" in unit(words, worker=False)
