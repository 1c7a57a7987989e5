"""TLS of the HTTP server; renewed certificate files take effect with the next connection."""

import ssl
from typing import Any, Self

from facecli.core.tls import ServerTls, TlsRenewal, read_tls


class RenewedContext(ssl.SSLContext):
    """Serves each connection with the newest usable certificate."""

    _tls: ServerTls
    _renewal: TlsRenewal
    _current: ssl.SSLContext

    @classmethod
    def loaded(cls, tls: ServerTls) -> Self:
        """InvalidInput when the files are unusable now."""
        read_tls(tls)
        context = cls(ssl.PROTOCOL_TLS_SERVER)
        context._tls, context._renewal, context._current = tls, TlsRenewal(tls), _context(tls)
        return context

    def wrap_bio(self, *args: Any, **more: Any) -> ssl.SSLObject:
        """asyncio calls this once per connection."""
        if self._renewal.changed():
            self._current = _context(self._tls)
        return self._current.wrap_bio(*args, **more)


def _context(tls: ServerTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert, tls.key, password="")
    context.set_alpn_protocols(["http/1.1"])
    if tls.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.client_ca)
    return context


def certificate_names(connection: ssl.SSLObject | None) -> tuple[bytes, ...]:
    """The names in the verified certificate of a client: common names first."""
    certificate = (connection.getpeercert() if connection else None) or {}
    subject: Any = certificate.get("subject", ())
    common = [value for part in subject for name, value in part if name == "commonName"]
    alternative: Any = certificate.get("subjectAltName", ())
    return tuple(str(name).encode() for name in (*common, *(value for _, value in alternative)))
