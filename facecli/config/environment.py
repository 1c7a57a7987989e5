"""Environment variables of this process, and those that it passes to its child processes."""

import os
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

from facecli.config.settings import Settings, variable

ENVIRONMENT = os.environ


def quiet_grpc() -> None:
    """Silence gRPC's own lines on stderr unless GRPC_VERBOSITY asks for them; call before importing gRPC."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def child_environment(settings: Settings, *, secrets: Collection[str] = ()) -> dict[str, str]:
    """The environment of a child process that shall have the settings in force, and of the secrets these."""
    secret = {variable(f.name) for f in fields(Settings) if f.metadata["secret"] and f.name not in secrets}
    secret.add(variable("token_file"))
    own = {variable(f.name): str(getattr(settings, f.name)) for f in fields(Settings)}
    code = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([code, *filter(None, [ENVIRONMENT.get("PYTHONPATH")])])
    everything = {**ENVIRONMENT, **own, "PYTHONPATH": path}
    return {name: value for name, value in everything.items() if name not in secret}
