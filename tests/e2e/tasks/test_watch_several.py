"""`task watch` of several tasks goes on after a kill of the server, and misses no end."""

import time
from collections import Counter

from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from tests.e2e.conftest import Serve
from tests.support.builders import NEW
from tests.support.e2e.process import CommandProcess, invoke

TASKS = [str(number) * 32 for number in range(3)]


def test_a_watch_of_several_tasks_misses_no_end_while_the_server_is_killed(serve: Serve) -> None:
    server = serve(options=["--workers", "0"])
    engine = open_database(f"sqlite:///{server.data}/facecli.db")
    repository = SqlTaskRepository(engine)
    for task_id in TASKS:
        repository.insert(NEW, task_id=task_id, now=time.time())
    command = ("task", "watch", *TASKS, "--user", NEW.owner, "--server", server.address, "--json")
    with CommandProcess(*command) as watching:
        for number in (1, 2, 3):
            watching.wait_for_line("out", number=number)
        server.kill()
        repository.change(TASKS[0], transitions.cancel, now=time.time())
        ended = repository.change(TASKS[1], transitions.cancel, now=time.time())
        assert repository.delete(TASKS[1], revision=ended.revision)
        server.start()
        invoke("task", "cancel", TASKS[2], "--user", NEW.owner, "--server", server.address)
        result = watching.wait()
    engine.dispose()
    states = Counter((event["task_id"], event["status"]) for event in result.objects)
    assert states == {
        **{(task_id, "pending"): 1 for task_id in TASKS},
        (TASKS[0], "cancelled"): 1,
        (TASKS[2], "cancelled"): 1,
    }
    assert f"there is no task {TASKS[1]}" in result.err
    assert result.code in {3, 5}
