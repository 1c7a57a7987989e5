"""The table of commands, and the group that imports a command only when it is chosen."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from facecli.cli.shared.help import add_commands


@dataclass(frozen=True, slots=True)
class Command:
    """A command's module and one-line help."""

    module: str
    help: str
    is_group: bool = False
    function: str = ""  # in the module; the name of the command if empty


# In the order of the help.
COMMANDS = {
    "demo": Command("facecli.cli.demo", "Run the whole flow on sample files."),
    "swap": Command("facecli.cli.swap", "Put the face from IMAGE onto VIDEO and write the result."),
    "batch": Command("facecli.cli.batch.app", "Run the jobs of a file, many swaps at a time.", is_group=True),
    "preview": Command("facecli.cli.task.preview", "Show some frames before and after the swap."),
    "open": Command("facecli.cli.task.open", "Open a task's result in a player.", function="open_result"),
    "upload": Command("facecli.cli.upload", "Upload files and print their URLs."),
    "serve": Command("facecli.cli.serve", "Run the server."),
    "worker": Command("facecli.cli.worker", "Run a worker."),
    "engines": Command("facecli.cli.engines", "List the installed engines, or the options of one."),
    "chaos": Command("facecli.cli.chaos", "Run a TCP proxy that injects network faults."),
    "doctor": Command(
        "facecli.cli.doctor.command", "Check ffmpeg, disk space, the server and your access to it."
    ),
    "gc": Command("facecli.cli.gc", "Delete expired and orphaned data while no server runs."),
    "fsck": Command("facecli.cli.fsck", "Check stored files against their checksums while no server runs."),
    "backup": Command("facecli.cli.backup", "Back up a data directory, even while its server runs."),
    "restore": Command("facecli.cli.backup", "Restore a backup into a new data directory."),
    "audit": Command("facecli.cli.label.audit", "Export the provenance records of a server.", is_group=True),
    "task": Command("facecli.cli.task.app", "Manage tasks and download their results.", is_group=True),
    "file": Command("facecli.cli.file", "List, download and delete your files on the server.", is_group=True),
    "label": Command(
        "facecli.cli.label.app", "Show and verify the labels of videos as AI-made.", is_group=True
    ),
    "bench": Command(
        "facecli.cli.bench.app",
        "Measure uploads and tasks, on this machine or against a server.",
        is_group=True,
    ),
    "token": Command("facecli.cli.token", "Create, list and revoke a server's tokens.", is_group=True),
    "generate": Command(
        "facecli.cli.generate", "Print files for Prometheus, Grafana, systemd and nginx.", is_group=True
    ),
    "completion": Command(
        "facecli.cli.completion", "Complete commands, IDs and engines in the shell.", is_group=True
    ),
    "config": Command("facecli.cli.config.app", "Show the settings and where they come from.", is_group=True),
    "cert": Command("facecli.cli.cert", "Create certificates for development.", is_group=True),
}


class LazyGroup(TyperGroup):
    """The root group: its help and completion read the table, and a chosen command is imported."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _LazyCommands()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        _outline().format_commands(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        outline = _outline(self.params)  # complete in its context: typer takes the commands from there
        return outline.shell_complete(typer.Context(outline, info_name=ctx.info_name), incomplete)


class _LazyCommands(MutableMapping[str, Any]):
    """Commands by name, imported on first access."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, COMMANDS[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _load(name: str, entry: Command) -> Any:
    module = import_module(entry.module)
    if entry.is_group:
        command: Any = typer.main.get_group(module.app)
        command.help = entry.help
    else:
        app = typer.Typer(rich_markup_mode=None, add_completion=False)
        add_commands(app, {name: getattr(module, entry.function or name)})
        command = typer.main.get_command(app)
    command.name = name
    return command


def _outline(params: Any = None) -> TyperGroup:
    """The root group with a stub for every command."""
    stubs = {name: TyperCommand(name, help=entry.help) for name, entry in COMMANDS.items()}
    return TyperGroup(name="facecli", commands=stubs, params=params, rich_markup_mode=None)  # type: ignore[arg-type]
