"""A real PostgreSQL for the test session, with a new database for every test that needs one."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import IO

import psycopg
import pytest
from psycopg import sql

from tests.support.e2e.requirements import SKIP_NOTHING

READY = "database system is ready to accept connections"
PASSWORD = "geheimnis"
DEADLINE = 60.0  # seconds
SOMEBODY, SOMEBODYS = "nobody", "nogroup"  # who runs it where root may not
_EMPTYING = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = {text} AND pid <> pg_backend_pid()",
    "ALTER DATABASE {name} RESET ALL",
    "ALTER DATABASE {name} OWNER TO postgres",
    "DROP SCHEMA IF EXISTS public, facecli_queue CASCADE",
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
)
WithPassword = Callable[[str], str]
_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
_MISSING = "PostgreSQL's server (apt-get install postgresql)"
_SKIP_NOTHING = bool(os.environ.get(SKIP_NOTHING))  # before the tests' own environment takes its place


class Postgres:
    """A server on a Unix socket and a port, as durable as it comes, run by somebody who is not root."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._numbers = count(1)
        self._free: list[str] = []
        self._said = threading.Condition()
        self._log = ""
        self._server: subprocess.Popen[str] | None = None
        self._listener = threading.Thread()
        # Bound and not listening: nobody else is given the port while the server is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self._port = self._place.getsockname()[1]
        # Not below pytest's own folder, which nobody else may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="facecli-postgres-"))
        self._as_somebody: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.folder, SOMEBODY, SOMEBODYS)
            self._as_somebody = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODYS}", "--clear-groups"]
        initdb: list[str | Path] = [
            programs / "initdb",
            "--auth=trust",
            "--username=postgres",
            "--no-locale",
            "-EUTF8",
        ]
        self._run(*initdb, "--no-sync", "-D", self.folder / "data")
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all +guarded scram-sha-256\n{rules.read_text()}")

    def start(self) -> None:
        """Return when it takes connections."""
        begun = len(self._log)
        settings = [
            *(f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", f"port={self._port}"),
            "max_connections=60",
        ]
        self._server = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig=KILL", *self._as_somebody[1:]),
                *(str(self._programs / "postgres"), "-D", str(self.folder / "data")),
                *(f"--{setting}" for setting in settings),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._server.stderr
        self._listener = threading.Thread(target=self._listen, args=(self._server.stderr,))
        self._listener.start()
        with self._said:
            assert self._said.wait_for(lambda: READY in self._log[begun:], DEADLINE), self._log

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """As `pg_ctl stop -m immediate` does: no farewell to anybody, recovery at the next start."""
        assert self._server
        self._server.send_signal(how)
        self._server.wait(DEADLINE)
        self._listener.join()

    def close(self) -> None:
        if self._server and self._server.poll() is None:
            self.stop()
        self._place.close()
        shutil.rmtree(self.folder)

    def new_database(self, *, over: str = "socket") -> str:
        """The URL of one in which nothing is."""
        if self._server and self._server.poll() is not None:
            self.start()  # a test that failed has left it down
        if self._free:
            return self.url(self._emptied(self._free.pop()), over=over)
        name = f"facecli_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name, over=over)

    def give_back(self, url: str) -> None:
        """Leave a database to the next test, which empties it: who still uses it may end in peace."""
        self._free.append(url.split("?")[0].rpartition("/")[2])

    def _emptied(self, name: str) -> str:
        """To make and remove a database for each test costs 300 files."""
        for statement in _EMPTYING:
            self.execute(
                sql.SQL(statement).format(name=sql.Identifier(name), text=sql.Literal(name)), database=name
            )
        return name

    def url(self, name: str, *, over: str = "socket") -> str:
        host = {"socket": self.folder, "tcp": "127.0.0.1"}[over]
        return f"postgresql://postgres@/{name}?host={host}&port={self._port}"

    def execute(self, statement: sql.Composed | sql.SQL, *, database: str = "postgres") -> None:
        with closing(psycopg.connect(self.url(database), autocommit=True)) as connection:
            connection.execute(statement)

    def own(self, folder: Path) -> Path:
        """The folder, made, and its."""
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, SOMEBODY, SOMEBODYS)
        return folder

    def _run(self, *command: str | Path) -> None:
        subprocess.run([*self._as_somebody, *command], check=True, stdout=subprocess.DEVNULL)

    def _listen(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                with self._said:
                    self._log += line
                    self._said.notify_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for every test of this process; a test that stops it starts it again."""
    if not _PROGRAMS:
        if _SKIP_NOTHING:
            raise RuntimeError(f"{SKIP_NOTHING} is set, and this machine lacks: {_MISSING}")
        pytest.skip(f"needs {_MISSING}")
    server = Postgres(_PROGRAMS[-1].parent)
    try:
        server.start()
        yield server
    finally:
        with suppress(FileNotFoundError):
            server.close()


@pytest.fixture
def postgresql(postgres: Postgres) -> Iterator[str]:
    """The URL of a new database."""
    url = postgres.new_database()
    yield url
    postgres.give_back(url)


@pytest.fixture(scope="session")
def with_password(postgres: Postgres) -> WithPassword:
    """The URL of the same database for ann, who needs a password, and may do nothing but read and write."""
    postgres.execute(sql.SQL("CREATE ROLE guarded"))
    postgres.execute(sql.SQL("CREATE ROLE ann LOGIN PASSWORD {} IN ROLE guarded").format(PASSWORD))
    return lambda url: url.replace("postgres@", f"ann:{PASSWORD}@")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database, one test for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/facecli.db"
    url: str = request.getfixturevalue("postgresql")
    return url
