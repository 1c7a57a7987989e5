"""`facecli chaos`."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.cli import DEADLINE, facecli, process, started
from tests.support.sockets import Ends, everything, exactly, push

DATA = bytes(range(256)) * 4000


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


@contextmanager
def chaos(ends: Ends, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The running command and the first line of its output."""
    with started("chaos", "--to", ends.address, *options) as running:
        assert running.stdout
        yield running, running.stdout.readline().strip()


def stop(running: "subprocess.Popen[str]", by: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
    """Stop the command; returns the rest of its output."""
    running.send_signal(by)
    out, err = running.communicate(timeout=DEADLINE)
    assert running.returncode == 0, err
    return out, err


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_chaos_forwards_connections_until_it_is_stopped(ends: Ends, by: signal.Signals) -> None:
    with chaos(ends) as (running, line):
        assert line.startswith("listening on 127.0.0.1:")
        client, server = ends.join(line.rpartition(" ")[2])
        client.sendall(DATA)
        assert exactly(server, len(DATA)) == DATA
        out, err = stop(running, by)
        assert everything(client) == everything(server) == b""
    assert out == ""
    assert err.splitlines() == [
        "connection 1 opened",
        f"connection 1 closed after {len(DATA)} bytes to the server, 0 back",
    ]


def test_chaos_prints_every_fault_on_stderr(ends: Ends) -> None:
    options = ("--cut", "1000", "--cuts", "1", "--flip", "600", "--blackhole", "5kB", "--delay", "5ms")
    with chaos(ends, *options) as (running, line):
        for size, read in ((1000, everything), (5000, lambda end: exactly(end, 5000))):
            client, server = ends.join(line.rpartition(" ")[2])
            push(client, DATA)
            assert len(read(server)) == size
            server.close()
        assert running.stderr
        lines = [running.stderr.readline().rstrip() for _ in range(13)]
        out, _ = stop(running)
    assert out == ""
    assert lines == [
        "connection 1 opened",
        "connection 1 had a bit flipped after 599 bytes to the server",
        "connection 1 cut after 1000 bytes to the server",
        "connection 2 opened",
        *(f"connection 2 had a bit flipped after {at} bytes to the server" for at in range(599, 4800, 600)),
        "connection 2 blackholed after 5000 bytes to the server",
    ]


def test_chaos_prints_every_event_as_json_on_stdout(ends: Ends) -> None:
    assert [event["event"] for event in fault_events(ends, "--seed", "1")] == ["opened", "cut"] * 2
    first = fault_events(ends, "--seed", "1")[1]
    assert set(first) == {
        *("event", "seconds", "connection"),
        *("to_server", "to_client", "total_to_server", "total_to_client"),
    }
    assert 1000 <= first["to_server"] <= 900_000


def test_the_same_seed_cuts_at_the_same_bytes(ends: Ends) -> None:
    one, again, other = (fault_events(ends, "--seed", seed) for seed in ("7", "7", "8"))
    assert [event["to_server"] for event in one] == [event["to_server"] for event in again]
    assert [event["to_server"] for event in one] != [event["to_server"] for event in other]


@pytest.mark.slow
def test_chaos_is_quiet_when_asked(ends: Ends) -> None:
    with chaos(ends, "-q", "--cut", "10") as (running, line):
        client, server = ends.join(line)
        push(client, DATA)
        assert len(everything(server)) == 10
        assert stop(running) == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cut", "0"], "'--cut': '0' is not a byte range; write 50MB or 50MB-150MB"),
        (["--flip", "9MB-5MB"], "'--flip': '9MB-5MB' is not a byte range"),
        (["--blackhole", "5x"], "'--blackhole': '5x' is not a size"),
        (["--flap", "3s"], "'--flap': '3s' is not UP,DOWN; write 10s,2s"),
        (["--flap", "3s,0"], "'--flap': '3s,0': both times must be greater than 0"),
        (["--rate", "0"], "'--rate': the rate must be greater than 0; write 12.5MB for 100 Mbit/s"),
        (["--delay", "slow"], "'--delay': 'slow' is not a time"),
        (["--bind", "192.0.2.1:0"], "cannot listen on 192.0.2.1:0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_chaos_refuses_invalid_options(options: list[str], message: str) -> None:
    ran = facecli("chaos", "--to", "127.0.0.1:1", "--json", *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.error["message"]


def test_chaos_requires_the_server_address() -> None:
    assert "--to" in facecli("chaos", "--json").error["message"]
    assert process("chaos", "--to", "there", "--json").error["message"] == "--to 'there' is not HOST:PORT"


def fault_events(ends: Ends, *options: str) -> list[dict[str, Any]]:
    """The events of two connections that are cut at a random offset."""
    with chaos(ends, "--json", "--cut", "1kB-900kB", *options) as (running, line):
        for _ in range(2):
            client, server = ends.join(json.loads(line)["address"])
            push(client, DATA)
            assert everything(server)
            server.close()
        out, err = stop(running)
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]
