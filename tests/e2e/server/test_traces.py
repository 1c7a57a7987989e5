"""Traces of a command, its calls over gRPC and HTTP, the stages of its uploads and the steps of its task."""

from pathlib import Path
from urllib.request import Request, urlopen

from tests.e2e.conftest import Serve
from tests.support.e2e.process import run
from tests.support.monitoring.otlp_receiver import otlp_receiver
from tests.support.sockets import free_port

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


def test_one_trace_leads_from_the_command_to_the_steps_of_its_task(
    serve: Serve, face: Path, clip: Path
) -> None:
    with otlp_receiver() as found:
        environment = {
            "FACECLI_TRACES": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": found.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        http = f"127.0.0.1:{free_port()}"
        server = serve(environment=environment, options=["--http", http])
        out = server.data.parent / "out.mp4"
        swap = ("swap", face, clip, "-o", out, "--engine", "mock", "--server", server.address)
        run(*swap, environment={**environment, "TRACEPARENT": TRACEPARENT})

        command = found.wait_for("facecli", "facecli swap")
        assert (command.trace, command.parent, command.error) == (TRACE, CALLER, "")
        upload = found.wait_for("facecli-server", "video.UploadService/StreamUpload")
        assert (upload.trace, upload.parent) == (TRACE, command.id)
        stages = found.below(upload)
        assert {stage.name for stage in stages} == {"receive", "write", "flush", "commit"}
        assert all(stage.began <= stage.ended <= upload.ended for stage in stages)

        create = found.wait_for("facecli-server", "video.VideoService/CreateTask")
        task = found.wait_for("facecli-worker", "run task")
        assert (task.trace, task.parent, task.error) == (TRACE, create.id, "")
        assert task.attributes["facecli.request"] == create.attributes["facecli.request"]
        steps = [step.name for step in found.below(task)]
        assert steps[:2] == ["starting", "extracting"]
        assert {"swapping", "joining", "publishing"} <= {*steps}

        image = run("upload", face, "-q", "--server", server.address).out.strip()
        url = f"http://{http}{image}?user_id=local"
        with urlopen(Request(url, headers={"traceparent": TRACEPARENT}), timeout=60):
            pass
        served = found.wait_for("facecli-server", "http/GetFile")
        assert (served.trace, served.parent) == (TRACE, CALLER)
