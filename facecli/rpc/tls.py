"""The server's TLS credentials, reloaded when their files change, so that a renewal needs no restart."""

from typing import Any

import grpc

from facecli.core.errors import InvalidInput
from facecli.core.tls import ServerTls, TlsContent, TlsRenewal, read_tls


def server_credentials(tls: ServerTls) -> grpc.ServerCredentials:
    """InvalidInput when the files are unusable now. If later ones are, the last good ones stay in use."""
    renewal = TlsRenewal(tls)

    def changed() -> grpc.ServerCertificateConfiguration | None:
        """gRPC asks before every handshake."""
        content = renewal.changed()
        return _configuration(content) if content else None

    fetch: Any = changed  # typed as if it had to return a configuration every time
    return grpc.dynamic_ssl_server_credentials(
        _configuration(read_tls(tls)), fetch, require_client_authentication=bool(tls.client_ca)
    )


def _configuration(content: TlsContent) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(content.key, content.cert)], root_certificates=content.authority
    )


def listen(server: grpc.Server, bind: str, tls: ServerTls | None) -> str:
    """Add the port to a server; the address with the real port. InvalidInput when it cannot listen there."""
    try:
        if tls:
            port = server.add_secure_port(bind, server_credentials(tls))
        else:
            port = server.add_insecure_port(bind)
    except RuntimeError as error:
        raise InvalidInput(
            f"cannot listen on {bind}: the port is taken, or the address is not one of this machine"
        ) from error
    return f"{bind.rpartition(':')[0]}:{port}"
