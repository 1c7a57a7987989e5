"""`facecli config`: the settings in force, and the source of each."""

from dataclasses import fields
from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_loaded_settings
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.output import Output
from facecli.config.amounts import format_value
from facecli.config.loader import LoadedSettings
from facecli.config.paths import config_file
from facecli.config.settings import Settings, variable
from facecli.core.errors import InvalidInput

app = typer.Typer(rich_markup_mode=None)

DEFAULT = "default"
_HIDDEN = "***"
_FIELDS = {setting.name: setting for setting in fields(Settings)}


@partial(with_loaded_settings, quiet_help="Print only NAME=VALUE.")
def show(
    loaded: LoadedSettings,
    output: Output,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]…", help="Settings to show; all of them if none is named.", show_default=False
        ),
    ] = None,
) -> None:
    """Show the settings in force and where each value comes from.

    An option wins over its environment variable, that over the profile in the config file, that over the
    default. A command may have a default of its own, as for retry_for. Secrets are shown as ***.

    Example: facecli config show server token --profile studio

    Exit codes: 0 success, 2 no such setting, or an invalid value.
    """
    if unknown := [name for name in names or [] if name not in _FIELDS]:
        raise InvalidInput(f"there is no setting {unknown[0]!r}; facecli config show lists them all")
    file = config_file()
    output.note(f"config file: {file}{'' if file.exists() else ', which does not exist'}")
    for name in names or _FIELDS:
        value = getattr(loaded.settings, name)
        text = _HIDDEN if value and _FIELDS[name].metadata["secret"] else format_value(_FIELDS[name], value)
        source = loaded.sources.get(name, DEFAULT)
        output.show(
            {"setting": name, "value": text, "source": source, "variable": variable(name)},
            text=f"{name:27} {text or '-':27} {source}",
            short=f"{name}={text}",
        )


add_commands(app, {"show": show})
