"""`facecli doctor`: check this machine and the server."""

import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from facecli import __version__
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import SomeFailed, exit_code
from facecli.cli.shared.output import Output
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.blobs import UNLIMITED
from facecli.core.errors import DiskFull, FacecliError, NotConfigured, PolicyRefused
from facecli.library.session import Session

MIN_FREE_BYTES = 1024**3
MAX_SKEW = 2.0  # seconds between two clocks, in which leases and expiries are still right
SLOW_QUERY = 0.02  # seconds of a round trip to the database, of which a chunk or a task needs several

Result = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Result of one check; a `warning` is the next step for what works and should not stay so."""

    check: str
    found: str
    warning: str = ""
    error: FacecliError | None = None
    more: dict[str, Any] | None = None


@partial(with_session, user=False, quiet_help="Print only the names of failed checks.", retry_for=0.0)
def doctor(
    session: Session,
    output: Output,
) -> None:
    """Check ffmpeg, disk space, the server and your access to it.

    If FACECLI_DATABASE is set, checks that PostgreSQL database too, its latency and its schema, and with
    FACECLI_BLOBS that bucket. Names the proxy on the way to the server, and compares versions and clocks with
    it. Prints one line per check, with a hint for each problem and a warning for what should not stay so;
    with -q, prints only the names of failed checks.
    `sandbox` shows how ffmpeg is isolated; a layer that this kernel does not support is reported but is not a
    failure. Calls the server once; with --retry-for, waits for one that is away.

    Example: facecli doctor --server 127.0.0.1:50051

    Exit codes: 0 all checks passed, else the code of the first failure: 1 ffmpeg not found, 4 unauthenticated
    or forbidden, 6 server, database or bucket unreachable, 9 disk full, 10 other users can read the data
    directory.
    """
    settings = session.settings
    checks: dict[str, Callable[[], Result]] = {
        "facecli": lambda: (f"{__version__} on Python {platform.python_version()}", {}),
        "ffmpeg": lambda: (_ffmpeg(settings), {}),
        "sandbox": _sandbox,
        "disk": lambda: _disk(settings),
    }
    if settings.database:
        checks["database"] = lambda: _database(settings)
    if settings.blobs:
        checks["bucket"] = lambda: (_bucket(settings), {})
    checks["proxy"] = lambda: (session.proxy or "none; connections to the server are direct", {})
    clocks = list[
        tuple[float, float, float]
    ]()  # of the server, and of this machine before and after the call

    def server() -> Result:
        began = time.time()
        info = session.files.info()
        clocks.append((info.time, began, time.time()))
        return _server(info)

    checks["server"] = server
    findings = [_finding(name, check) for name, check in checks.items()]
    if server_info := findings[-1].more:
        if clocks[0][0]:  # an older server does not tell its time
            findings.append(_finding("clock", lambda: clock(*clocks[0])))
        findings.append(_access(session, server_info))
    for finding in findings:
        short = finding.check if finding.error else ""
        output.show(_object(finding), text="\n".join(_lines(finding)), short=short)
    if failed := next((finding.error for finding in findings if finding.error), None):
        raise SomeFailed(exit_code(failed), unreported=[failed] if output.as_json else [])


def _finding(name: str, check: Callable[[], Result]) -> Finding:
    try:
        found, more = check()
        return Finding(check=name, found=found, warning=more.pop("warning", ""), more=more)
    except FacecliError as error:
        return Finding(check=name, found=error.message, error=error)


def _ffmpeg(settings: Settings) -> str:
    from facecli.bootstrap.factories import ffmpeg_version

    return ffmpeg_version(settings)


def _database(settings: Settings) -> Result:
    from facecli.bootstrap.service.database_state import database_state

    state = database_state(settings)
    if state.schema > state.own_schema:
        raise NotConfigured(
            f"the database has schema {state.schema}, and this facecli knows {state.own_schema}",
            hint="install the newer facecli that its servers run",
        )
    warning = ""
    if state.seconds > SLOW_QUERY:
        warning = "each chunk and each task waits for several round trips; run servers near the database"
    elif "" < state.schema < state.own_schema:
        warning = "the next start of facecli serve migrates it; make a backup first: facecli backup"
    found = f"{state.version}, schema {state.schema or 'none yet'}, {state.seconds * 1000:.1f} ms a query"
    return found, {"schema": state.schema, "query_seconds": state.seconds, "warning": warning}


def _bucket(settings: Settings) -> str:
    from facecli.bootstrap.blob_store import bucket_summary

    return bucket_summary(settings, data_directory(settings))


def _sandbox() -> Result:
    """The layers that isolate ffmpeg from this machine."""
    from facecli.bootstrap.factories import sandbox_status

    abi, forbids_sockets = sandbox_status()
    restricted = ["files", *(["TCP"] if abi >= 4 else []), *(["signals"] if abi >= 6 else [])]
    landlock = f"Landlock ABI {abi} ({', '.join(restricted)})" if abi else "no Landlock in this kernel"
    seccomp = "seccomp (no sockets)" if forbids_sockets else "no seccomp on this machine"
    return f"format allowlist, resource limits, {landlock}, {seccomp}", {
        "landlock": abi,
        "seccomp": forbids_sockets,
    }


def _disk(settings: Settings) -> Result:
    from facecli.bootstrap.factories import OPEN, directory_mode

    directory = data_directory(settings)
    existing = next(path for path in (directory, *directory.resolve().parents) if path.exists())
    if (mode := directory_mode(directory)) & OPEN:
        raise PolicyRefused(f"other users of this machine can read {directory} (mode {mode:o})")
    free = shutil.disk_usage(existing).free
    if free < MIN_FREE_BYTES:
        raise DiskFull(f"only {free} bytes are free for {directory}")
    return f"{free / 1024**3:.1f} GiB free for {directory}", {"free_bytes": free}


def clock(server_time: float, began: float, ended: float) -> Result:
    """The server's clock against this one, as exact as the call was quick."""
    skew = server_time - (began + ended) / 2
    doubt = (ended - began) / 2
    words = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine"
    found = (
        "that of the server agrees with this one" if abs(skew) <= doubt + 0.1 else f"the server is {words}"
    )
    warning = ""
    if abs(skew) > doubt + MAX_SKEW:
        warning = "tokens, links and expiries go by the server's clock; synchronize both by NTP"
    return found, {"skew_seconds": round(skew, 3), "warning": warning}


