"""`facecli engines`: who can swap on this machine."""

from dataclasses import asdict

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.options import Json, Profile, Quiet
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.telemetry.logs import set_up_logging


@with_settings
def engines(settings: Settings, profile: Profile = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """List the engines of this installation and what they need.

    An engine comes with a package that is installed beside facecli. One that cannot be loaded is listed with
    the reason; servers leave it out.

    Example: facecli engines --json

    Exit codes: 0 listed.
    """
    output = Output(as_json=as_json, quiet=quiet)
    set_up_logging(level="error", format="text")  # what is broken is in the list
    from facecli.bootstrap.factories import installed_engines

    for found in installed_engines(settings):
        about = (
            f"cannot be used: {found.broken}"
            if found.broken
            else f"needs {', '.join(found.needs) or 'nothing'}"
        )
        output.show(
            asdict(found),
            text=f"{found.name}  {found.version or '?'}  {about}",
            short="" if found.broken else found.name,
        )
