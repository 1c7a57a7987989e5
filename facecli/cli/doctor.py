"""`facecli doctor`: is everything there?"""

import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from facecli import __version__
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import SomeFailed, exit_code
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.errors import DiskFull, FacecliError

LITTLE_DISK = 1024**3  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    check: str
    found: str
    error: FacecliError | None = None
    more: dict[str, Any] | None = None


@partial(with_session, user=False)
def doctor(
    opened: Session,
    output: Output,
) -> None:
    """Check ffmpeg, disk, the server, its limits, and who one is there.

    And the PostgreSQL of FACECLI_DATABASE, if it names one. Every check is a line, with a hint where
    something is missing; with -q the names of what is missing. `walls` are those around ffmpeg; one that
    this kernel lacks is told and is no failure.

    Example: facecli doctor --server 127.0.0.1:50051

    Exit codes: 0 all is well, else the code of the first that is not: 1 no ffmpeg, 4 not let in, 6 no server
    or database, 9 no disk.
    """
    settings = opened.settings
    checks: dict[str, Callable[[], tuple[str, dict[str, Any]]]] = {
        "facecli": lambda: (f"{__version__} on Python {platform.python_version()}", {}),
        "ffmpeg": lambda: (_ffmpeg(settings), {}),
        "walls": _walls,
        "disk": lambda: _disk(settings),
    }
    if settings.database:
        checks["database"] = lambda: (_database(settings), {})
    checks["server"] = lambda: _server(opened.files.info())
    findings = [_finding(name, check) for name, check in checks.items()]
    if answered := findings[-1].more:
        findings.append(_access(opened, answered))
    for finding in findings:
        short = finding.check if finding.error else ""
        output.show(_object(finding), text="\n".join(_lines(finding)), short=short)
    if failed := next((finding.error for finding in findings if finding.error), None):
        raise SomeFailed(exit_code(failed), unsaid=[failed] if output.as_json else [])


def _finding(name: str, check: Callable[[], tuple[str, dict[str, Any]]]) -> Finding:
    try:
        found, more = check()
        return Finding(check=name, found=found, more=more)
    except FacecliError as error:
        return Finding(check=name, found=error.message, error=error)


def _ffmpeg(settings: Settings) -> str:
    from facecli.bootstrap.factories import ffmpeg_version

    return ffmpeg_version(settings)


def _database(settings: Settings) -> str:
    from facecli.bootstrap.factories import database_version

    return database_version(settings)


def _walls() -> tuple[str, dict[str, Any]]:
    """What stands between a hostile media file and this machine, beside the list of formats."""
    from facecli.bootstrap.factories import sandbox_status

    abi, forbids_sockets = sandbox_status()
    held = ["files", *(["TCP"] if abi >= 4 else []), *(["signals"] if abi >= 6 else [])]
    landlock = f"Landlock ABI {abi} ({', '.join(held)})" if abi else "no Landlock on this kernel"
    seccomp = "seccomp (no sockets)" if forbids_sockets else "no seccomp on this machine"
    return f"format lists, limits, {landlock}, {seccomp}", {"landlock": abi, "seccomp": forbids_sockets}


def _disk(settings: Settings) -> tuple[str, dict[str, Any]]:
    directory = data_directory(settings)
    there = next(path for path in (directory, *directory.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LITTLE_DISK:
        raise DiskFull(f"{directory} has {free} bytes left")
    return f"{free / 1024**3:.1f} GiB free for {directory}", {"free_bytes": free}


def _server(info: Any) -> tuple[str, dict[str, Any]]:
    most = f" of {_gib(info.max_user_bytes)}" if info.max_user_bytes else ""
    return (
        f"facecli {info.version}, engines {', '.join(info.engines)}, files up to {_gib(info.max_file_size)}, "
        f"videos up to {info.max_video_seconds / 60:g} min, {_gib(info.free_bytes)} free, "
        f"{_gib(info.user_bytes)}{most} used by you",
        asdict(info),
    )


def _gib(size: int) -> str:
    return f"{round(size / 1024**3, 1):g} GiB"


def _access(opened: Session, answered: dict[str, Any]) -> Finding:
    """How the server is talked to, and whom it takes us for."""
    way = "encrypted (TLS)" if opened.encrypted else "not encrypted"
    if opened.local and not opened.encrypted:
        way = "not encrypted, on this machine"
    user = answered["user"] or opened.settings.user or "local"
    if answered["user"]:
        who = f"you are {user}{', an admin' if answered['admin'] else ''}"
    else:
        who = f"the server believes every name, and yours is {user}"
    more = {"encrypted": opened.encrypted, "authenticated": bool(answered["user"]), "user": user}
    return Finding(check="access", found=f"{way}; {who}", more=more)


def _lines(finding: Finding) -> list[str]:
    mark = "✗" if finding.error else "✓"
    lines = [f"{mark} {finding.check:8} {finding.found}"]
    if finding.error and finding.error.hint:
        lines.append(f"{'':10} hint: {finding.error.hint}")
    return lines


def _object(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "ok": finding.error is None,
        "found": finding.found,
        "hint": finding.error.hint if finding.error else "",
        **(finding.more or {}),
    }
