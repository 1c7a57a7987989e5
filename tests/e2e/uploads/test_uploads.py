"""Uploads: large, cut in the middle from either end, and several at once."""

from contextlib import ExitStack

from facecli.chaos.events import Direction
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fault_proxy import held
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import Done, Running, run
from tests.support.e2e.server import Server

SIZE = 48  # MiB


def test_a_file_of_500_mb_arrives_byte_for_byte_in_no_more_memory_than_one_of_50_mb(
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


def test_an_upload_whose_client_is_killed_half_way_sends_only_what_is_missing_when_run_again(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command, "--server", line.address) as upload,
    ):
        upload.stored(SIZE // 2 * 0.8 * MIB)
        acknowledged = last_stored(upload.kill())
    again = run(*command, "--server", server.address)
    sent = again.object
    assert sent["bytes_skipped"] >= acknowledged >= SIZE // 2 * 0.8 * MIB
    assert sent["bytes_skipped"] < SIZE // 2 * MIB
    assert sent["bytes_sent"] + sent["bytes_skipped"] == sent["size"] == SIZE * MIB
    assert again.events[0]["stored"] == sent["bytes_skipped"]
    assert server.sha256(sent["file_url"], user) == sha256(path)


def test_an_upload_goes_on_by_itself_when_the_server_is_killed_and_started_again(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command, "--server", line.address) as upload,
    ):
        upload.stored(SIZE // 2 * 0.8 * MIB)
        server.kill()
        upload.event(lambda said: said.get("event") == "waiting")
        server.start()
        kept = server.uploads(user)[path.name]
        line.release(Direction.SERVER)
        done = upload.done()
    broke = next(n for n, said in enumerate(done.events) if said["event"] == "waiting")
    assert max(said["stored"] for said in done.events[:broke]) <= kept < SIZE * MIB
    assert done.code == 0
    assert done.object["retries"] >= 1
    stored = [said["stored"] for said in done.events if said["event"] == "stored"]
    assert stored == sorted(stored)
    assert server.sha256(done.object["file_url"], user) == sha256(path)


def test_an_upload_goes_on_by_itself_when_the_server_is_stopped_and_started_again(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command, "--server", line.address) as upload,
    ):
        upload.stored(SIZE // 2 * 0.8 * MIB)
        assert server.terminate() == 0
        server.start()
        line.release(Direction.SERVER)
        done = upload.done()
    assert done.code == 0
    assert done.object["bytes_sent"] < SIZE * 1.2 * MIB
    assert server.sha256(done.object["file_url"], user) == sha256(path)


def test_an_upload_that_its_server_left_for_good_ends_with_exit_code_7_and_is_resumable(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command, "--server", line.address, "--retry-for", "1s") as upload,
    ):
        upload.stored(SIZE // 2 * 0.8 * MIB)
        server.kill()
        done = upload.done()
    assert done.code == 7
    assert done.error["reason"] == "UPLOAD_INTERRUPTED"
    assert "again" in done.error["hint"]
    server.start()
    assert run(*command, "--server", server.address).object["bytes_skipped"] >= last_stored(done)


def test_a_second_client_takes_an_upload_over_and_the_first_is_told(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--user", user, "--chunk-size", MIB, "--progress", "json", "--json")
    with (
        held(server.address, after=SIZE // 2 * MIB) as line,
        Running(*command, "--server", line.address) as first,
    ):
        first.stored(SIZE // 2 * 0.8 * MIB)
        second = run(*command, "--server", server.address).object
        line.release(Direction.SERVER)
        done = first.done()
    assert second["bytes_skipped"] >= SIZE // 2 * 0.8 * MIB
    assert server.sha256(second["file_url"], user) == sha256(path)
    assert done.code == 7
    assert done.error["reason"] == "TAKEN_OVER"
    again = run(*command, "--server", server.address).object
    assert (again["file_url"], again["bytes_sent"]) == (second["file_url"], 0)


def test_two_clients_with_the_same_file_at_the_same_time_end_well_or_taken_over_and_the_bytes_are_right(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    command = ("upload", path, "--server", server.address, "--user", user, "--chunk-size", MIB, "--json")
    with Running(*command) as one, Running(*command) as other:
        ended = [one.done(), other.done()]
    assert {done.code for done in ended} <= {0, 7}
    won = [done.object["file_url"] for done in ended if done.code == 0]
    assert won
    for url in won:
        assert server.sha256(url, user) == sha256(path)


def test_five_clients_send_five_files_at_once(server: Server, user: str, file: MakeFile) -> None:
    paths = [file(20 + number, f"{number}.mp4") for number in range(5)]
    with ExitStack() as stack:
        command = ("upload", "--server", server.address, "--user", user, "--json")
        running = [stack.enter_context(Running(*command, path)) for path in paths]
        ended = [each.done() for each in running]
    for done, path in zip(ended, paths, strict=True):
        assert done.code == 0
        assert server.sha256(done.object["file_url"], user) == sha256(path)


def last_stored(done: Done) -> int:
    return max(int(said["stored"]) for said in done.events if said.get("event") == "stored")
