"""Config and token files as editors write them: byte order marks, line ends, encodings."""

from pathlib import Path

import pytest

from facecli.config.loader import load
from facecli.core.errors import InvalidInput


def refused(environment: dict[str, str]) -> str:
    with pytest.raises(InvalidInput) as caught:
        load({}, environment=environment)
    return caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[default]\nuser = 'ann'\n",
        b"[default]\r\nuser = 'ann'\r\n",
        b"\xef\xbb\xbf[default]\r\nuser = 'ann'\r\n",
    ],
    ids=["byte order mark", "CRLF", "both"],
)
def test_a_config_file_may_come_from_any_editor(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(data)
    assert load({}, environment={"FACECLI_CONFIG": str(file)}).user == "ann"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("[default]\n".encode("utf-16"), "is not in UTF-8 but perhaps in UTF-16; save it as UTF-8"),
        ("[default]\n".encode("utf-16-be"), "is not in UTF-8 but perhaps in UTF-16; save it as UTF-8"),
        (b"[default]\nuser = 'Zo\xeb'\n", "is not in UTF-8; save it as UTF-8"),
    ],
    ids=["UTF-16", "UTF-16 without mark", "Latin-1"],
)
def test_a_config_or_token_file_in_another_encoding_is_named(
    data: bytes, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    file.chmod(0o600)
    assert refused({"FACECLI_CONFIG": str(file)}) == f"{file} {expected}"
    message = refused({"FACECLI_TOKEN_FILE": str(file)})
    assert message == f"the token file {file} {expected}"


def test_a_directory_is_not_a_config_file(tmp_path: Path) -> None:
    assert refused({"FACECLI_CONFIG": str(tmp_path)}) == (f"cannot read {tmp_path}: Is a directory")
