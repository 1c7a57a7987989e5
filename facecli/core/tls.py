"""TLS settings: certificate, key and CA files in PEM."""

from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import InvalidInput
from facecli.core.private_files import read_private


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """Paths. Without a `ca` the public authorities are trusted; `cert` and `key` are a client certificate."""

    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """Paths. With a `client_ca` every client must present a certificate that it issued."""

    cert: str
    key: str
    client_ca: str = ""


def read_pair(cert: str, key: str) -> tuple[bytes, bytes]:
    """Read a certificate with its chain, and its key; InvalidInput unless the two match."""
    if not (cert and key):
        raise InvalidInput("a certificate and its key go together; give both")
    import ssl  # takes 15 ms, which commands without TLS save

    pair = _read(cert), read_private(key, what="private key")
    try:
        # Without a password argument an encrypted key prompts on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise InvalidInput(
            f"{cert} and {key} are not a matching certificate and key in PEM: {error}"
        ) from error
    return pair


def read_authority(path: str) -> bytes:
    """Read the certificates of trusted authorities; InvalidInput when the file holds none."""
    import ssl

    content = _read(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError) as error:
        raise InvalidInput(f"no PEM certificate in {path}: {error}") from error
    return content


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
