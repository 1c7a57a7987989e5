"""A real PostgreSQL server for the whole session, with an empty database for each test that needs one."""

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

from tests.support.e2e.requirements import skip_or_fail

READY = "database system is ready to accept connections"
PASSWORD = "geheimnis"
DEADLINE = 60.0  # seconds
USER, GROUP = "nobody", "nogroup"  # run the server when the tests run as root, which PostgreSQL refuses
_EMPTY_DATABASE = (
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


class Postgres:
    """A server on a Unix socket and a port, with its default durability, never run as root."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._numbers = count(1)
        self._free: list[str] = []  # databases to reuse
        self._log_changed = threading.Condition()
        self._log = ""
        self._server: subprocess.Popen[str] | None = None
        self._log_reader = threading.Thread()
        # Bound but not listening, so that no other process takes the port while the server is down.
        self._reserved_port = socket.socket()
        self._reserved_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved_port.bind(("127.0.0.1", 0))
        self._port = self._reserved_port.getsockname()[1]
        # Not below the temporary folder of pytest, which no other user may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="facecli-postgres-"))
        self._as_user: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.folder, USER, GROUP)
            self._as_user = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups"]
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
        """Start the server and wait until it accepts connections."""
        log_start = len(self._log)
        settings = [
            *(f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", f"port={self._port}"),
            "max_connections=60",
        ]
        self._server = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig=KILL", *self._as_user[1:]),
                *(str(self._programs / "postgres"), "-D", str(self.folder / "data")),
                *(f"--{setting}" for setting in settings),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._server.stderr
        self._log_reader = threading.Thread(target=self._read_log, args=(self._server.stderr,))
        self._log_reader.start()
        with self._log_changed:
            assert self._log_changed.wait_for(lambda: READY in self._log[log_start:], DEADLINE), self._log

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop as `pg_ctl stop -m immediate` does, with a crash recovery at the next start."""
        assert self._server
        self._server.send_signal(how)
        self._server.wait(DEADLINE)
        self._log_reader.join()

    def close(self) -> None:
        if self._server and self._server.poll() is None:
            self.stop()
        self._reserved_port.close()
        shutil.rmtree(self.folder)

    def new_database(self, *, over: str = "socket") -> str:
        """The URL of an empty database."""
        if self._server and self._server.poll() is not None:
            self.start()  # a failed test has left it stopped
        if self._free:
            return self.url(self._empty(self._free.pop()), over=over)
        name = f"facecli_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name, over=over)

    def give_back(self, url: str) -> None:
        """Return a database for reuse; the next test empties it, so processes of this test may still end."""
        self._free.append(url.split("?")[0].rpartition("/")[2])

    def _empty(self, name: str) -> str:
        """Empty a database and return its name; a new one for each test would create 300 files."""
        for statement in _EMPTY_DATABASE:
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
        """Create a folder that belongs to the user of the server."""
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, USER, GROUP)
        return folder

    def _run(self, *command: str | Path) -> None:
        subprocess.run([*self._as_user, *command], check=True, stdout=subprocess.DEVNULL)

    def _read_log(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                with self._log_changed:
                    self._log += line
                    self._log_changed.notify_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this process; a test that stops it must start it again."""
    if not _PROGRAMS:
        skip_or_fail(_MISSING)
    server = Postgres(_PROGRAMS[-1].parent)
    try:
        server.start()
        yield server
    finally:
        with suppress(FileNotFoundError):
            server.close()


@pytest.fixture
def postgresql(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.new_database()
    yield url
    postgres.give_back(url)


@pytest.fixture(scope="session")
def with_password(postgres: Postgres) -> WithPassword:
    """Turn a URL into that of ann, a user with a password and no rights except to read and write."""
    postgres.execute(sql.SQL("CREATE ROLE guarded"))
    postgres.execute(sql.SQL("CREATE ROLE ann LOGIN PASSWORD {} IN ROLE guarded").format(PASSWORD))
    return lambda url: url.replace("postgres@", f"ann:{PASSWORD}@")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/facecli.db"
    url: str = request.getfixturevalue("postgresql")
    return url
