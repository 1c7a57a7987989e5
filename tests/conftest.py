"""A clean environment for every test, the command line of this checkout, and the profiles of Hypothesis."""

import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.media.ffmpegs import prefer_newest

# gRPC reads it when it is imported. With fork support, a command that is forked off for a terminal may write
# an error of the copied threads of gRPC there before it runs.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
import grpc  # noqa: F401

del os.environ["GRPC_ENABLE_FORK_SUPPORT"]  # the commands under test run as users run them

ROOT = Path(__file__).parents[1]

pytest_plugins = ("tests.support.postgres", "tests.support.blobs.s3_servers", "tests.support.tiers")

# No deadline: a slow machine is not a bug. `ci` searches longer and prints how to reproduce a failure.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=300, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") == "true" else "dev"))


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the settings and profiles of this machine from the tests and from the processes they start."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("FACECLI_") or name in {"FORCE_COLOR", "CLICOLOR_FORCE", "PYTHONWARNINGS"}:
                patch.delenv(name)
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(home))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("FACECLI_DRAIN_TIMEOUT", "1s")
        patch.setenv("FACECLI_ENGINE", "mock")  # drawn faces and test patterns; tests of engine mesh name it
        patch.setenv("FACECLI_LABEL_POLICY", "off")  # results are compared; tests of labels turn them on
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        prefer_newest(tmp_path_factory.mktemp("ffmpeg"), patch)
        yield


@pytest.fixture(autouse=True)
def thread_excepthook() -> Iterator[None]:
    """Restore pytest's hook for exceptions in threads after a test in which a command sets up logging."""
    hook = threading.excepthook
    yield
    threading.excepthook = hook


@pytest.fixture(scope="session")
def facecli() -> list[str]:
    """The command that starts `facecli` from this checkout, in any working directory."""
    return [sys.executable, "-m", "facecli"]


def pytest_configure() -> None:
    """Restore SIGINT, which a process that a shell starts in the background ignores, as do its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send no captured output of a passed phase from a worker of xdist to the process that would drop it."""
    report = yield
    if report.passed and hasattr(item.config, "workerinput"):
        report.sections.clear()
    return report
