"""`facecli engines`: list installed engines, or the options of one."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.telemetry.logs import set_up_logging

if TYPE_CHECKING:
    from facecli.core.video.engine_options import EngineOption
    from facecli.core.video.engines import EngineInfo


@partial(with_settings, quiet_help="Print only the names of usable engines, or of the options.")
def engines(
    settings: Settings,
    output: Output,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Engine whose options to list.", show_default=False)
    ] = None,
) -> None:
    """List the installed engines, or the options of one.

    Engines are provided by facecli and by packages installed next to it. An engine that cannot be loaded is
    listed with the reason; servers skip it. Options are passed as --option NAME=VALUE.

    Example: facecli engines --json

    Example: facecli engines mesh

    Exit codes: 0 success, 2 no engine of this name.
    """
    set_up_logging(level="error", format="text")  # the list itself shows broken engines
    from facecli.bootstrap.factories import installed_engines

    installed, default = installed_engines(settings)
    shown = [engine for engine in installed if name in (None, engine.name)]
    if not shown:
        names = ", ".join(engine.name for engine in installed)
        raise InvalidInput(f"there is no engine {name!r}; there are: {names}")
    for engine in shown:
        output.show(
            _object(engine, default=default),
            text="\n".join([_line(engine, default=default), *(_table(engine) if name else [])]),
            short="\n".join(option.name for option in engine.options) if name else _usable(engine),
        )


def _usable(engine: "EngineInfo") -> str:
    return "" if engine.broken or engine.unavailable else engine.name


def _line(engine: "EngineInfo", *, default: str) -> str:
    needs = f"needs {', '.join(engine.needs) or 'nothing'}"
    if engine.broken:
        about = f"not usable: {engine.broken}"
    elif engine.unavailable:
        about = f"does not run here: {engine.unavailable}"
    else:
        about = f"{engine.about}; {needs}" if engine.about else needs
    mark = "  (default)" if engine.name == default else ""
    return f"{engine.name}  {engine.version or '?'}  {about}{mark}"


def _table(engine: "EngineInfo") -> list[str]:
    """The options in columns."""
    rows = [("option", "values", "default", "meaning")] if engine.options else []
    rows += [(each.name, each.values, each.default or "-", each.about) for each in engine.options]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _object(engine: "EngineInfo", *, default: str) -> dict[str, Any]:
    return {
        "name": engine.name,
        "version": engine.version,
        "package": engine.package,
        "needs": list(engine.needs),
        "broken": engine.broken,
        "unavailable": engine.unavailable,
        "about": engine.about,
        "default": engine.name == default,
        "options": [_option(option) for option in engine.options],
    }


def _option(option: "EngineOption") -> dict[str, Any]:
    described: dict[str, Any] = {"name": option.name, "type": option.type, "default": option.default}
    if option.choices:
        described["choices"] = list(option.choices)
    else:
        described.update(minimum=option.minimum, maximum=option.maximum)
    return {**described, "about": option.about}
