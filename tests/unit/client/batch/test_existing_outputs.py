"""Outputs that exist before a batch runs, and jobs that the server refuses before anything is sent."""

import json
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.support.cli import Ran, facecli
from tests.support.sockets import free_port
from tests.support.tasks.stand_in_worker import StandInWorker
from tests.unit.client.batch.conftest import begin


@pytest.mark.usefixtures("user")
def test_an_existing_output_of_other_inputs_is_not_taken_for_the_result(
    media_files: Path, tmp_path: Path, worker: StandInWorker
) -> None:
    jobs, out = tmp_path / "jobs.csv", tmp_path / "1.mp4"

    def run(face: str, *options: str, seed: str = "") -> "Future[Ran]":
        files = f"{media_files}/{face}.png,{media_files}/1.mp4"
        jobs.write_text(f"face,video,output,option.seed,consent\n{files},1.mp4,{seed},I agree.\n")
        return begin("batch", "run", jobs, "--json", *options)

    running = run("a")
    worker.complete(1)
    assert running.result().code == 0
    same = run("a").result()
    assert (same.code, same.objects[0]["existing"]) == (0, "same")
    for face, seed in (("b", ""), ("a", "2")):
        ran = run(face, seed=seed).result()
        assert (ran.code, ran.objects[0]["error"]["reason"]) == (3, "ALREADY_EXISTS")
        assert ran.objects[0]["error"]["message"].endswith("--overwrite replaces it")
    running = run("b", "--overwrite")
    worker.complete(1)
    assert running.result().code == 0
    out.write_bytes(b"edited")
    assert run("b").result().objects[0]["existing"] == "unknown"
    away = run("b", "--server", f"127.0.0.1:{free_port()}", "--retry-for", "600").result()
    assert (away.code, away.objects[0]["existing"]) == (0, "not_compared")
    assert all(task.terms.consent for task in worker.tasks() if task.owner.startswith("test_an_existing"))


@pytest.mark.usefixtures("user")
def test_a_job_against_the_policy_is_named_before_anything_is_sent(media_files: Path, tmp_path: Path) -> None:
    for field, value, code, message in (
        ("no_label", "our test", 10, "job 1 (line 1): this server labels every result"),
        ("notify", "https://hooks.test/", 1, "job 1 (line 1): this server notifies nobody"),
    ):
        job = {"face": f"{media_files}/a.png", "video": f"{media_files}/1.mp4", field: value}
        (tmp_path / "jobs.jsonl").write_text(json.dumps(job))
        ran = facecli("batch", "run", tmp_path / "jobs.jsonl", "--json")
        assert (ran.code, ran.error["message"][: len(message)]) == (code, message)
    assert facecli("file", "list", "-q").lines == []
