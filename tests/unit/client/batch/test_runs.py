"""Runs of batches through the command line, on a server in this process whose tasks a test ends."""

import io
import json
import signal
from pathlib import Path

import pytest

from facecli.tasks.task import TaskStatus
from tests.support.cli import Ran, facecli, started
from tests.support.tasks.stand_in_worker import StandInWorker
from tests.unit.client.batch.conftest import begin


def statuses(ran: Ran) -> dict[str, str]:
    """The status of each job, by the name of its output."""
    return {Path(each["path"]).name: each["status"] for each in ran.objects if "path" in each}


@pytest.mark.usefixtures("user")
def test_a_failed_job_stops_no_other_and_is_retried_when_asked(
    media_files: Path, tmp_path: Path, worker: StandInWorker
) -> None:
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(
        "face,video\n"
        + "".join(f"{media_files}/{face}.png,{media_files}/1.mp4\n" for face in "ab")
        + f"{media_files}/a.png,none.mp4\n"
    )
    command = ("batch", "run", jobs, "--json", "--in-flight", "1")
    running = begin(*command)
    worker.fail(1)
    worker.complete(1)
    first = running.result()
    assert (first.code, first.error["message"]) == (3, "2 of 3 jobs failed")
    assert statuses(first) == {"1-a.mp4": "failed", "1-b.mp4": "done", "none-a.mp4": "failed"}
    summary = {"jobs": 3, "done": 1, "skipped": 0, "failed": 2, "not_run": 0, "exit_code": 3}
    assert {**first.objects[-1]["summary"], "seconds": 0} == {**summary, "seconds": 0}
    failed = next(each for each in first.objects if each.get("path", "").endswith("1-a.mp4"))
    assert failed["error"] == {"reason": "MEDIA_REFUSED", "message": "no frames"}
    assert failed["where"] == "line 2"
    assert (tmp_path / "1-b.mp4").read_bytes() == (media_files / "1.mp4").read_bytes()

    again = facecli(*command)
    assert (again.code, statuses(again)) == (
        3,
        {"1-a.mp4": "failed", "1-b.mp4": "skipped", "none-a.mp4": "failed"},
    )
    running = begin(*command, "--retry-failed")
    worker.complete(1)
    assert statuses(running.result())["1-a.mp4"] == "done"
    assert len(facecli("task", "list", "-q").lines) == 2


