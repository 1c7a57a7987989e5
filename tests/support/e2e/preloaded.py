"""Imports what `facecli` imports to serve and to transfer; loaded once by the server that forks commands."""

import gc
from importlib import import_module

from facecli.config.environment import quiet_grpc

quiet_grpc()  # before gRPC is imported
for name in (
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
    "facecli.bootstrap.server",
    "facecli.cli.app",
    "facecli.cli.serve",
    "facecli.cli.swap",
    "facecli.cli.task.app",
    "facecli.cli.upload",
):
    import_module(name)
gc.freeze()
