"""One request ID from the error of a client to the logs of server, worker and ffmpeg."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.server import Server
from tests.support.eventually import eventually


def records(server: Server, request: str) -> dict[str, list[dict[str, Any]]]:
    """The records with this request ID, by logger."""
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    found = [record for record in lines if record.get("request") == request]
    return {record["logger"]: [r for r in found if r["logger"] == record["logger"]] for record in found}


def test_the_id_of_a_failing_call_and_of_a_failing_task_is_in_every_log(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    environment = {**paced.environment, "FACECLI_MAX_CRASHES": "1", "FACECLI_LOG_FORMAT": "json"}
    server = serve(environment=environment)
    to = ("--server", server.address, "--json")

    refused = invoke("task", "status", "0" * 32, *to, expect=5).error
    (ended,) = eventually(lambda: records(server, refused["request_id"]).get("facecli.access", []))
    assert (ended["message"], ended["outcome"]) == ("call ended", "NOT_FOUND")

    output = server.data.parent / "out.mp4"
    swap = ("swap", face, long_clip, "-o", output, "--engine", "mock", "--progress", "json", *to)
    with CommandProcess(*swap) as swapping:
        swapping.wait_until_swapping()
        for encoder in eventually(server.ffmpegs):
            os.kill(encoder, signal.SIGKILL)
        failed = swapping.wait().error
    request = failed["request_id"]
    eventually(lambda: "facecli.access" in records(server, request))
    found = records(server, request)
    assert found["facecli.access"][0]["method"].endswith("/CreateTask")
    created, started, task_ended = found["facecli.events"]
    assert created["message"] == "task created"
    assert (started["message"], started["worker"][:6]) == ("task started", "worker")
    assert task_ended["status"] == "failed"
    assert "ffmpeg was killed" in task_ended["error"]
    log = invoke("task", "logs", created["task"], *to).out
    assert f"request={request}" in log
    assert "ffmpeg was killed" in log
