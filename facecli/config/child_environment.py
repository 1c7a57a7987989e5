"""Environment of a child process: the settings in force, without the secrets that it does not need."""

import os
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import Settings, variable

_OF_THIS_PROCESS = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}  # for its service manager


def child_environment(settings: Settings, *, secrets: Collection[str] = ()) -> dict[str, str]:
    """Variables for a child process that runs with these settings, and only with the named secrets."""
    removed = {variable(f.name) for f in fields(Settings) if f.metadata["secret"] and f.name not in secrets}
    removed |= {variable("token_file"), *_OF_THIS_PROCESS}
    own = {variable(f.name): str(getattr(settings, f.name)) for f in fields(Settings)}
    code = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([code, *filter(None, [ENVIRONMENT.get("PYTHONPATH")])])
    variables = {**ENVIRONMENT, **own, "PYTHONPATH": path}
    return {name: value for name, value in variables.items() if name not in removed}
