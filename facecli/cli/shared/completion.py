"""Completion of task IDs, file URLs and engine names, asked from the server."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import typer

from facecli.config.loader import PRESETS, load, tables
from facecli.config.paths import config_file
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


def complete_engine_options(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Options of the chosen engine, or of the server's default one: `NAME=`, then its choices."""

    def offered(session: Session) -> list[tuple[str, str]]:
        info = session.files.info()
        chosen = ctx.params.get("engine") or info.default_engine
        options = [
            option for engine in info.engine_infos if engine.name == chosen for option in engine.options
        ]
        names = [(f"{option.name}=", option.about) for option in options]
        choices = [
            (f"{option.name}={_typed(choice)}", option.about)
            for option in options
            for choice in option.choices
        ]
        return names + choices

    if "=" in incomplete:
        return _matching(ctx, incomplete, offered)
    return [pair for pair in _matching(ctx, incomplete, offered) if pair[0].endswith("=")]


def _typed(choice: str) -> str:
    """A choice as far as it is always the same: `index:N` is `index:`."""
    kind, colon, _ = choice.partition(":")
    return kind + colon


def complete_profiles(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of the profiles in the config file."""
    try:
        names = [name for name in tables(config_file()) if name != PRESETS]
    except FacecliError:
        return []
    return [(name, "") for name in names if name.startswith(incomplete)]


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
