"""Tables of README.md, made from the code; `python -m tests.support.readme_tables --write` updates them."""

import argparse
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from inspect import Parameter, getdoc, isfunction, signature
from pathlib import Path
from typing import Literal, get_args, get_origin

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
UPDATE = "python -m tests.support.readme_tables --write"


def commands() -> str:
    from tests.support import command_lines

    rows = []
    for path, command in command_lines.commands().items():
        if not hasattr(command, "commands"):
            arguments = "".join(
                f" {parameter.metavar}"
                for parameter in command.params
                if parameter.param_type_name == "argument"
            )
            required = "".join(
                f" {parameter.opts[0]} {parameter.metavar}"
                for parameter in command.params
                if parameter.param_type_name == "option" and parameter.required
            )
            rows.append((f"`{' '.join(path)}{arguments}{required}`", command.help.splitlines()[0]))
    return _table(("command", "description"), rows)


def settings() -> str:
    from facecli.config.amounts import format_default
    from facecli.config.settings import Settings, variable

    rows = []
    for setting in fields(Settings):
        choices = get_args(setting.type) if get_origin(setting.type) is Literal else ()
        sentence = setting.metadata["sentence"]
        if not all(f"`{choice}`" in sentence for choice in choices):
            sentence = f"{sentence.rstrip('.')}: {', '.join(choices)}."
        default = format_default(setting)
        rows.append(
            (f"`{setting.name}`", f"`{variable(setting.name)}`", f"`{default}`" if default else "", sentence)
        )
    return _table(("setting", "variable", "default", "description"), rows)


def exit_codes() -> str:
    from facecli.cli.shared.exits import EXITS

    return _table(("code", "meaning"), [(str(row.code), row.meaning) for row in EXITS])


def reasons() -> str:
    """Every reason that a server gives, in the order of the error tree."""
    from facecli.core import errors
    from facecli.wire.errors import STATUS

    of_clients = (
        errors.ServerUnreachable,
        errors.UnexpectedResponse,
        errors.UploadInterrupted,
        errors.TaskUnsuccessful,
        errors.DirectoryInUse,
        errors.OutputFailed,
    )
    rows = []
    for kind, code in STATUS.items():
        if not issubclass(kind, of_clients):
            retry = "if it has RetryInfo" if issubclass(kind, errors.LimitReached) else "no"
            meaning = (kind.__doc__ or "").splitlines()[0]
            rows.append((f"`{kind.reason}`", code.name, "yes" if kind.retryable else retry, meaning))
    return _table(("reason", "gRPC code", "retry", "meaning"), rows)


def metrics() -> str:
    from facecli.telemetry.metrics.catalog import METRICS

    rows = [
        (
            f"`{metric.name}`",
            metric.kind.value,
            ", ".join(f"`{label}`" for label in metric.labels),
            "yes" if metric.worker else "",
            metric.help,
        )
        for metric in METRICS
    ]
    return _table(("metric", "type", "labels", "also of a worker", "meaning"), rows)


def library() -> str:
    """Every public function and method of the library, with its signature and its first sentence."""
    import facecli
    from facecli import testing

    documented: list[tuple[str, Callable[..., object]]] = [("facecli.connect", facecli.connect)]
    for name, kind in (("", facecli.Client), ("tasks.", facecli.Tasks), ("uploads.", facecli.Uploads)):
        documented += [
            (f"client.{name}{method}", function)
            for method, function in vars(kind).items()
            if isfunction(function) and not method.startswith("_")
        ]
    documented += [
        ("facecli.testing.server", testing.server),
        ("server.connect", testing.TestServer.connect),
    ]
    return _table(
        ("call", "description"),
        [(f"`{name}{_arguments(function)}`", _first_sentence(function)) for name, function in documented],
    )


def _arguments(function: Callable[..., object]) -> str:
    """The parameters with their defaults; an ellipsis for None, which means that nothing is given."""
    shown, keyword = list[str](), False
    for parameter in signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is Parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            shown.append("*")
        default = "…" if parameter.default is None else repr(parameter.default)
        shown.append(
            parameter.name if parameter.default is Parameter.empty else f"{parameter.name}={default}"
        )
    return f"({', '.join(shown)})"


def _first_sentence(function: Callable[..., object]) -> str:
    return (getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "exit codes": exit_codes,
    "reasons": reasons,
    "metrics": metrics,
    "library": library,
}


def with_tables(text: str) -> str:
    """Replace every table between its markers by the current one."""
    for name, table in TABLES.items():
        marked = re.compile(f"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marked.subn(lambda match, table=table(): f"{match[1]}{table}{match[2]}", text)  # type: ignore[misc]
        if count != 1:
            raise SystemExit(f"{README.name} has {count} tables called {name}, not one")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the tables of README.md with the code.")
    parser.add_argument("--write", action="store_true", help="update README.md")
    arguments = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    updated = with_tables(text)
    if arguments.write:
        README.write_text(updated, encoding="utf-8")
    elif updated != text:
        raise SystemExit(f"{README.name} would change; run {UPDATE}")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
