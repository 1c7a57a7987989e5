"""The contract of every TaskRepository for keys that pass to a new task, and for references to tasks."""

from dataclasses import replace

from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import TaskFilter
from tests.support.builders import NEW, RESULT, claim


def test_the_key_of_an_ended_task_passes_to_a_fresh_one(task_repository: TaskRepository) -> None:
    keyed = replace(NEW, key="k", engine_version="1")
    task_repository.insert(keyed, task_id="t1", now=100.0)
    waiting = task_repository.insert(replace(keyed, fresh=True), task_id="t2", now=101.0)
    assert waiting.id == "t1"
    task_repository.change("t1", transitions.cancel, now=102.0)
    fresh = task_repository.insert(replace(keyed, fresh=True), task_id="t3", now=103.0)
    assert (fresh.id, fresh.key, fresh.engine_version) == ("t3", "k", "1")
    assert task_repository.with_key(NEW.owner, "k") == fresh
    assert task_repository.get("t1").key is None


def test_a_task_is_found_by_key_and_by_the_beginning_of_its_id(task_repository: TaskRepository) -> None:
    for number, task_id in enumerate(("aa1", "aa2", "b%1", "b_2")):
        task_repository.insert(replace(NEW, key=f"key-{number}"), task_id=task_id, now=100.0 + number)

    def found(reference: str, *, owner: str = NEW.owner, limit: int = 9) -> list[str]:
        return [task.id for task in task_repository.find(owner, reference, limit=limit)]

    assert found("aa") == ["aa2", "aa1"]
    assert found("aa", limit=1) == ["aa2"]
    assert found("aa1") == found("key-0") == ["aa1"]
    assert (found("b%"), found("b_"), found("key")) == (["b%1"], ["b_2"], [])
    assert found("aa", owner="bob") == []


def test_the_engine_version_of_a_result_is_that_of_its_worker(task_repository: TaskRepository) -> None:
    task_repository.insert(replace(NEW, engine_version="1"), task_id="t1", now=100.0)
    run = claim(task_repository).run
    done = task_repository.change(
        "t1",
        lambda task: transitions.complete(task, run=run, result=RESULT, engine_version="2"),
        now=102.0,
    )
    assert done.engine_version == "2"
    wanted = TaskFilter(result_crc32c=RESULT.crc32c)
    assert task_repository.listed(NEW.owner, wanted, limit=9, before="") == [done]
    assert task_repository.listed(NEW.owner, TaskFilter(result_crc32c=7), limit=9, before="") == []
