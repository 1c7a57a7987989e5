"""Completion of task IDs, file URLs and engine names, asked from the server."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import typer

from facecli.config.loader import load
from facecli.config.settings import LOCAL
from facecli.core.errors import FacecliError
from facecli.library.session import Session, connected

TIMEOUT = 2.0  # seconds that a person waits for a completion
MAX_OFFERED = 50

_CONNECTION = ("server", "user", "tls", "tls_ca", "tls_cert", "tls_key")  # options that name the server


def complete_tasks(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """IDs of the user's newest tasks, each with its state and inputs."""

    def offered(session: Session) -> list[tuple[str, str]]:
        from facecli.tasks.task import TaskFilter

        tasks = session.tasks.listed(TaskFilter(), limit=MAX_OFFERED)
        return [(task.id, f"{task.status} {task.image_name} {task.video_name}") for task in tasks]

    return _matching(ctx, incomplete, offered)


def complete_files(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """URLs of the user's newest files."""

    def offered(session: Session) -> list[tuple[str, str]]:
        uploads = islice(session.uploads.listed(), MAX_OFFERED)
        return [(upload.file_url, upload.status) for upload in uploads]

    return _matching(ctx, incomplete, offered)


def complete_engines(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of the server's engines."""
    return _matching(ctx, incomplete, lambda session: [(name, "") for name in session.files.info().engines])


def _matching(
    ctx: typer.Context, incomplete: str, offered: Callable[[Session], list[tuple[str, str]]]
) -> list[tuple[str, str]]:
    """The offers of the server that begin so; none, silently, if it does not answer soon."""
    flags = {name: ctx.params.get(name) for name in _CONNECTION}
    try:
        settings = load(flags, profile=ctx.params.get("profile"))
        if settings.server == LOCAL:
            return []  # starting it would take too long
        with connected(replace(settings, timeout=TIMEOUT, call_timeout=TIMEOUT, retry_for=0.0)) as session:
            return [pair for pair in offered(session) if pair[0].startswith(incomplete)]
    except FacecliError:
        return []
