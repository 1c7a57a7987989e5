"""The summary of a server at its start: its data, engines, access and limits."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.cli.progress.amounts import bytes_text, time_text
from facecli.config.access import requires_authentication
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.bootstrap.server import Running

_DURABILITY = {
    "power": "acknowledged data survives crashes and a power failure",
    "process": "acknowledged data survives crashes; a power failure may lose the last seconds of it",
}


def summary(settings: Settings, server: "Running") -> Sequence[tuple[str, str]]:
    """Labels and values, in the order in which an operator asks for them."""
    return (
        ("data directory", _directory(settings, server.directory)),
        *([("blobs", _blobs(settings))] if settings.blobs else []),
        ("engines", _engines(server)),
        ("workers", str(settings.workers) if settings.workers else "none here; start facecli worker"),
        ("access", _access(settings)),
        ("encryption", "TLS" if settings.tls_cert else "none; clients send everything in plain text"),
        *([("proxies", _proxies(settings))] if settings.trusted_proxies else []),
        ("durability", f"{settings.durability}: {_DURABILITY[settings.durability]}"),
        ("limits", _limits(settings)),
        ("expiry", _expiry(settings)),
        ("metrics", server.metrics or "none; --metrics HOST:PORT serves them"),
        ("ffmpeg", server.ffmpeg),
    )


def _directory(settings: Settings, directory: Path) -> str:
    database = "PostgreSQL" if settings.database else "SQLite"
    return f"{directory} ({database}, {bytes_text(shutil.disk_usage(directory).free, None)} free)"


def _blobs(settings: Settings) -> str:
    return f"{settings.blobs}; copies of up to {_size(settings.blob_cache)} in the data directory"


def _engines(server: "Running") -> str:
    default = server.default_engine
    names = ", ".join(f"{name} (default)" if name == default else name for name in server.engines)
    return f"{names}; {server.fallback}" if server.fallback else names


def _access(settings: Settings) -> str:
    if requires_authentication(settings):
        return "every caller needs a token" + (" or client certificate" if settings.tls_client_ca else "")
    return "no authentication: whatever user name a client sends is trusted; --auth token changes that"


def _proxies(settings: Settings) -> str:
    return f"{settings.trusted_proxies} are believed when they name their client by {settings.proxy_header}"


def _limits(settings: Settings) -> str:
    quota = f"{_size(settings.max_user_bytes)} per user" if settings.max_user_bytes else "no quota per user"
    return (
        f"files up to {_size(settings.max_file_size)}, {quota}, videos up to "
        f"{time_text(settings.max_video_seconds)} and {settings.max_pixels / 10**6:g} megapixels a frame"
    )


def _expiry(settings: Settings) -> str:
    results = f"results after {_days(settings.result_expiry)}" if settings.result_expiry else "results never"
    return f"unfinished uploads after {_days(settings.upload_expiry)}, {results}"


def _size(size: int) -> str:
    return bytes_text(size, None).replace(".0 ", " ")


def _days(seconds: float) -> str:
    return f"{seconds / 86400:g} d" if seconds >= 86400 else time_text(seconds)
