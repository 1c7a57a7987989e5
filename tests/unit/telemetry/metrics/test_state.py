"""The looks at database and disk: what they find, and the page while they find nothing."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facecli.api.admission import CallLimits, create_admissions
from facecli.bootstrap.metrics import MetricsParts, ServerMetrics
from facecli.certificates import make_dev_certificates
from facecli.config.settings import Settings
from facecli.core.errors import Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.figures import Figures, SqlFigures
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks import transitions
from facecli.tasks.leases import Worker
from facecli.tasks.task import Result
from facecli.telemetry.metrics import exposition
from tests.support.builders import NEW, claim
from tests.support.monitoring.page import Page, parsed
from tests.support.upload_repository import insert, store_all


class Database(SqlFigures):
    """Figures of a database that can be away."""

    away = False

    def read(self, *, now: float) -> Figures:
        if self.away:
            raise Unavailable("no database")
        return super().read(now=now)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/facecli.db")
    schema.upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture(autouse=True)
def fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "MAX_AGE", 0)


def server_metrics(figures: SqlFigures, directory: Path, **settings: str) -> ServerMetrics:
    limits = CallLimits(uploads=1, watchers=1, downloads=1, calls=1, share=100, idle=1)
    return ServerMetrics(
        MetricsParts(
            settings=Settings(**settings),  # type: ignore[arg-type]
            directory=directory,
            engines=["mock"],
            figures=figures,
            admissions=create_admissions(limits),
            ready=lambda: True,
            workers=lambda: [1],
        )
    )


def page_of(metrics: ServerMetrics) -> Page:
    return parsed(metrics.page().decode())


def test_waiting_and_running_tasks_are_counted_by_engine_with_the_age_of_the_oldest(
    engine: Engine, tmp_path: Path
) -> None:
    tasks, figures = SqlTaskRepository(engine), SqlFigures(engine)
    for task_id, at in (("t1", 100.0), ("t2", 70.0), ("t3", 90.0)):
        tasks.insert(NEW, task_id=task_id, now=at)
    tasks.change("t2", lambda task: transitions.claim(task, run="r", worker="w"), now=110.0)
    SqlWorkerRepository(engine).heartbeat(Worker(id="w", name="w", data_dir_id="d", pid=1))
    found = figures.read(now=120.0)
    assert (found.waiting, found.oldest, found.running) == ({"mock": 2}, {"mock": 90.0}, {"mock": 1})
    assert found.workers == 1
    page = page_of(server_metrics(figures, tmp_path))
    assert page.value("facecli_queue_depth", engine="mock") == 2
    assert page.value("facecli_queue_age_seconds", engine="mock") > 1e9
    assert page.value("facecli_tasks_running", engine="mock") == 1


def test_the_stored_bytes_of_uploads_and_results_are_on_the_page(engine: Engine, tmp_path: Path) -> None:
    uploads, tasks = SqlUploadRepository(engine), SqlTaskRepository(engine)
    for upload_id in ("u1", "u2"):
        insert(uploads, upload_id=upload_id)
    store_all(uploads, upload_id="u1")
    uploads.complete("u1", crc32c=1, size=25, now=120.0)
    result = Result(blob_key="outputs/t1/r1", size=2**40, crc32c=1)
    tasks.insert(NEW, task_id="t1", now=1.0)
    claim(tasks)
    tasks.change("t1", partial(transitions.complete, run="r1", result=result, sheet=None), now=2.0)
    page = page_of(server_metrics(SqlFigures(engine), tmp_path))
    assert page.value("facecli_kept_bytes", kind="uploads") == 25
    assert page.value("facecli_kept_bytes", kind="results") == 2**40


def test_a_retried_task_has_been_waiting_since_its_retry(engine: Engine) -> None:
    tasks = SqlTaskRepository(engine)
    tasks.insert(NEW, task_id="t1", now=100.0)
    tasks.change("t1", transitions.cancel, now=200.0)
    tasks.change("t1", transitions.retry, now=300.0)
    assert SqlFigures(engine).read(now=301.0).oldest == {"mock": 300.0}


def test_while_the_database_is_away_the_page_shows_since_when_and_the_last_figures(
    engine: Engine, tmp_path: Path
) -> None:
    SqlTaskRepository(engine).insert(NEW, task_id="t1", now=100.0)
    figures = Database(engine)
    metrics = server_metrics(figures, tmp_path)
    answered = page_of(metrics).value("facecli_database_last_success_timestamp_seconds")
    figures.away = True
    with pytest.raises(Unavailable):
        metrics.look_at_database()
    page = page_of(metrics)
    assert page.value("facecli_database_last_success_timestamp_seconds") == answered > 0
    assert page.value("facecli_queue_depth") == 1
    figures.away = False
    metrics.look_at_database()
    assert page_of(metrics).value("facecli_database_last_success_timestamp_seconds") > answered


def test_the_expiry_of_both_certificates_is_on_the_page(engine: Engine, tmp_path: Path) -> None:
    certs = make_dev_certificates(tmp_path, hosts=["localhost"], user="ann")
    files = {"tls_cert": certs.server, "tls_key": certs.server_key, "tls_client_ca": certs.ca}
    settings = {name: str(file) for name, file in files.items()}
    page = page_of(server_metrics(SqlFigures(engine), tmp_path, **settings))
    for certificate in ("server", "client_ca"):
        assert page.value("facecli_certificate_expiry_timestamp_seconds", certificate=certificate) > 1e9
