"""`facecli doctor`: check this machine and the server."""

import platform
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from facecli import __version__
from facecli.cli.doctor.findings import Finding, Result, lines_of, object_of, run_check
from facecli.cli.doctor.server import server_checks, versions
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import SomeFailed, exit_code
from facecli.cli.shared.output import Output
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.errors import DiskFull, NotConfigured, PolicyRefused
from facecli.library.session import Session, connected

MIN_FREE_BYTES = 1024**3
SLOW_REQUEST = 0.2  # seconds of a request to the bucket
SLOW_QUERY = 0.02  # seconds of a round trip to the database, of which a chunk or a task needs several


@partial(with_session, user=False, quiet_help="Print only the names of failed checks.", retry_for=0.0)
def doctor(
    session: Session,
    output: Output,
) -> None:
    """Check ffmpeg, disk space, the server and your access to it.

    If FACECLI_DATABASE is set, checks that PostgreSQL database too, its latency and its schema, and with
    FACECLI_BLOBS that bucket and its latency. Checks each of several servers. Names the proxies on the way to
    a server, over gRPC and at its URL for HTTP, and says if they hide this machine's address or buffer
    uploads. Compares clocks with it, and the versions of all servers and their workers. Prints one line per
    check, with a hint for each problem and a warning for what should not stay so; with -q, prints only the
    names of failed checks.
    `sandbox` shows how ffmpeg is isolated; a layer that this kernel does not support is reported but is not a
    failure. Tries each server once; with --retry-for, waits for one that is away.

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
        checks["bucket"] = lambda: _bucket(settings)
    findings = [run_check(name, check) for name, check in checks.items()]
    findings += _servers(session)
    for finding in findings:
        short = finding.check if finding.error else ""
        output.show(object_of(finding), text="\n".join(lines_of(finding)), short=short)
    if failed := next((finding.error for finding in findings if finding.error), None):
        raise SomeFailed(exit_code(failed), unreported=[failed] if output.as_json else [])


def _servers(session: Session) -> list[Finding]:
    """Findings about each server of a list, and about their versions together."""
    addresses = [each.strip() for each in session.settings.server.split(",")]
    if len(addresses) == 1:
        findings, info = server_checks(session)
        infos = {addresses[0]: info} if info else {}
    else:
        findings, infos = [], {}
        for address in addresses:
            with connected(replace(session.settings, server=address), flags=session.flags) as one:
                found, info = server_checks(one, name=address)
            findings += found
            if info:
                infos[address] = info
    if infos:
        findings.append(run_check("versions", lambda: versions(infos)))
    return findings


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


def _bucket(settings: Settings) -> Result:
    from facecli.bootstrap.blob_store import bucket_summary

    summary, seconds = bucket_summary(settings, data_directory(settings))
    warning = ""
    if seconds > SLOW_REQUEST:
        warning = "each part of an upload waits for the bucket; run servers and workers near it"
    found = f"{summary}, {seconds * 1000:.0f} ms a request"
    return found, {"request_seconds": seconds, "warning": warning}


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
