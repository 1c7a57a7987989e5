"""`facecli token` next to a running server, and `facecli cert dev`."""

import re
import stat
import sys
from pathlib import Path

import pytest

from tests.support.cli import Ran, Server, facecli, process, run_server
from tests.unit.cli.conftest import Samples

TOKEN = re.compile(r"fc_[0-9a-f]{16}_[0-9a-f]{64}")
KEYS = {"id", "user", "admin", "status", "created_at", "expires_at", "revoked_at"}


def listed(server: Server, token: str, *more: object) -> Ran:
    """`facecli task list` with a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECLI_TOKEN", token)
        return facecli("task", "list", "--server", server.address, "--json", *more)


def test_a_token_takes_effect_on_a_running_server_until_revoked(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", FACECLI_AUTH="token") as server:
        here = ("--data-dir", server.data)
        created = facecli("token", "create", "ann", "--expires", "30d", *here)
        secret = created.out.strip()
        assert TOKEN.fullmatch(secret)
        assert "ann  valid until " in created.err
        assert secret not in created.err
        assert listed(server, secret).code == 0
        (token,) = facecli("token", "list", *here, "--json").objects
        assert set(token) == KEYS
        assert (token["user"], token["admin"], token["status"]) == ("ann", False, "valid")
        assert secret not in facecli("token", "list", *here).out
        assert facecli("token", "list", *here, "-q").lines == [token["id"]]
        revoked = facecli("token", "revoke", token["id"], *here, "--json").object
        assert revoked == {**token, "status": "revoked", "revoked_at": revoked["revoked_at"]}
        refused = listed(server, secret)
        assert (refused.code, refused.error["reason"]) == (4, "UNAUTHENTICATED")
        assert "revoked" in refused.error["message"]
    for file in server.data.iterdir():
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_a_token_is_printed_only_on_creation(tmp_path: Path) -> None:
    here = ("--data-dir", tmp_path / "data")
    created = facecli("token", "create", "root", "--admin", *here, "--json")
    assert set(created.object) == {*KEYS, "token"}
    assert TOKEN.fullmatch(created.object["token"])
    assert (created.object["admin"], created.object["expires_at"], created.err) == (True, None, "")
    quiet = facecli("token", "create", "root", *here, "-q")
    assert TOKEN.fullmatch(quiet.out.strip())
    assert quiet.err == ""


def test_a_name_without_a_token_is_unauthenticated(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", FACECLI_AUTH="token") as server:
        here = ("--data-dir", server.data)
        ann = facecli("token", "create", "ann", *here).out.strip()
        root = facecli("token", "create", "root", "--admin", *here).out.strip()
        assert listed(server, ann, "--user", "ann").code == 0
        refused = listed(server, ann, "--user", "bob")
        assert (refused.code, refused.error["reason"]) == (4, "NOT_ALLOWED")
        assert refused.error["message"] == "you are ann, not bob; leave --user (user_id) out"
        assert listed(server, root, "--user", "bob").code == 0


def test_a_token_of_a_directory_that_no_server_uses_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    created = facecli("token", "create", "ann", "--data-dir", data)
    assert (created.code, f"tokens of {data}" in created.err) == (0, True)
    remedy = f"a server takes tokens only from its own: facecli serve --data-dir {data} --auth token"
    assert f"no server has used that yet; {remedy}" in created.err
    with run_server(data, FACECLI_AUTH="token") as server:
        assert listed(server, created.out.strip()).code == 0
        assert "no server has used" not in facecli("token", "create", "bob", "--data-dir", data).err


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("create", " "), 2, "is not a valid user name"),
        (("create", "ann", "--expires", "soon"), 2, "'soon' is not a time"),
        (("revoke", "0" * 16), 5, "there is no token"),
    ],
    ids=str,
)
def test_invalid_token_commands_are_rejected(
    words: tuple[str, ...], code: int, expected: str, tmp_path: Path
) -> None:
    ran = facecli("token", *words, "--data-dir", tmp_path / "data", "--json")
    assert ran.code == code
    assert expected in ran.error["message"]


def test_an_unusable_data_directory_is_named() -> None:
    ran = facecli("token", "list", "--data-dir", "/dev/null/x", "--json")
    assert (ran.code, "/dev/null/x" in ran.error["message"]) == (2, True)


def test_certificates_are_created_once_with_private_keys(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    created = facecli("cert", "dev", folder, "--host", "192.0.2.7", "--user", "ann", "--json").object
    assert {"localhost", "127.0.0.1", "::1", "192.0.2.7"} <= set(created["hosts"])
    for name in ("ca", "server", "client"):
        assert Path(created[name]).read_text().startswith("-----BEGIN CERTIFICATE")
        key = Path(created[f"{name}_key"])
        assert key.read_text().startswith("-----BEGIN PRIVATE KEY")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = {path: path.read_bytes() for path in folder.iterdir()}
    (folder / "ca.pem").unlink()
    again = facecli("cert", "dev", folder, "--json")
    assert (again.code, again.error["reason"]) == (2, "ALREADY_EXISTS")
    del before[folder / "ca.pem"]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("/dev/null/x",), "cannot write certificates to /dev/null/x"),
        (("certs", "--user", "x" * 65), "cannot be the name in a certificate"),
        (("certs", "--host", "no host"), "not a host name or address: "),
    ],
    ids=str,
)
def test_invalid_certificate_options_are_rejected(
    words: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = facecli("cert", "dev", *words, "--json")
    assert ran.code == 2
    assert expected in ran.error["message"]
    assert not [*tmp_path.rglob("*.key")]


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "cryptography").mkdir()
    (tmp_path / "cryptography" / "__init__.py").write_text("raise ImportError\n")
    path = [str(tmp_path), *sys.path]
    ran = process(
        *("cert", "dev", tmp_path / "certs", "--json"), env={"PYTHONPATH": ":".join(filter(None, path))}
    )
    assert ran.code == 1
    assert "pip install trustme" in ran.error["message"]


def test_doctor_shows_encryption_and_the_authenticated_user(tmp_path: Path, samples: Samples) -> None:
    certs = facecli("cert", "dev", tmp_path / "certs", "--user", "ann", "--json").object
    pair = {"FACECLI_TLS_CERT": certs["server"], "FACECLI_TLS_KEY": certs["server_key"]}
    tls = ("--tls-ca", certs["ca"])
    with run_server(tmp_path / "data", FACECLI_TLS_CLIENT_CA=certs["ca"], **pair) as server:
        to = ("--server", server.address, *tls)
        shown = ("--tls-cert", certs["client"], "--tls-key", certs["client_key"])
        access = facecli("doctor", *to, *shown).lines[-2]
        assert access.split(maxsplit=2)[1:] == ["access", "encrypted (TLS); you are ann"]
        refused = facecli("doctor", *to, "--json")
        assert refused.code == 6
        assert "or a client certificate (--tls-cert, --tls-key)" in refused.error["message"]
        assert facecli("upload", samples.face, *to, *shown, "-q").code == 0
