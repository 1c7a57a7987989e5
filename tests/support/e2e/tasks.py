"""Tasks created, watched and checked from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.e2e.process import CommandProcess, CommandResult, Event, invoke
from tests.support.e2e.server import Server
from tests.support.eventually import eventually


def create(server: Server, face: Path, video: Path, *options: object) -> str:
    """Create a task; return its id."""
    files = ("--image", face, "--video", video)
    return invoke("task", "create", *files, "--server", server.address, "-q", *options).out.strip()


def start_worker(server: Server, name: str) -> CommandProcess:
    """Start a stand-alone worker with the settings of the server."""
    return CommandProcess("worker", "--data-dir", server.data, "--name", name, environment=server.environment)


def watch(server: Server, task_id: str, *options: object) -> CommandProcess:
    return CommandProcess("task", "watch", task_id, "--server", server.address, "--json", *options)


@contextmanager
def swapping(server: Server, face: Path, video: Path) -> Iterator[tuple[str, CommandProcess]]:
    """Create and watch a task, and wait until it swaps; its ID, and the command that watches it."""
    task_id = create(server, face, video)
    with watch(server, task_id) as watching:
        watching.wait_until_swapping()
        yield task_id, watching


def watch_to_end(server: Server, task_id: str) -> Event:
    """Watch a task until it has ended; return its last state."""
    command = ("task", "watch", task_id, "--server", server.address, "--json")
    return invoke(*command, expect=None).objects[-1]


def status(server: Server, task_id: str) -> Event:
    return invoke("task", "status", task_id, "--server", server.address, "--json").object


def check_completed_once(server: Server, watched: CommandResult, task_id: str, out: Path) -> None:
    """Assert that a watched task completed once, with one verified result and no leftover work files."""
    completed = [state for state in watched.objects if state["status"] == "completed"]
    assert (watched.code, len(completed)) == (0, 1)
    invoke("task", "download", task_id, "-o", out, "--server", server.address)
    (result,) = server.results()
    assert result.read_bytes() == out.read_bytes()
    assert len(out.read_bytes()) == completed[0]["result_size"]
    eventually(lambda: not server.work_files())  # the worker removes them after the row says "completed"
    revisions = [state["revision"] for state in watched.objects]
    assert revisions == sorted(set(revisions))
    progress = [(state["attempt"], state["frames_done"]) for state in watched.objects]
    assert progress == sorted(progress)  # attempts rise, and frames rise within an attempt
    assert completed[0]["frames_done"] == completed[0]["frames"] > 0
