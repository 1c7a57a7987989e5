"""Uploads: large files, crashes of client or server in the middle, and several clients."""

from contextlib import ExitStack

from facecli.chaos.events import Direction
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import acknowledged, stored_progress

SIZE = 48  # MiB


def test_a_file_of_500_mb_takes_no_more_memory_than_one_of_50_mb(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(options=["--workers", "0"])
    send = ("upload", "--server", server.address, "--user", user, "--json")
    run(*send, file(50, "small.mp4"))
    before = server.peak_memory()
    large = file(500, "large.mp4")
    sent = run(*send, large).object
    after = server.peak_memory()
    assert (sent["bytes_sent"], sent["size"], sent["chunks"]) == (500 * MIB, 500 * MIB, 50)
    assert server.sha256(sent["file_url"], user) == sha256(large)
    assert after - before < 40 * MIB, f"{before} → {after}"


def test_an_upload_whose_client_was_killed_sends_only_missing_chunks_when_run_again(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*command, "--server", proxy.address) as upload,
    ):
        upload.wait_until_stored(SIZE // 2 * 0.8 * MIB)
        confirmed = acknowledged(upload.kill())
    again = run(*command, "--server", server.address)
    sent = again.object
    assert sent["bytes_skipped"] >= confirmed >= SIZE // 2 * 0.8 * MIB
    assert sent["bytes_skipped"] < SIZE // 2 * MIB
    assert sent["bytes_sent"] + sent["bytes_skipped"] == sent["size"] == SIZE * MIB
    assert again.events[0]["stored"] == sent["bytes_skipped"]
    assert server.sha256(sent["file_url"], user) == sha256(path)


def test_an_upload_resumes_by_itself_after_a_crash_of_the_server(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*command, "--server", proxy.address) as upload,
    ):
        upload.wait_until_stored(SIZE // 2 * 0.8 * MIB)
        server.kill()
        upload.wait_until_retrying()
        server.start()
        stored = server.uploads(user)[path.name]
        proxy.release(Direction.SERVER)
        result = upload.wait()
    retry = next(index for index, event in enumerate(result.events) if event["event"] == "waiting")
    assert max(stored_progress(result, before=retry)) <= stored < SIZE * MIB
    assert result.code == 0
    assert result.object["retries"] >= 1
    progress = stored_progress(result)
    assert progress == sorted(progress)
    assert server.sha256(result.object["file_url"], user) == sha256(path)


def test_an_upload_resumes_by_itself_after_a_restart_of_the_server(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*command, "--server", proxy.address) as upload,
    ):
        upload.wait_until_stored(SIZE // 2 * 0.8 * MIB)
        assert server.terminate() == 0
        server.start()
        proxy.release(Direction.SERVER)
        result = upload.wait()
    assert result.code == 0
    assert result.object["bytes_sent"] < SIZE * 1.2 * MIB
    assert server.sha256(result.object["file_url"], user) == sha256(path)


def test_an_upload_without_its_server_exits_with_7_and_is_resumable(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*command, "--server", proxy.address, "--retry-for", "1s") as upload,
    ):
        upload.wait_until_stored(SIZE // 2 * 0.8 * MIB)
        server.kill()
        result = upload.wait()
    assert result.code == 7
    assert result.error["reason"] == "UPLOAD_INTERRUPTED"
    assert "again" in result.error["hint"]
    server.start()
    assert run(*command, "--server", server.address).object["bytes_skipped"] >= acknowledged(result)


def test_a_second_client_takes_over_an_upload_and_the_first_one_adds_nothing(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
        CommandProcess(*command, "--server", proxy.address) as first,
    ):
        first.wait_until_stored(SIZE // 2 * 0.8 * MIB)
        second = run(*command, "--server", server.address).object
        proxy.release(Direction.SERVER)
        result = first.wait()
    assert second["bytes_skipped"] >= SIZE // 2 * 0.8 * MIB
    assert server.sha256(second["file_url"], user) == sha256(path)
    assert result.object["file_url"] == second["file_url"]
    assert server.sha256(second["file_url"], user) == sha256(path)


def test_two_concurrent_clients_with_one_file_complete_one_upload(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
    with CommandProcess(*command) as one, CommandProcess(*command) as other:
        ended = [one.wait(), other.wait()]
    url, other_url = (result.object["file_url"] for result in ended)
    assert url == other_url
    assert server.sha256(url, user) == sha256(path)


def test_five_clients_send_five_files_in_parallel(server: Server, user: str, file: MakeFile) -> None:
    paths = [file(20 + number, f"{number}.mp4") for number in range(5)]
    with ExitStack() as stack:
        command = ("upload", "--server", server.address, "--user", user, "--json")
        running = [stack.enter_context(CommandProcess(*command, path)) for path in paths]
        ended = [process.wait() for process in running]
    for result, path in zip(ended, paths, strict=True):
        assert result.code == 0
        assert server.sha256(result.object["file_url"], user) == sha256(path)
