"""`facecli fsck` on the data of a server that does not run just then."""

from tests.support.e2e.process import Done, Event, Running
from tests.support.e2e.server import Server


def fsck(server: Server, *options: str, expect: int = 0) -> list[Event]:
    """What is damaged."""
    done = _run(server, *options)
    assert done.code == expect, done
    return done.objects


def check_whole(server: Server) -> None:
    """After any death nothing is damaged; it may have left orphans."""
    done = _run(server)
    assert {damage["kind"] for damage in done.objects} <= {"orphan"}, done
    assert done.code == (8 if done.objects else 0), done


def _run(server: Server, *options: str) -> Done:
    command = ("fsck", "--data-dir", server.data, *options, "--json")
    database = {"FACECLI_DATABASE": server.environment.get("FACECLI_DATABASE", "")}
    with Running(*command, environment=database) as running:
        return running.done()
