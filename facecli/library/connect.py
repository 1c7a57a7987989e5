"""`facecli.connect`: a client with the settings that a command would have."""

from os import PathLike

from facecli.config.loader import load
from facecli.library.client import Client, FilePath

CALL_RETRY_FOR = 10.0  # seconds; for calls that neither transfer nor watch


def connect(
    server: str | None = None,
    *,
    user: str | None = None,
    token: str | None = None,
    token_file: FilePath | None = None,
    tls: bool | None = None,
    tls_ca: FilePath | None = None,
    tls_cert: FilePath | None = None,
    tls_key: FilePath | None = None,
    insecure: bool | None = None,
    call_timeout: float | None = None,
    retry_for: float | None = None,
    chunk_size: int | None = None,
    profile: str | None = None,
) -> Client:
    """Return a client of the server, `HOST:PORT` or several separated by commas, to be used in `with`.

    An argument that is not given has the value that a command would use: of the environment variable
    `FACECLI_…`, of the profile in the config file, or the default, in this order. Times are in seconds, sizes
    in bytes. `retry_for` is how long a call waits for a server that is away: without it transfers and
    watches 10 minutes, other calls 10 s. Connects at the first call; InvalidInput for an invalid setting.
    """
    given = {
        "server": server,
        "user": user,
        "token": token,
        "token_file": token_file,
        "tls": tls,
        "tls_ca": tls_ca,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "insecure": insecure,
        "call_timeout": call_timeout,
        "retry_for": retry_for,
        "chunk_size": chunk_size,
    }
    settings = load({name: _text(value) for name, value in given.items()}, profile=profile)
    return Client(settings, call_retry_for=CALL_RETRY_FOR if retry_for is None else retry_for)


def _text(value: object) -> object:
    return str(value) if isinstance(value, PathLike) else value
