"""`facecli config show`, `-v`, and completion of what the config file and the server have."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from facecli.cli.shared.completion import complete_engine_options, complete_profiles
from tests.support.cli import Server, facecli


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('[default]\nuser = "ann"\n[studio]\nretry_for = "90s"\n[preset.soft]\nengine = "mock"\n')
    monkeypatch.setenv("FACECLI_CONFIG", str(file))
    return file


def context(**params: object) -> Any:
    return cast(Any, SimpleNamespace(params=params))


def test_every_value_is_shown_with_its_source(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACECLI_SERVER", "host:1")
    monkeypatch.setenv("FACECLI_TOKEN", "secret")
    shown = {each["setting"]: each for each in facecli("config", "show", "--json").objects}
    found = {
        name: (shown[name]["value"], shown[name]["source"]) for name in ("server", "user", "token", "tls")
    }
    assert found == {
        "server": ("host:1", "FACECLI_SERVER"),
        "user": ("ann", f"profile default of {config}"),
        "token": ("***", "FACECLI_TOKEN"),
        "tls": ("false", "default"),
    }
    assert "secret" not in facecli("config", "show").out


def test_named_settings_of_a_profile_are_shown(config: Path) -> None:
    ran = facecli("config", "show", "retry_for", "user", "--profile", "studio", "-q")
    assert ran.lines == ["retry_for=90s", "user="]
    assert f"config file: {config}" in facecli("config", "show", "user").err
    assert (facecli("config", "show", "usr").code, "'usr'" in facecli("config", "show", "usr").err) == (
        2,
        True,
    )


def test_verbose_describes_the_server_and_its_calls(server: Server) -> None:
    ran = facecli("task", "list", "-v", "--server", server.address)
    first, second = ran.err.splitlines()[:2]
    assert first == f"server {server.address}, from option"
    assert second.startswith("call TaskService/ListTasks OK ")
    failed = facecli("task", "status", "0" * 32, "-v", "--server", server.address)
    assert "call VideoService/GetTaskStatus NOT_FOUND " in failed.err


def test_profiles_are_completed(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete_profiles(context(), "") == [("default", ""), ("studio", "")]
    assert complete_profiles(context(), "st") == [("studio", "")]
    monkeypatch.setenv("FACECLI_CONFIG", str(tmp_path / "missing"))
    assert complete_profiles(context(), "") == []


@pytest.mark.usefixtures("user")
def test_options_of_the_chosen_engine_are_completed() -> None:
    names = [name for name, _ in complete_engine_options(context(engine="mesh"), "")]
    assert all(name.endswith("=") for name in names)
    assert [name for name, _ in complete_engine_options(context(), "se")] == ["seed="]
    choices = [name for name, _ in complete_engine_options(context(engine="mesh"), "faces=")]
    assert choices and all(name.startswith("faces=") for name in choices)


def test_completion_is_installed_for_the_shell_of_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    installed = facecli("completion", "install", "--json")
    assert installed.object["shell"] == "fish"
    assert Path(installed.object["path"]).is_relative_to(tmp_path)
    monkeypatch.setenv("SHELL", "/bin/other")
    refused = facecli("completion", "install")
    assert (refused.code, "bash, zsh, fish, powershell" in refused.err) == (2, True)
