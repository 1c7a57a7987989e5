"""The files of an encrypted connection, PEM all of them."""

from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """Paths. Without a `ca` the public authorities count; `cert` and `key` are for servers that ask."""

    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """Paths. With a `client_ca` every client has to show a certificate of it."""

    cert: str
    key: str
    client_ca: str = ""


def read_pair(cert: str, key: str) -> tuple[bytes, bytes]:
    """The certificate with its chain, and its key; InvalidInput unless the two belong together."""
    if not (cert and key):
        raise InvalidInput("a certificate needs its key, and a key its certificate: name both")
    import ssl  # 15 ms that a command without TLS need not spend

    pair = _read(cert), _read(key)
    try:
        # A key with a password would be asked for it, on a terminal that may not be there.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise InvalidInput(f"{cert} and {key} are no certificate with its key in PEM: {error}") from error
    return pair


def read_authority(path: str) -> bytes:
    """Certificates of those whose word counts; InvalidInput when there are none in the file."""
    import ssl

    content = _read(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError) as error:
        raise InvalidInput(f"{path} holds no certificate in PEM: {error}") from error
    return content


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
