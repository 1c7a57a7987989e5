"""A real PostgreSQL for the test session, with a new database for every test that needs one."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
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
USER, GROUP = "nobody", "nogroup"  # run the server when the tests run as root, which it refuses
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
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
_MISSING = "PostgreSQL's server (apt-get install postgresql)"
_SKIP_NOTHING = bool(os.environ.get(SKIP_NOTHING))  # read before the tests replace the environment


class Postgres:
    """A server on a Unix socket and a TCP port, with default durability, run by a user other than root."""

    def __init__(self, programs: Path, *, connections: int = 60, settings: Sequence[str] = ()) -> None:
        self._programs = programs
        self._connections = connections
        self._settings = settings
        self._numbers = count(1)
        self._free: list[str] = []
        self._logged = threading.Condition()
        self._log = ""
        self._server: subprocess.Popen[str] | None = None
        self._log_reader = threading.Thread()
        # Bound and not listening: keeps the port reserved while the server is down.
        self._port_holder = socket.socket()
        self._port_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port_holder.bind(("127.0.0.1", 0))
        self._port = self._port_holder.getsockname()[1]
        # Not below pytest's own directory, which other users may not enter.
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
        """Start the server, and return when it accepts connections."""
        offset = len(self._log)
        settings = [
            *(f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", f"port={self._port}"),
            f"max_connections={self._connections}",
            *self._settings,
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
        with self._logged:
            assert self._logged.wait_for(lambda: READY in self._log[offset:], DEADLINE), self._log

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop as `pg_ctl stop -m immediate` does: without a checkpoint, so the next start runs recovery."""
        assert self._server
        self._server.send_signal(how)
        self._server.wait(DEADLINE)
        self._log_reader.join()

    def close(self) -> None:
        if self._server and self._server.poll() is None:
            self.stop()
        self._port_holder.close()
        shutil.rmtree(self.folder)

    def new_database(self, *, over: str = "socket") -> str:
        """The URL of an empty database."""
        if self._server and self._server.poll() is not None:
            self.start()  # a failed test has left it stopped
        if self._free:
            return self.url(self._emptied(self._free.pop()), over=over)
        name = f"facecli_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name, over=over)

    def give_back(self, url: str) -> None:
        """Return a database for reuse. The next test empties it, so open connections can still finish."""
        self._free.append(url.split("?")[0].rpartition("/")[2])

    def _emptied(self, name: str) -> str:
        """Empty a used database: creating and dropping one for each test costs 300 files."""
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
        """Create a directory that the server owns."""
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, USER, GROUP)
        return folder

    def _run(self, *command: str | Path) -> None:
        subprocess.run([*self._as_user, *command], check=True, stdout=subprocess.DEVNULL)

    def _read_log(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                with self._logged:
                    self._log += line
                    self._logged.notify_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this process; a test that stops it starts it again."""
    if not PROGRAMS:
        if _SKIP_NOTHING:
            raise RuntimeError(f"{SKIP_NOTHING} is set, and this machine lacks: {_MISSING}")
        pytest.skip(f"needs {_MISSING}")
    server = Postgres(PROGRAMS[-1].parent)
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
    """Turns a URL into one for the user ann, who needs a password and may only read and write."""
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
