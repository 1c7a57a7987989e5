"""Commands of typer with our layout of `--help` and our rules for arguments."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from typer import Typer
from typer.core import TyperCommand
from typer.models import TyperPath


def add_commands(app: Typer, commands: Mapping[str, Callable[..., None]]) -> None:
    """Register the commands, which the help lists in this order."""
    for name, command in commands.items():
        app.command(name, cls=_Command)(command)


class _Command(TyperCommand):
    """Command whose help shows arguments without the types and braces that typer adds to their names.

    An option whose placeholder ends with an ellipsis takes all words up to the next option, as a shell makes
    them of a pattern. A path must not be empty.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for parameter in self.params:
            if isinstance(parameter.type, TyperPath):
                parameter.type = NonEmptyPath(parameter.type)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        several = {
            name
            for parameter in self.get_params(ctx)
            if str(getattr(parameter, "metavar", None)).endswith("…")
            and parameter.param_type_name == "option"
            for name in parameter.opts
        }
        return super().parse_args(ctx, _repeated(args, several))

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


class NonEmptyPath(TyperPath):
    """A path with the rules of another type, but not empty: Python takes that for the current directory."""

    def __init__(self, rules: TyperPath) -> None:
        vars(self).update(vars(rules))

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("the path is empty; name a file or directory", param, ctx)
        return super().convert(value, param, ctx)


def _repeated(arguments: Sequence[str], several: Collection[str]) -> list[str]:
    """The command line with these options before each of the words that follow them."""
    spread, option = list[str](), ""
    for index, word in enumerate(arguments):
        if word == "--":
            return [*spread, *arguments[index:]]
        if word in several:
            option = word
            spread.append(word)
        elif word.startswith("-") and word != "-":
            option = ""
            spread.append(word)
        else:
            spread += [option, word] if option and spread[-1] != option else [word]
    return spread
