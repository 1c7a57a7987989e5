"""`facecli engines`: the installed engines, and the options of one."""

import pytest

from tests.support.cli import facecli


def test_the_list_marks_the_default_and_json_describes_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACECLI_ENGINE")
    listed = facecli("engines")
    assert [line.split()[0] for line in listed.lines] == ["inswapper", "mesh", "mock"]
    assert [line.endswith("(default)") for line in listed.lines] == [False, True, False]
    assert "does not run here: no weights: set inswapper_model" in listed.lines[0]
    assert facecli("engines", "-q").lines == ["mesh", "mock"]
    _, mesh, mock = facecli("engines", "--json").objects
    assert (mesh["default"], mock["default"], mesh["broken"]) == (True, False, "")
    options = {option["name"]: option for option in mesh["options"]}
    faces, strength = options["faces"], options["strength"]
    assert (faces["type"], faces["choices"][0], faces["default"]) == ("choice", "main", "main")
    assert (strength["type"], strength["minimum"], strength["maximum"]) == ("number", 0, 1)


def test_a_name_lists_the_options_with_values_and_defaults() -> None:
    first, *rows = facecli("engines", "mock").lines
    assert first.startswith("mock  ")
    assert [row.split("  ")[0] for row in rows] == ["option", "delay", "fail_at", "seed"]
    assert " ".join(rows[1].split()) == "delay 0 to 600 0 seconds to add to the whole video"
    assert facecli("engines", "mock", "-q").lines == ["delay", "fail_at", "seed"]


def test_an_unknown_name_is_refused_with_the_installed_ones() -> None:
    ran = facecli("engines", "magic", "--json")
    assert (ran.code, ran.error["message"]) == (
        2,
        "there is no engine 'magic'; there are: inswapper, mesh, mock",
    )
