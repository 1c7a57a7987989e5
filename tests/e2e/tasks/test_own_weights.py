"""A task of the engine inswapper waits for a worker with weights, which swaps with them in the sandbox."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from facecli.engines.inswapper.engine import InswapperEngine
from facecli.engines.mesh.arrays import Image
from facecli.media.samples.portraits import FILMED, PHOTO
from tests.e2e.conftest import Serve
from tests.support.e2e.process import CommandProcess, invoke, run
from tests.support.e2e.tasks import status, watch_to_end
from tests.support.media import own_weights

pytestmark = [pytest.mark.slow, pytest.mark.media]

WAITING = "no running worker has the engine inswapper; the task waits until one does"
WIDTH, HEIGHT = 320, 320


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, str]:
    """Weights that make a face red."""
    swapper = own_weights.swapper(tmp_path / "swapper.onnx", gains=(1, 0.2, 0.2))
    recognizer = own_weights.recognizer(tmp_path / "recognizer.onnx")
    return {"FACECLI_INSWAPPER_MODEL": str(swapper), "FACECLI_INSWAPPER_RECOGNIZER": str(recognizer)}


@pytest.fixture
def portrait_clip(ffmpeg: Path, tmp_path: Path) -> Path:
    """Six frames of a still portrait."""
    video = tmp_path / "portrait.mp4"
    still = ("-loop", "1", "-framerate", "25", "-i", str(FILMED), "-frames:v", "6")
    size = f"scale={WIDTH}:-2,crop={WIDTH}:{HEIGHT}:0:0"
    command = [str(ffmpeg), "-v", "error", *still, "-vf", size, "-pix_fmt", "yuv420p", str(video)]
    subprocess.run(command, check=True)
    return video


def frame_of(ffmpeg: Path, video: Path) -> Image:
    command = [str(ffmpeg), "-v", "error", "-i", str(video), "-frames:v", "1", "-f", "rawvideo"]
    data = subprocess.run([*command, "-pix_fmt", "bgr24", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 3)


def test_a_task_waits_for_a_worker_with_weights_and_is_swapped_by_it(
    serve: Serve, weights: dict[str, str], portrait_clip: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    server, out = serve(), tmp_path / "out.mp4"
    server.wait_for_log("worker started")
    files = ("--image", PHOTO, "--video", portrait_clip, "--server", server.address)
    task_id = invoke("task", "create", *files, "--engine", "inswapper", "-q").out.strip()
    assert status(server, task_id)["notes"] == [WAITING]
    command = ("worker", "--data-dir", server.data, "--name", "gpu-1")
    with CommandProcess(*command, environment={**server.environment, **weights}):
        ended = watch_to_end(server, task_id)
    assert (ended["status"], ended["engine"], ended["notes"]) == ("completed", "inswapper", [])
    assert ended["engine_version"].startswith(f"{InswapperEngine.version}+")
    assert ended["figures"] == {"swapped": 6, "without_face": 0, "turned_away": 0, "people": 1}
    run("task", "download", task_id, "-o", out, "--server", server.address)
    change = frame_of(ffmpeg, out).astype(int) - frame_of(ffmpeg, portrait_clip)
    red = (change[..., 0] < -40) & (change[..., 2] > -40)
    assert 0.02 < red.mean() < 0.5
    assert np.abs(change[:, :8]).mean() < 4


def test_engines_lists_whether_and_how_the_weights_run(weights: dict[str, str]) -> None:
    runs = run("engines", environment=weights).out
    assert "runs on the CPU only (CPUExecutionProvider): a frame takes seconds" in runs
    gpu = run("engines", "inswapper", "--json", environment={**weights, "FACECLI_INSWAPPER_PROVIDER": "cuda"})
    assert gpu.object["unavailable"].startswith("provider cuda was asked for, and this onnxruntime has only")
