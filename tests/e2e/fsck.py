"""`facecli fsck` on the data of a server that does not run just then."""

from tests.e2e.command import Event, run
from tests.e2e.server import Server


def fsck(server: Server, *options: str, expect: int = 0) -> list[Event]:
    """What is damaged."""
    database = server.environment.get("FACECLI_DATABASE", "")
    return run(
        *("fsck", "--data-dir", server.data, *options, "--json"),
        expect=expect,
        environment={"FACECLI_DATABASE": database},
    ).objects


def check_whole(server: Server) -> None:
    """After any death nothing is damaged; it may have left orphans, which a repair removes."""
    found = fsck(server, "--repair")
    assert {damage["kind"] for damage in found} <= {"orphan"}, found
    assert fsck(server) == []
