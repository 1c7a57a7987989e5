"""The units for systemd: they start this program, with settings that exist."""

import re

import pytest

from facecli.config.settings import Settings, variable
from facecli.operations.systemd import unit
from tests.support.command_lines import check

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
