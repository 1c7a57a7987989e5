"""The server's TLS credentials, reloaded when their files change, so that a renewal needs no restart."""

import logging
from pathlib import Path
from typing import Any

import grpc

from facecli.core.errors import InvalidInput
from facecli.core.tls import ServerTls, read_authority, read_pair

_log = logging.getLogger(__name__)

FileVersion = tuple[int, int, int]  # modification time, inode, size


def server_credentials(tls: ServerTls) -> grpc.ServerCredentials:
    """InvalidInput when the files are unusable now. If later ones are, the last good ones stay in use."""
    fetch: Any = _Reloader(tls).changed  # typed as if it had to return a configuration every time
    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls), fetch, require_client_authentication=bool(tls.client_ca)
    )


class _Reloader:
    """Reloads the configuration; gRPC asks before every handshake."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._loaded = _versions(tls)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The new configuration when the files changed since the last call."""
        versions = _versions(self._tls)
        if versions == self._loaded:
            return None
        self._loaded = versions
        try:
            configuration = _configuration(self._tls)
        except InvalidInput as error:
            # The certificate was replaced and its key not yet; the next call may find both.
            _log.warning("new certificate not usable", extra={"error": error.message})
            return None
        _log.info("certificate reloaded", extra={"certificate": self._tls.cert})
        return configuration


def _versions(tls: ServerTls) -> tuple[FileVersion, ...]:
    """Differs when a file was written or replaced."""
    return tuple(_version(Path(path)) for path in (tls.cert, tls.key, tls.client_ca) if path)


def _version(path: Path) -> FileVersion:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0  # reading the file reports the error
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _configuration(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    cert, key = read_pair(tls.cert, tls.key)
    authority = read_authority(tls.client_ca) if tls.client_ca else None
    return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=authority)
