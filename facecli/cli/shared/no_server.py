"""The rule for commands that run a server of their own: only if none is configured and none is running."""

import socket

from facecli.config.access import client_tls
from facecli.config.loader import LoadedSettings
from facecli.core.addresses import host_of

NO_SERVER = "no server is running, so this command runs one until it ends; facecli serve keeps one running"
PROBE_TIMEOUT = 2.0  # seconds; a loopback address answers or refuses at once


def lacks_server(loaded: LoadedSettings) -> bool:
    """Whether neither a server is configured nor one listens at the default address."""
    settings = loaded.settings
    if "server" in loaded.sources or client_tls(settings):
        return False
    port = int(settings.server.rpartition(":")[2])
    try:
        socket.create_connection((host_of(settings.server), port), PROBE_TIMEOUT).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
