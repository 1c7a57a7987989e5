"""`facecli fsck` on the data of a server that is stopped."""

from tests.support.e2e.process import CommandResult, Event, invoke
from tests.support.e2e.server import Server


def fsck(server: Server, *options: str, expect: int = 0) -> list[Event]:
    """Run an integrity check; return its findings."""
    result = _run(server, *options)
    assert result.code == expect, result
    return result.objects


def check_whole(server: Server) -> None:
    """Assert that nothing is damaged; a crash may have left orphans."""
    result = _run(server)
    assert {finding["kind"] for finding in result.objects} <= {"orphan"}, result
    assert result.code == (8 if result.objects else 0), result


def _run(server: Server, *options: str) -> CommandResult:
    command = ("fsck", "--data-dir", server.data, *options, "--json")
    database = {"FACECLI_DATABASE": server.environment.get("FACECLI_DATABASE", "")}
    return invoke(*command, expect=None, environment=database)
