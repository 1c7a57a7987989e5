"""Settings: a flag wins over the variable, the variable over the profile, the profile over the default."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from facecli.config.access import client_tls, current_token, server_tls, standalone
from facecli.config.amounts import format_default
from facecli.config.child_environment import child_environment
from facecli.config.loader import MAX_CHUNK_SIZE, MIN_CHUNK_SIZE, load
from facecli.config.paths import data_directory
from facecli.config.settings import Settings, variable
from facecli.core.errors import InvalidInput
from facecli.uploads import upload

Profiles = Callable[[str], dict[str, str]]


@pytest.fixture
def profiles(tmp_path: Path) -> Profiles:
    """Write a config file; the environment that names it."""

    def write(text: str) -> dict[str, str]:
        (tmp_path / "config.toml").write_text(text)
        return {"FACECLI_CONFIG": str(tmp_path / "config.toml")}

    return write


def refused(**arguments: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        load(arguments.pop("flags", {}), **arguments)
    return caught.value.message


def test_precedence_is_flag_variable_profile_default(profiles: Profiles) -> None:
    environment = profiles('[default]\nserver = "profile:1"\nuser = "profile"\nengine = "profile"\n')
    environment |= {"FACECLI_SERVER": "variable:1", "FACECLI_USER": "variable"}
    settings = load({"server": "flag:1", "user": None}, environment=environment)
    assert (settings.server, settings.user, settings.engine) == ("flag:1", "variable", "profile")
    assert settings.bind == "127.0.0.1:50051"


def test_a_flag_may_be_absent_or_zero(profiles: Profiles) -> None:
    environment = {"FACECLI_WORKERS": "3", "FACECLI_INSECURE": "yes"}
    assert load({"workers": 0, "insecure": False}, environment=environment).workers == 0
    assert load({"workers": None, "insecure": None}, environment=environment).insecure


def test_the_profile_comes_from_flag_then_variable_then_default(profiles: Profiles) -> None:
    environment = profiles('[default]\nuser = "one"\n[studio]\nuser = "two"\n[home]\nuser = "three"\n')
    assert load({}, environment=environment).user == "one"
    environment["FACECLI_PROFILE"] = "studio"
    assert load({}, environment=environment).user == "two"
    assert load({}, profile="home", environment=environment).user == "three"


def test_defaults_apply_without_a_file_or_default_profile(profiles: Profiles, tmp_path: Path) -> None:
    assert load({}, environment={}) == Settings()
    assert load({}, environment=profiles("[studio]\nuser = 'two'\n")) == Settings()


def test_a_named_config_file_must_exist(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    assert refused(environment={"FACECLI_CONFIG": missing}) == (
        f"FACECLI_CONFIG: file {missing} does not exist"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[default]\nservre = 'a:1'\n", "unknown setting in profile default: servre"),
        ("server = 'a:1'\n", "server is outside of a profile; put it under [default] or [NAME]"),
        (
            "[default]\ntoken = 'secret'\n",
            "tokens are not allowed in the config file; use FACECLI_TOKEN or",
        ),
        ("[default]\nserver = ['a:1']\n", "server in profile default of"),
        ("[default]\nserver = \n", "is not valid TOML: "),
        ("[default]\nchunk_size = 'much'\n", "'much' is not a size; write 4096, 10MiB or 500MB"),
        ("[default]\nlog_level = 'loud'\n", "'loud' is not one of debug, info, warning, error"),
    ],
)
def test_an_invalid_profile_names_the_setting_and_file(
    text: str, expected: str, profiles: Profiles, tmp_path: Path
) -> None:
    message = refused(environment=profiles(text))
    assert expected in message
    assert str(tmp_path / "config.toml") in message
    assert "secret" not in message


def test_a_missing_profile_is_reported_with_the_existing_ones(profiles: Profiles, tmp_path: Path) -> None:
    environment = profiles("[studio]\n[home]\n")
    message = refused(profile="stduio", environment=environment)
    assert message == f"profile stduio not found in {tmp_path / 'config.toml'}; it has studio, home"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("FACECLI_TIMEOUT", "soon", "'soon' is not a time; write 90, 1m30s or 1.5h"),
        ("FACECLI_RETRY_FOR", "-1", "'-1' is not a time"),
        ("FACECLI_RETRY_FOR", "nan", "'nan' is not a time"),
        ("FACECLI_RETRY_FOR", "inf", "'inf' is not a time"),
        ("FACECLI_CHUNK_SIZE", "10 apples", "'10 apples' is not a size"),
        ("FACECLI_CHUNK_SIZE", "-5MiB", "'-5MiB' is not a size"),
        ("FACECLI_MAX_FILE_SIZE", "1e400", "'1e400' is not a size"),
        ("FACECLI_WORKERS", "2.5", "'2.5' is not a non-negative integer"),
        ("FACECLI_WORKERS", "-1", "'-1' is not a non-negative integer"),
        ("FACECLI_INSECURE", "maybe", "'maybe' is neither true nor false"),
        ("FACECLI_PROGRESS", "loud", "'loud' is not one of auto, rich, tqdm, json, none"),
        ("FACECLI_LOG_FORMAT", "xml", "'xml' is not one of text, json"),
    ],
)
def test_an_invalid_variable_is_named(name: str, text: str, expected: str) -> None:
    message = refused(environment={name: text})
    assert message.startswith(f"{name}: ")
    assert expected in message


def test_the_timeout_of_calls_must_be_greater_than_zero() -> None:
    assert "timeout must be greater than 0" in refused(environment={"FACECLI_CALL_TIMEOUT": "0"})
    assert "timeout must be greater than 0" in refused(flags={"call_timeout": 0.0}, environment={})


@pytest.mark.parametrize("text", ["0", "1", "65535", "63KiB", "16777217", "1GiB"])
def test_a_chunk_size_beyond_its_limits_is_refused(text: str) -> None:
    message = "chunk_size must be between 64KiB and 16MiB; the default is 10MiB"
    assert refused(environment={"FACECLI_CHUNK_SIZE": text}) == message


def test_the_limits_of_the_chunk_size_are_allowed() -> None:
    for text, size in (("64KiB", MIN_CHUNK_SIZE), ("16MiB", MAX_CHUNK_SIZE)):
        assert load({}, environment={"FACECLI_CHUNK_SIZE": text}).chunk_size == size
    assert MAX_CHUNK_SIZE == upload.MAX_CHUNK_SIZE


def test_every_default_can_be_formatted_and_parsed() -> None:
    environment = {
        variable(setting.name): format_default(setting)
        for setting in fields(Settings)
        if format_default(setting)
    }
    assert load({}, environment=environment) == Settings()
    assert environment["FACECLI_CHUNK_SIZE"] == "10MiB"
    assert environment["FACECLI_UPLOAD_EXPIRY"] == "7d"


def test_every_setting_has_a_sentence() -> None:
    for setting in fields(Settings):
        assert setting.metadata["sentence"].endswith(".")


def test_a_token_file_provides_the_token_unless_the_token_is_set(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("secret\n")
    environment = {"FACECLI_TOKEN_FILE": str(file)}
    settings = load({}, environment=environment)
    assert current_token(settings) == "secret"
    file.write_text("newer\n")
    assert current_token(settings) == "newer"
    assert current_token(load({}, environment={**environment, "FACECLI_TOKEN": "other"})) == "other"


@pytest.mark.parametrize("content", [b"", b"  \n", b"two\nlines", "schlüssel".encode(), b"\xff"])
def test_a_token_file_without_a_token_is_rejected(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    message = refused(environment={"FACECLI_TOKEN_FILE": str(file)})
    assert str(file) in message
    assert "lines" not in message


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert f"cannot read the token file {missing}" in refused(
        environment={"FACECLI_TOKEN_FILE": str(missing)}
    )


def test_an_invalid_token_is_rejected_without_showing_it() -> None:
    message = refused(environment={"FACECLI_TOKEN": "s3cret\x00ß"})
    assert message.startswith("FACECLI_TOKEN is not a valid token")
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("name", "settings"), [("token", Settings(token="secret")), ("database", Settings(database="secret"))]
)
def test_a_secret_is_never_shown(name: str, settings: Settings) -> None:
    for shown in (repr(settings), str(settings), f"{settings}"):
        assert "secret" not in shown
        assert f"{name}=***" in shown
    assert f"{name}=''" in repr(Settings())


def test_any_tls_file_implies_tls() -> None:
    assert not client_tls(Settings())
    assert not server_tls(Settings())
    for client in (Settings(tls=True), Settings(tls_ca="ca"), Settings(tls_cert="c"), Settings(tls_key="k")):
        assert client_tls(client)
    for server in (Settings(tls_cert="c"), Settings(tls_key="k"), Settings(tls_client_ca="ca")):
        assert server_tls(server)


def test_a_standalone_server_needs_neither_tls_nor_a_token() -> None:
    network = Settings(tls_cert="c", tls_key="k", tls_client_ca="ca", auth="token", token_file="t", workers=3)
    settings = standalone(replace(network, database="postgresql://db/facecli"))
    assert not client_tls(settings)
    assert not server_tls(settings)
    assert (settings.auth, current_token(settings), settings.database) == ("none", "", "")
    assert settings.workers == 3


def test_a_child_process_gets_every_setting_but_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACECLI_TOKEN", raising=False)
    settings = Settings(
        token="secret", database="secret", workers=3, retry_for=1.5, insecure=True, log_format="json"
    )
    environment = child_environment(settings)
    assert "secret" not in environment.values()
    ours = {name: value for name, value in environment.items() if name.startswith("FACECLI_")}
    assert repr(load({}, environment=ours)) == repr(
        Settings(workers=3, retry_for=1.5, insecure=True, log_format="json")
    )


def test_a_child_process_gets_only_the_named_secret() -> None:
    environment = child_environment(Settings(token="secret", database="needed"), secrets=["database"])
    assert environment["FACECLI_DATABASE"] == "needed"
    assert "secret" not in environment.values()


def test_the_data_directory_defaults_to_the_platforms() -> None:
    assert data_directory(Settings(data_dir="/srv/facecli")) == Path("/srv/facecli")
    assert data_directory(Settings()).name == "facecli"
