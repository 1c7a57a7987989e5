"""TLS files: certificate, key and CA in PEM, and their renewal while a server runs."""

import logging
from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import InvalidInput
from facecli.core.private_files import read_private

_log = logging.getLogger(__name__)

FileVersion = tuple[int, int, int]  # modification time, inode, size


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContent:
    """The content of the files of a ServerTls, in PEM."""

    cert: bytes
    key: bytes
    authority: bytes | None


def read_tls(tls: ServerTls) -> TlsContent:
    """Read and check the files; InvalidInput when they are unusable."""
    cert, key = read_pair(tls.cert, tls.key)
    authority = read_authority(tls.client_ca) if tls.client_ca else None
    return TlsContent(cert=cert, key=key, authority=authority)


class TlsRenewal:
    """Reads changed files again. If the new ones are unusable, the last good ones stay in use."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._loaded = _versions(tls)

    def changed(self) -> TlsContent | None:
        """The new content when the files changed since the last call."""
        versions = _versions(self._tls)
        if versions == self._loaded:
            return None
        self._loaded = versions
        try:
            content = read_tls(self._tls)
        except InvalidInput as error:
            # The certificate was replaced and its key not yet; the next call may find both.
            _log.warning("new certificate not usable", extra={"error": error.message})
            return None
        _log.info("certificate reloaded", extra={"certificate": self._tls.cert})
        return content


def _versions(tls: ServerTls) -> tuple[FileVersion, ...]:
    """Differs when a file was written or replaced."""
    return tuple(_version(Path(path)) for path in (tls.cert, tls.key, tls.client_ca) if path)


def _version(path: Path) -> FileVersion:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0  # reading the file reports the error
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
