"""Tokens, TLS and authentication, derived from the settings."""

from dataclasses import replace

from facecli.config.settings import PREFIX, Settings
from facecli.config.text_file import decoded
from facecli.core.errors import InvalidInput
from facecli.core.private_files import read_private
from facecli.core.tls import ClientTls, ServerTls


def current_token(settings: Settings) -> str:
    """The token, or the current content of its file; empty if neither is set. Errors never contain it."""
    if not settings.token and not settings.token_file:
        return ""
    file = settings.token_file
    token = settings.token or decoded(read_private(file, what="token file"), f"the token file {file}").strip()
    if not (token and token.isascii() and token.isprintable()):
        where = f"{PREFIX}TOKEN" if settings.token else f"the token file {file}"
        raise InvalidInput(f"{where} is not a valid token: a token is one line of printable ASCII characters")
    return token


def client_tls(settings: Settings) -> ClientTls | None:
    """TLS of a client, or None for plain text; any TLS file implies it."""
    if not (settings.tls or settings.tls_ca or settings.tls_cert or settings.tls_key):
        return None
    return ClientTls(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)


def server_tls(settings: Settings) -> ServerTls | None:
    """TLS of the server, or None for plain text."""
    if not (settings.tls_cert or settings.tls_key or settings.tls_client_ca):
        return None
    return ServerTls(cert=settings.tls_cert, key=settings.tls_key, client_ca=settings.tls_client_ca)


def requires_authentication(settings: Settings) -> bool:
    """True if the server requires callers to authenticate."""
    return settings.auth == "token" or bool(settings.tls_client_ca)


def standalone(settings: Settings) -> Settings:
    """Settings for a private server and its clients on this machine: no TLS, token, PostgreSQL or S3."""
    plain = replace(settings, tls=False, tls_ca="", tls_cert="", tls_key="", tls_client_ca="")
    return replace(
        plain,
        database="",
        blobs="",
        bind="127.0.0.1:0",
        http="",
        http_url="",
        trusted_proxies="",
        proxy_header="x-forwarded-for",
        metrics="",
        auth="none",
        token="",
        token_file="",
    )
