"""The connection of the client tests, for the load generators."""

from tests.unit.client.conftest import connection, data

__all__ = ["connection", "data"]
