"""Every setting: a flag, else `FACECLI_*`, else the profile in the config file, else the default."""

# ruff: noqa: RUF009  (`_setting` is `field`, no call that is made once for all)

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from facecli.config.amounts import PARSERS, Count, Size, Time
from facecli.core.errors import InvalidInput
from facecli.core.tls import ClientTls, ServerTls

ENVIRONMENT = os.environ
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


def load(
    flags: Mapping[str, Any], *, profile: str | None = None, environment: Mapping[str, str] = ENVIRONMENT
) -> Settings:
    """The settings in force. InvalidInput names the setting, and where its bad value stands."""
    chosen = profile or environment.get(f"{PREFIX}PROFILE", "")
    file = config_file(environment)
    filed = _profile(file, chosen)
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = setting.name
        if flags.get(name) is not None:
            values[name] = flags[name]
        elif (text := environment.get(variable(name))) is not None:
            values[name] = _parsed(setting, text, variable(name))
        elif name in filed:
            where = f"{name} in profile {chosen or 'default'} of {file}"
            values[name] = _parsed(setting, _scalar(filed[name], where), where)
    settings = Settings(**values)
    if not settings.timeout:
        raise InvalidInput("timeout is 0, and no call takes no time; write 30s")
    current_token(settings)
    return settings


def quiet_libraries() -> None:
    """Before gRPC is imported: its own lines on stderr are for who debugs gRPC, and asks for them."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def variable(name: str) -> str:
    return PREFIX + name.upper()


def config_file(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Where the profiles are; a file that FACECLI_CONFIG names has to exist."""
    if path := environment.get(f"{PREFIX}CONFIG"):
        if not Path(path).exists():
            raise InvalidInput(f"{PREFIX}CONFIG is {path}, and there is no such file")
        return Path(path)
    import platformdirs

    return Path(platformdirs.user_config_dir("facecli")) / "config.toml"


def data_directory(settings: Settings) -> Path:
    if settings.data_dir:
        return Path(settings.data_dir)
    import platformdirs

    return Path(platformdirs.user_data_dir("facecli"))


def current_token(settings: Settings) -> str:
    """The token, or what its file holds at this moment; empty when there is neither. No message has it."""
    if not settings.token and not settings.token_file:
        return ""
    file = settings.token_file
    try:
        token = settings.token or Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the token file {file}: {error}") from error
    if not (token and token.isascii() and token.isprintable()):
        where = f"{PREFIX}TOKEN" if settings.token else f"the token file {file}"
        raise InvalidInput(f"{where} holds no token: it is one line of printable ASCII characters")
    return token


def client_tls(settings: Settings) -> ClientTls | None:
    if not (settings.tls or settings.tls_ca or settings.tls_cert or settings.tls_key):
        return None
    return ClientTls(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)


def server_tls(settings: Settings) -> ServerTls | None:
    if not (settings.tls_cert or settings.tls_key or settings.tls_client_ca):
        return None
    return ServerTls(cert=settings.tls_cert, key=settings.tls_key, client_ca=settings.tls_client_ca)


def asks_who(settings: Settings) -> bool:
    """Whether serve wants everybody to prove who they are."""
    return settings.auth == "token" or bool(settings.tls_client_ca)


def alone(settings: Settings) -> Settings:
    """For a server and its clients by themselves on this machine: no TLS, no token, no PostgreSQL."""
    plain = replace(settings, tls=False, tls_ca="", tls_cert="", tls_key="", tls_client_ca="")
    return replace(plain, database="", bind="127.0.0.1:0", auth="none", token="", token_file="")


def child_environment(settings: Settings, *, secrets: Collection[str] = ()) -> dict[str, str]:
    """The environment of a child process that shall have the settings in force, and of the secrets these."""
    secret = {variable(f.name) for f in fields(Settings) if f.metadata["secret"] and f.name not in secrets}
    secret.add(variable("token_file"))
    own = {variable(f.name): str(getattr(settings, f.name)) for f in fields(Settings)}
    code = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([code, *filter(None, [ENVIRONMENT.get("PYTHONPATH")])])
    everything = {**ENVIRONMENT, **own, "PYTHONPATH": path}
    return {name: value for name, value in everything.items() if name not in secret}


def _profile(file: Path, name: str) -> dict[str, Any]:
    """A table `[NAME]` of the config file; `[default]` when no name is given, which may be missing."""
    try:
        tables = tomllib.loads(file.read_text())
    except FileNotFoundError:
        tables = {}
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {file}: {error}") from error
    if stray := [key for key, value in tables.items() if not isinstance(value, dict)]:
        raise InvalidInput(f"{file} has {stray[0]} outside of a profile; put it under [default] or [NAME]")
    if name not in {"", *tables}:
        there = f"it has {', '.join(tables)}" if tables else "it has none"
        raise InvalidInput(f"there is no profile {name} in {file}; {there}")
    table: dict[str, Any] = tables.get(name or "default", {})
    if "token" in table:
        raise InvalidInput(f"{file} is no place for a token; use {PREFIX}TOKEN, or token_file")
    if unknown := sorted(set(table) - {setting.name for setting in fields(Settings)}):
        raise InvalidInput(f"{file} has no use for {', '.join(unknown)} in profile {name or 'default'}")
    return table


def _scalar(value: Any, where: str) -> str:
    if not isinstance(value, str | int | float):
        raise InvalidInput(f"{where} is neither a text nor a number")
    return str(value)


def _parsed(setting: "Field[Any]", text: str, where: str) -> Any:
    choices = get_args(setting.type) if get_origin(setting.type) is Literal else ()
    if choices and text not in choices:
        raise InvalidInput(f"{where}: {text!r} is none of {', '.join(choices)}")
    try:
        return text if choices else PARSERS[setting.type](text)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}") from error
