"""Migrations of rows written by older versions."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions

TASK = {
    "id": "t1",
    "owner": "ann",
    "status": "processing",
    "progress": 40,
    "stage": "swapping",
    "revision": 7,
    "round": 1,
    "attempt": 2,
    "run": "r1",
    "worker": "w1",
    "engine": "mock",
    "options": "{}",
    "image_id": "i1",
    "video_id": "v1",
    "image_url": "/i",
    "video_url": "/v",
    "error_reason": "",
    "error_message": "",
    "created_at": 1.0,
    "updated_at": 2.0,
}


def migrate(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_task_of_the_first_schema_is_migrated(either_database: str) -> None:
    engine = open_database(either_database)
    migrate(engine, "0001")
    with writing(engine) as connection:
        names = ", ".join(TASK)
        values = ", ".join(f":{name}" for name in TASK)
        connection.execute(text(f"INSERT INTO tasks ({names}) VALUES ({values})"), TASK)
    schema.upgrade(engine)
    repository = SqlTaskRepository(engine)
    task = repository.get("t1")
    assert (task.progress, task.frames_done, task.frames, task.attempt) == (40, 0, 0, 2)
    cancelled = repository.change("t1", transitions.cancel, now=3.0)
    assert cancelled.ended
    engine.dispose()
