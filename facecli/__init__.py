"""Client and server for an AI video face-swap service over gRPC."""

__version__ = "0.1.0"
