"""`facecli engines`: list installed engines."""

from dataclasses import asdict
from functools import partial

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.telemetry.logs import set_up_logging


@partial(with_settings, quiet_help="Print only the names of usable engines.")
def engines(settings: Settings, output: Output) -> None:
    """List the installed engines and their requirements.

    Engines are provided by packages installed next to facecli. An engine that cannot be loaded is listed with
    the reason; servers skip it.

    Example: facecli engines --json

    Exit codes: 0 success.
    """
    set_up_logging(level="error", format="text")  # the list itself shows broken engines
    from facecli.bootstrap.factories import installed_engines

    for engine in installed_engines(settings):
        about = (
            f"not usable: {engine.broken}"
            if engine.broken
            else f"needs {', '.join(engine.needs) or 'nothing'}"
        )
        output.show(
            asdict(engine),
            text=f"{engine.name}  {engine.version or '?'}  {about}",
            short="" if engine.broken else engine.name,
        )
