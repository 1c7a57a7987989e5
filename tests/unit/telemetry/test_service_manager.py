"""States for systemd, received by a real datagram socket."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from facecli.telemetry.service_manager import ServiceManager
from tests.support.monitoring.notify_socket import WATCHDOG_SECONDS, NotifySocket, notify_socket


@pytest.mark.parametrize("abstract", [False, True])
def test_every_state_arrives_as_one_datagram(tmp_path: Path, abstract: bool) -> None:
    with notify_socket(tmp_path, abstract=abstract) as found:
        manager = ServiceManager(found.environment)
        manager.ready("listening\nREADY=0")
        manager.ping()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        manager.reloading()
        manager.stopping("calls end")
        assert found.receive() == {"READY": "1", "STATUS": "listening"}
        assert found.receive() == {"WATCHDOG": "1"}
        reloading = found.receive()
        assert reloading.pop("RELOADING") == "1"
        assert int(reloading.pop("MONOTONIC_USEC")) >= before
        assert not reloading
        assert found.receive() == {"STOPPING": "1", "STATUS": "calls end"}


@pytest.mark.parametrize("name", ["", "/nowhere/notify", "@facecli-test-nobody", "x" * 200, "\0"])
def test_a_manager_that_is_not_there_costs_nothing(name: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": name})
    manager.ready("")
    manager.ping()
    assert manager.ping_interval is None


@pytest.mark.parametrize(
    ("changed", "pings"),
    [
        ({}, True),
        ({"WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({"WATCHDOG_USEC": "-1"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({"NOTIFY_SOCKET": ""}, False),
    ],
)
def test_pings_are_due_three_times_in_the_watchdogs_time(changed: Mapping[str, str], pings: bool) -> None:
    environment = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6)), **changed}
    interval = ServiceManager(environment).ping_interval
    assert interval == (pytest.approx(WATCHDOG_SECONDS / 3) if pings else None)


def test_a_full_socket_does_not_hold_the_service_for_long(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as found:
        _fill(found)
        ServiceManager(found.environment).ping()
        assert found.receive() == {"X": "1"}


def _fill(found: NotifySocket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            while True:
                sender.sendto(b"X=1", found.environment["NOTIFY_SOCKET"])
        except BlockingIOError:
            return
