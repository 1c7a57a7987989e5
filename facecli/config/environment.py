"""Environment variables of this process."""

import os

ENVIRONMENT = os.environ


def quiet_grpc() -> None:
    """Silence gRPC's own lines on stderr unless GRPC_VERBOSITY asks for them; call before importing gRPC."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
