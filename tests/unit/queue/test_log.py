"""DBOS logs through the handlers of facecli, and failures of its database without a stack."""

import logging
import sqlite3
from collections.abc import Iterator

import pytest
from dbos._error import DBOSNonExistentWorkflowError
from dbos._logger import init_logger

from facecli.metadata.database import translate_errors
from facecli.queue.log import QueueLog

DBOS = logging.getLogger("dbos")
NO_WORKFLOW = DBOSNonExistentWorkflowError("target", "the id")


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    handlers, propagate = DBOS.handlers[:], DBOS.propagate
    QueueLog(translate_errors).install()
    yield
    DBOS.handlers[:], DBOS.propagate = handlers, propagate


def test_a_failure_of_the_database_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    DBOS.error("Exception encountered in background workflow:", exc_info=full)
    (record,) = [record for record in caplog.records if record.name == "facecli.queue.log"]
    assert record.message == "the task queue failed"
    assert vars(record)["error"] == "the database's disk is full; acknowledged data is safe"
    assert record.exc_info is None


def test_the_end_of_work_that_was_deleted_meanwhile_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "facecli.queue.log")
    DBOS.error("Exception encountered in background workflow:", exc_info=NO_WORKFLOW)
    (record,) = [record for record in caplog.records if record.name == "facecli.queue.log"]
    assert (record.levelname, record.exc_info) == ("INFO", None)


def test_any_other_failure_keeps_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    DBOS.error("Exception encountered in background workflow:", exc_info=ValueError("bug"))
    (record,) = [record for record in caplog.records if record.name == "facecli.queue.log"]
    assert vars(record)["text"] == "Exception encountered in background workflow:"
    assert record.exc_info
    assert str(record.exc_info[1]) == "bug"


def test_dbos_prints_nothing_by_itself() -> None:
    init_logger()
    assert logging.StreamHandler not in [type(handler) for handler in DBOS.handlers]
    assert not DBOS.propagate
