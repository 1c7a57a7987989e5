"""Layout of `--help`."""

from collections.abc import Callable, Mapping
from typing import Any

from typer import Typer
from typer.core import TyperCommand


def add_commands(app: Typer, commands: Mapping[str, Callable[..., None]]) -> None:
    """Register the commands, which the help lists in this order."""
    for name, command in commands.items():
        app.command(name, cls=_Command)(command)


class _Command(TyperCommand):
    """Command whose help shows arguments without the types and braces that typer adds to their names."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        records: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                name, sentence = record
                kind = parameter.param_type_name
                records[kind].append((str(parameter.metavar) if kind == "argument" else name, sentence))
        for kind, title in (("argument", "Arguments"), ("option", "Options")):
            if records[kind]:
                with formatter.section(title):
                    formatter.write_dl(records[kind])
