"""The server's certificate, read again when its files change, so that renewing it needs no restart."""

import logging
from pathlib import Path
from typing import Any

import grpc

from facecli.core.errors import InvalidInput
from facecli.core.tls import ServerTls, read_authority, read_pair

_log = logging.getLogger(__name__)

Version = tuple[tuple[int, int, int], ...]


def server_credentials(tls: ServerTls) -> grpc.ServerCredentials:
    """InvalidInput when the files cannot be used now; later ones that cannot leave the last good in use."""
    look: Any = _Renewal(tls).look  # typed as if it had to give one every time
    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls), look, require_client_authentication=bool(tls.client_ca)
    )


class _Renewal:
    """gRPC looks before every handshake."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._seen = _version(tls)

    def look(self) -> grpc.ServerCertificateConfiguration | None:
        """The new configuration when the files changed since the last look."""
        now = _version(self._tls)
        if now == self._seen:
            return None
        self._seen = now
        try:
            configuration = _configuration(self._tls)
        except InvalidInput as error:
            # The certificate was replaced and its key not yet; the next look may find both.
            _log.warning("the new certificate is not used: %s", error)
            return None
        _log.info("the certificate %s was read again", self._tls.cert)
        return configuration


def _version(tls: ServerTls) -> Version:
    """Differs when a file was written, or another took its slot."""
    return tuple(_of_file(Path(path)) for path in (tls.cert, tls.key, tls.client_ca) if path)


def _of_file(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0  # who reads it will say why
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _configuration(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    cert, key = read_pair(tls.cert, tls.key)
    authority = read_authority(tls.client_ca) if tls.client_ca else None
    return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=authority)
