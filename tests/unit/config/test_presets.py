"""Presets in the config file."""

from pathlib import Path

import pytest

from facecli.config.loader import load
from facecli.config.presets import preset
from facecli.core.errors import InvalidInput

TEXT = """
[default]
user = "ann"

[preset.soft]
engine = "mesh"
options = { blend = 0.5, sharp = true, name = "x" }

[preset.wrong]
engin = "mesh"

[preset.list]
options = { blend = [1] }
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    return {"FACECLI_CONFIG": str(file)}


def test_a_preset_has_an_engine_and_options_as_texts(environment: dict[str, str]) -> None:
    found = preset("soft", environment)
    assert found == ("mesh", {"blend": "0.5", "sharp": "true", "name": "x"})
    assert load({}, environment=environment).user == "ann"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hard", "preset hard not found in .*; it has soft, wrong, list"),
        ("wrong", "preset wrong of .*: unknown field engin; it has engine and options"),
        ("list", "option blend in preset list of .* must be a string or a number"),
    ],
)
def test_a_wrong_preset_is_refused(environment: dict[str, str], name: str, expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        preset(name, environment)


def test_the_table_of_presets_is_no_profile(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=r"profile preset not found in .*; it has default"):
        load({}, profile="preset", environment=environment)
    Path(environment["FACECLI_CONFIG"]).write_text("")
    with pytest.raises(InvalidInput, match=r"write it as \[preset.soft\]"):
        preset("soft", environment)
