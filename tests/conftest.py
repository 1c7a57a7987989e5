"""What every test has: a clean environment, and the command line of this checkout."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytest_plugins = ("tests.support.postgres",)


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting and no profile of this machine reaches a test, nor a process that a test starts."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("FACECLI_") or name in {"FORCE_COLOR", "CLICOLOR_FORCE", "PYTHONWARNINGS"}:
                patch.delenv(name)
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(home))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        yield


@pytest.fixture(autouse=True)
def ends_of_threads() -> Iterator[None]:
    """A command that sets up logging inside this process keeps pytest from hearing of them for one test."""
    hook = threading.excepthook
    yield
    threading.excepthook = hook


@pytest.fixture(scope="session")
def facecli() -> list[str]:
    """How to start `facecli`: the arguments go behind it. It runs the checkout, wherever it starts."""
    return [sys.executable, "-m", "facecli"]


def pytest_configure() -> None:
    """Who starts us in the background ignores SIGINT for us, and for every process that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
