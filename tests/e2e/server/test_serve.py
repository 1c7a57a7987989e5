"""Start, refusal and shutdown of `facecli serve`."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Serve
from tests.support.e2e.proc import wait_until_gone
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.eventually import eventually


def test_a_server_prints_the_free_port_it_listens_on(tmp_path: Path) -> None:
    with CommandProcess(
        "serve", "--bind", "127.0.0.1:0", "--data-dir", tmp_path / "data", "--workers", 0
    ) as server:
        line = server.wait_for_line("out")
        assert line.startswith("listening on 127.0.0.1:")
        address = line.split()[-1]
        assert int(address.rpartition(":")[2]) > 0
        assert run("task", "list", "--server", address, "--json").objects == []
        server.terminate()
        result = server.wait()
    assert (result.code, result.out) == (0, line)


@pytest.mark.parametrize("end", [Server.terminate, Server.interrupt], ids=["SIGTERM", "Ctrl-C"])
def test_an_idle_server_that_is_stopped_exits_with_0_and_leaves_no_process(
    serve: Serve, end: Callable[[Server], int]
) -> None:
    server = serve(options=["--workers", "2"])
    eventually(lambda: len(server.workers()) == 2)  # a process that is just being started has no arguments
    descendants = server.descendants()
    assert run("task", "list", "--server", server.address, "--json").objects == []
    assert end(server) == 0
    wait_until_gone(descendants)
    assert server.descendants() == []


def test_a_second_server_on_the_same_data_directory_is_refused(serve: Serve) -> None:
    server = serve(options=["--workers", "0"])
    refused = run("serve", "--bind", "127.0.0.1:0", "--data-dir", server.data, expect=1)
    assert f"another facecli serve uses {server.data}" in refused.err
    assert "--data-dir" in refused.err
    assert run("task", "list", "--server", server.address, "--json").objects == []


def test_a_port_in_use_is_refused_with_its_address(server: Server, tmp_path: Path) -> None:
    refused = run("serve", "--bind", server.address, "--data-dir", tmp_path / "data", expect=2)
    assert f"cannot listen on {server.address}" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_listening_on_a_public_address_is_refused_without_insecure(tmp_path: Path, host: str) -> None:
    refused = run("serve", "--bind", f"{host}:0", "--data-dir", tmp_path / "data", expect=10)
    assert f"{host}:0 can be reached from other machines" in refused.err
    assert "--insecure" in refused.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.1:65536"])
def test_a_malformed_bind_address_is_refused(tmp_path: Path, bind: str) -> None:
    refused = run("serve", "--bind", bind, "--data-dir", tmp_path / "data", expect=2)
    assert "is not HOST:PORT" in refused.err


@pytest.mark.parametrize("wanted", ["", "/nowhere/ffmpeg"], ids=["none at all", "wrong FACECLI_FFMPEG"])
def test_without_ffmpeg_a_server_does_not_start_and_names_both_cures(tmp_path: Path, wanted: str) -> None:
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "imageio_ffmpeg.py").write_text("raise ImportError('not installed')\n")
    without_ffmpeg = {
        "PATH": str(tmp_path / "nowhere"),
        "PYTHONPATH": os.pathsep.join([str(shadow), str(ROOT)]),
        "FACECLI_FFMPEG": wanted,
    }
    for command in (["serve", "--bind", "127.0.0.1:0", "--data-dir", tmp_path / "data"], ["demo"]):
        refused = run(*command, environment=without_ffmpeg, expect=1)
        assert "apt-get install ffmpeg" in refused.err
        assert "pip install imageio-ffmpeg" in refused.err
        assert "Traceback" not in refused.err
        assert wanted in refused.err
    assert not (tmp_path / "data").exists()


def test_a_command_without_a_server_exits_with_6(face: Path, clip: Path, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        to = ("--server", f"127.0.0.1:{closed.getsockname()[1]}", "--retry-for", "0", "--json")
        for command in (
            ["upload", clip],
            ["task", "list"],
            ["task", "watch", "0"],
            ["swap", face, clip, "-o", tmp_path / "out.mp4"],
        ):
            assert run(*command, *to, expect=6).error["reason"] == "SERVER_UNREACHABLE"
    assert not (tmp_path / "out.mp4").exists()