def _server(info: Any) -> Result:
    warning = ""
    if info.version != __version__:
        warning = f"this is facecli {__version__}; update the older one"
    limit = f" of {_gib(info.max_user_bytes)}" if info.max_user_bytes else ""
    return (
        f"facecli {info.version}, engines {_engines(info)}, files up to {_gib(info.max_file_size)}, "
        f"videos up to {info.max_video_seconds / 60:g} min, {_free(info.free_bytes)}, "
        f"{_gib(info.user_bytes)}{limit} used by you",
        {**asdict(info), "warning": warning},
    )


def _engines(info: Any) -> str:
    default = info.default_engine
    return ", ".join(f"{name} (default)" if name == default else name for name in info.engines)


def _free(size: int) -> str:
    return f"{_gib(size)} free" if size < UNLIMITED else "no limit of space known"


def _gib(size: int) -> str:
    return f"{round(size / 1024**3, 1):g} GiB"


def _access(session: Session, server_info: dict[str, Any]) -> Finding:
    """Encryption of the connection, and the user that the server sees."""
    transport = "encrypted (TLS)" if session.encrypted else "unencrypted"
    if session.local and not session.encrypted:
        transport = "unencrypted, on this machine"
    user = server_info["user"] or session.settings.user or "local"
    if server_info["user"]:
        identity = f"you are {user}{', an admin' if server_info['admin'] else ''}"
    else:
        identity = f"the server trusts the name that clients send; yours is {user}"
    more = {"encrypted": session.encrypted, "authenticated": bool(server_info["user"]), "user": user}
    return Finding(check="access", found=f"{transport}; {identity}", more=more)


def _lines(finding: Finding) -> list[str]:
    mark = "✗" if finding.error else "!" if finding.warning else "✓"
    lines = [f"{mark} {finding.check:8} {finding.found}"]
    if finding.error and finding.error.hint:
        lines.append(f"{'':10} hint: {finding.error.hint}")
    if finding.warning:
        lines.append(f"{'':10} warning: {finding.warning}")
    return lines


def _object(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "ok": finding.error is None,
        "found": finding.found,
        "hint": finding.error.hint if finding.error else "",
        "warning": finding.warning,
        **(finding.more or {}),
    }
