"""The server's TLS credentials, reloaded when their files change, so that a renewal needs no restart."""

from typing import Any

import grpc

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
