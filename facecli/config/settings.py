"""Every setting: a flag, else `FACECLI_*`, else the profile in the config file, else the default."""

# ruff: noqa: RUF009  (`_setting` is `field`, no call that is made once for all)

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from facecli.config.amounts import Count, Size, Time

PREFIX = "FACECLI_"

ProgressKind = Literal["auto", "rich", "tqdm", "json", "none"]
Auth = Literal["none", "token"]
Durability = Literal["power", "process"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


def _setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"sentence": sentence, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Sizes in bytes, times in seconds. An empty path stands for the platform's own place."""

    server: str = _setting("127.0.0.1:50051", "Server to talk to; several separated by commas.")
    user: str = _setting("", "Whose files and tasks; a token or a certificate says it by itself.")
    token: str = _setting("", "The token that a client shows.", secret=True)
    token_file: str = _setting("", "File that holds the token, read anew for every call.")
    tls: bool = _setting(False, "Talk to the server over TLS; naming any file for it says so too.")
    tls_ca: str = _setting(
        "", "Authority (PEM) that the server's certificate has to be of; empty for the public ones."
    )
    tls_cert: str = _setting("", "Certificate (PEM) of serve, or of a client for one that wants it.")
    tls_key: str = _setting("", "The key (PEM) of that certificate.")
    tls_client_ca: str = _setting(
        "", "Authority (PEM) of the certificates that serve wants from clients; their name is the user."
    )
    auth: Auth = _setting(
        "none", "Whom serve believes, whoever says a name, or only a token or a certificate."
    )
    timeout: Time = _setting(30.0, "Time until a short call is given up.")
    retry_for: Time = _setting(600.0, "Time without progress until a transfer or a watch is given up.")
    chunk_size: Size = _setting(10 * 1024 * 1024, "Bytes between two acknowledgements of an upload.")
    limit_rate: Size = _setting(0, "Bytes a second that an upload may take; 0 for no limit.")
    progress: ProgressKind = _setting("auto", "How progress is shown.")
    bind: str = _setting("127.0.0.1:50051", "Address that serve listens on; port 0 takes a free one.")
    insecure: bool = _setting(
        False,
        "Let serve listen beyond this machine without TLS or auth, and a token travel there unencrypted.",
    )
    data_dir: str = _setting("", "Where serve keeps uploads, results and its databases.")
    database: str = _setting(
        "",
        "PostgreSQL for many machines, postgresql://USER@HOST/NAME; empty keeps SQLite files in data_dir.",
        secret=True,
    )
    workers: Count = _setting(1, "Workers that serve starts.")
    engine: str = _setting("mock", "Engine for tasks that name none.")
    result_expiry: Time = _setting(30 * 86400.0, "Time an ended task and its result are kept; 0 for ever.")
    task_timeout: Time = _setting(86400.0, "Time that one attempt at a task may take; 0 for any.")
    segment_timeout: Time = _setting(3600.0, "Time that one segment of a video may take; 0 for any.")
    max_crashes: Count = _setting(5, "Deaths of its worker or its ffmpeg after which a task fails.")
    ffmpeg: str = _setting("", "The ffmpeg to use; empty looks on PATH, then in the ffmpeg extra.")
    max_file_size: Size = _setting(20 * 1024**3, "Largest upload.")
    upload_expiry: Time = _setting(7 * 86400.0, "Time until an upload that nobody goes on with is removed.")
    idle_limit: Time = _setting(30.0, "Time an upload stream may say nothing.")
    min_rate: Size = _setting(32 * 1024, "Bytes a second below which an upload stream is ended, in time.")
    durability: Durability = _setting(
        "power", "What an acknowledged byte survives: any death, or a power cut."
    )
    max_uploads: Count = _setting(64, "Uploads received at once.")
    max_watchers: Count = _setting(1000, "Watchers held at once.")
    max_downloads: Count = _setting(64, "Downloads sent at once.")
    max_calls: Count = _setting(128, "Short calls answered at once.")
    user_share: Count = _setting(
        75, "Percent of the uploads, watchers, downloads and short calls at once for one user with a token."
    )
    max_streams: Count = _setting(256, "Calls of one connection at once, more wait in the client; 0 for any.")
    max_user_bytes: Size = _setting(200 * 1024**3, "Bytes of one user's uploads and results; 0 for any.")
    max_user_unfinished: Count = _setting(1000, "Unfinished uploads of one user; 0 for any.")
    max_user_waiting: Count = _setting(1000, "Waiting tasks of one user; 0 for any.")
    max_pixels: Count = _setting(36_000_000, "Largest picture or video frame, in pixels.")
    max_video_seconds: Count = _setting(3 * 3600, "Longest video, in seconds.")
    segment_megapixels: Count = _setting(1500, "Work of a task that a death may cost; 1500 is 1 min of 720p.")
    log_level: LogLevel = _setting("info", "From which level on serve and worker log.")
    log_format: LogFormat = _setting("text", "How they log.")

    def __repr__(self) -> str:
        """Secrets are not shown, only that there are some."""
        shown = {setting.name: getattr(self, setting.name) for setting in fields(self)}
        hidden = {setting.name for setting in fields(self) if setting.metadata["secret"]}
        parts = [
            f"{name}={'***' if name in hidden and value else repr(value)}" for name, value in shown.items()
        ]
        return f"Settings({', '.join(parts)})"


def variable(name: str) -> str:
    return PREFIX + name.upper()