@pytest.mark.usefixtures("user")
def test_many_faces_on_many_videos_are_one_batch_and_replaced_when_asked(
    media_files: Path, tmp_path: Path, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    faces = sorted(media_files.glob("*.png"))
    command = ("swap", "--face", *faces, "--video", media_files, "-o", "out/{video.stem}/{face.stem}.mp4")
    planned = facecli(*command, "--dry-run")
    assert (planned.code, [line.split()[:2] for line in planned.lines]) == (
        0,
        [["run", f"out/{video}/{face}.mp4"] for video in "12" for face in "ab"],
    )
    assert not Path("out").exists()
    running = begin(*command, "-q")
    worker.complete(4)
    first = running.result()
    assert (first.code, first.err) == (0, "")
    assert sorted(first.lines) == [f"out/{video}/{face}.mp4" for video in "12" for face in "ab"]
    assert len(facecli("file", "list", "-q").lines) == 4
    kept = Path("out/1/a.mp4")
    kept.write_bytes(b"changed")
    assert statuses(facecli(*command, "--json")) == dict.fromkeys(("a.mp4", "b.mp4"), "skipped")
    assert kept.read_bytes() == b"changed"
    replaced = facecli(*command, "--overwrite", "--json")
    assert all(each["reused"] for each in replaced.objects if "path" in each)
    assert kept.read_bytes() == (media_files / "1.mp4").read_bytes()
    assert len(facecli("task", "list", "-q").lines) == 4


@pytest.mark.usefixtures("user")
def test_fail_fast_starts_no_other_job_and_the_next_run_goes_on(
    media_files: Path, tmp_path: Path, worker: StandInWorker
) -> None:
    command = ("swap", "--face", media_files, "--video", media_files, "-o", tmp_path, "--json")
    running = begin(*command, "--in-flight", "1", "--fail-fast")
    worker.complete(1)
    worker.fail(1)
    first = running.result()
    assert first.code == 3
    assert [*statuses(first).values()] == ["done", "failed", "not run", "not run"]
    running = begin(*command, "--retry-failed")
    worker.complete(3)
    assert sorted(statuses(running.result()).values()) == ["done", "done", "done", "skipped"]
    states = [task.status for task in worker.tasks() if task.owner.startswith("test_fail_fast")]
    assert states == [TaskStatus.COMPLETED] * 4


@pytest.mark.usefixtures("user")
def test_jobs_with_the_same_inputs_and_options_share_a_task(
    media_files: Path, tmp_path: Path, worker: StandInWorker
) -> None:
    line = {"face": f"{media_files}/a.png", "video": f"{media_files}/1.mp4"}
    jobs = [{**line, "output": f"{number}.mp4"} for number in range(3)]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    running = begin("batch", "run", tmp_path / "jobs.jsonl", "--output-dir", tmp_path / "out", "--json")
    worker.complete(1)
    assert [*statuses(running.result()).values()] == ["done"] * 3
    assert len({path.read_bytes() for path in (tmp_path / "out").iterdir()}) == 1
    assert len(facecli("task", "list", "-q").lines) == 1


@pytest.mark.usefixtures("user")
def test_a_preset_is_an_engine_with_options_that_the_command_line_overrides(
    media_files: Path, tmp_path: Path, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[preset.slow]\nengine = "mock"\noptions = { delay = 3, seed = 4 }\n')
    monkeypatch.setenv("FACECLI_CONFIG", str(config))
    files = ("--face", media_files / "a.png", "--video", media_files / "1.mp4", "-o", tmp_path / "x.mp4")
    running = begin("swap", *files, "--preset", "slow", "--option", "seed=5", "--json")
    worker.complete(1)
    job, _ = running.result().objects
    assert (job["engine"], job["options"]) == ("mock", {"delay": "3", "seed": "5"})
    wrong = facecli("swap", *files, "--overwrite", "--option", "sed=5", "--json")
    assert (wrong.code, "sed" in wrong.error["message"], "job 1" in wrong.error["message"]) == (2, True, True)
    unknown = facecli("swap", *files, "--preset", "fast", "--json")
    assert (unknown.code, "it has slow" in unknown.error["message"]) == (2, True)


@pytest.mark.usefixtures("user")
def test_ctrl_c_and_a_time_limit_leave_tasks_to_the_server_and_the_next_run_fetches_them(
    media_files: Path, tmp_path: Path, worker: StandInWorker
) -> None:
    files = ("--face", media_files, "--video", media_files / "1.mp4")
    command = ("swap", *files, "-o", tmp_path, "--json", "--progress", "none")
    with started(*command) as running:
        worker.wait_for_pending(2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate()
    interrupted = Ran(code=running.returncode, out=out, err=err)
    assert (interrupted.code, interrupted.error["hint"].split(";")[0]) == (
        130,
        "run the same command again for what is missing",
    )
    assert interrupted.error["message"].startswith("interrupted; ")
    assert interrupted.object["summary"]["not_run"] == 2
    late = facecli(*command, "--timeout", "300ms")
    summary = late.objects[-1]["summary"]
    assert (late.code, summary["exit_code"], summary["not_run"]) == (124, 124, 2)
    worker.complete(2)
    fetched = facecli(*command)
    assert [each["reused"] for each in fetched.objects if "path" in each] == [True, True]


def test_a_server_that_is_away_stops_the_batch_with_its_own_exit_code(
    media_files: Path, tmp_path: Path, address: str
) -> None:
    command = ("swap", "--face", media_files, "--video", media_files, "-o", tmp_path, "--json")
    ran = facecli(*command, "--server", address, "--retry-for", "0")
    assert (ran.code, ran.error["reason"]) == (6, "SERVER_UNREACHABLE")


@pytest.mark.usefixtures("user")
def test_options_that_contradict_each_other_are_refused(
    media_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face, clip = media_files / "a.png", media_files / "1.mp4"
    for arguments, expected in (
        (("--face", face), "go together"),
        ((face, clip, "--dry-run"), "are for jobs of --face and --video"),
        ((face,), "name a picture and a video"),
        (("--face", face, "--video", clip, "--fresh"), "exclude --fresh"),
        (("--face", face, "--video", clip, "--force", "--skip-existing"), "exclude each other"),
    ):
        ran = facecli("swap", *arguments, "-o", tmp_path / "x.mp4", "--json")
        assert (ran.code, expected in ran.error["message"]) == (2, True), arguments
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"face,video\na.png,\n")))
    ran = facecli("batch", "run", "-", "--format", "csv", "--json")
    assert (ran.code, "standard input: job 1 (line 2): video is missing" in ran.error["message"]) == (2, True)
    ran = facecli("swap", "--face", face, "--video", clip, "-o", "-", "--json")
    assert (ran.code, "standard output" in ran.error["message"]) == (2, True)
