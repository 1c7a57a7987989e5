"""Upload commands that report progress in JSON, and the checks that every upload must pass."""

from pathlib import Path

from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandResult
from tests.support.e2e.server import Server
from tests.support.eventually import eventually

CHUNK = MIB


def upload_command(path: Path, address: str, user: str) -> tuple[object, ...]:
    """The arguments of an upload in chunks of 1 MiB that prints events and result as JSON."""
    destination = ("--server", address, "--user", user, "--chunk-size", CHUNK)
    return ("upload", path, *destination, "--progress", "json", "--json")


def wait_until_stored(server: Server, user: str, name: str, minimum: int) -> int:
    """Poll the server, not the client, until it has stored this many bytes; return how many it has."""
    return eventually(lambda: (stored := server.uploads(user).get(name, 0)) >= minimum and stored)


def check_upload(result: CommandResult, server: Server, path: Path, user: str) -> None:
    """Assert that an upload completed with the right bytes and that its progress never went back."""
    assert result.code == 0, result
    assert server.sha256(result.object["file_url"], user) == sha256(path)
    progress = stored_progress(result)
    assert progress == sorted(progress)
    assert progress[-1] == result.object["size"] == path.stat().st_size


def stored_progress(result: CommandResult, *, before: int | None = None) -> list[int]:
    """The stored bytes that the client reported, one value an event, in the events before an index."""
    return [event["stored"] for event in result.events[:before] if event.get("event") == "stored"]


def acknowledged(result: CommandResult) -> int:
    """The bytes that the server acknowledged to a client."""
    return max(map(int, stored_progress(result)), default=0)


def retry_reasons(result: CommandResult) -> list[str]:
    """The reasons for which the client paused and retried."""
    return [event["reason"] for event in result.events if event.get("event") == "waiting"]
