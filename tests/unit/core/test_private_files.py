"""Files with secrets: other users of the machine must not be able to read them."""

import os
from pathlib import Path

import pytest

from facecli.config.access import current_token
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.core.private_files import read_private
from facecli.core.tls import read_pair


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    return file


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o606, 0o620, 0o660, 0o666])
def test_a_file_that_others_can_read_or_change_is_refused_with_the_cure(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(InvalidInput, match=rf"token file .*mode {mode:o}.*; run chmod 600 {file}"):
        current_token(Settings(token_file=str(file)))


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_its_owner_alone_is_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert current_token(Settings(token_file=str(file))) == "s3cret"


@pytest.mark.parametrize(("owner", "allowed"), [(0, True), (1234, False)])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_group_may_read_only_a_file_of_root(file: Path, owner: int, allowed: bool) -> None:
    os.chown(file, owner, 1234)
    file.chmod(0o640)
    if allowed:
        assert read_private(str(file), what="key") == b"s3cret"
    else:
        with pytest.raises(InvalidInput, match="other users"):
            read_private(str(file), what="key")


def test_private_keys_obey_the_same_rule_and_certificates_do_not(file: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.write_text("public")
    with pytest.raises(InvalidInput, match=r"private key .* other users"):
        read_pair(str(certificate), str(file))
    file.chmod(0o600)
    with pytest.raises(InvalidInput, match="not a matching certificate"):
        read_pair(str(certificate), str(file))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read the token file .*/none: No such file"):
        read_private(str(tmp_path / "none"), what="token file")
