"""The inswapper engine: faces drawn by a user's own weights, in the sandboxed process of the mesh engine.

The weights are loaded once for each segment: the process ends with the segment, so that what one user's
pixels may have done to it never reaches another user.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from facecli.core.errors import NotReady
from facecli.core.video.engine_options import EngineOption, parse_options
from facecli.core.video.frames import Picture
from facecli.core.video.media import Media, never
from facecli.engines.inswapper.weights import OwnWeights, Provider
from facecli.engines.mesh.engine import MAX_PICTURE_SIDE, NO_FRAMES, MeshEngine
from facecli.engines.mesh.options import OPTIONS as MESH_OPTIONS
from facecli.engines.mesh.process.client import SwapProcess, swap_process
from facecli.engines.mesh.process.setup import Setup, Work
from facecli.engines.mesh.process.spare import Inputs

# The networks draw eyes and mouth as the target has them, in its colours.
DEFAULTS: Mapping[str, str] = {"color": "none", "eyes": "source", "mouth": "source"}
OPTIONS = tuple(replace(each, default=DEFAULTS.get(each.name, each.default)) for each in MESH_OPTIONS)
TEST_FACE = "grace_hopper.jpg"

_PACKAGES = {"cv2": "opencv-python-headless", "onnxruntime": "onnxruntime"}  # modules, and what installs them


class InswapperEngine(MeshEngine):
    """An engine that every server knows, and that runs where weights are configured."""

    name = "inswapper"
    version = "5"  # and a digest of the weights once they are known: segments of others are swapped again
    needs: Sequence[str] = ("ffmpeg", "opencv-python-headless 4.14", "onnxruntime", "weights of your own")
    options: Sequence[EngineOption] = OPTIONS

    def __init__(self, media: Media, weights: OwnWeights | None = None) -> None:
        self._media = media
        self._weights = weights or OwnWeights()
        self._digests: Mapping[str, str] = {}  # of the weights, once they are checked

    def check(self, options: Mapping[str, str]) -> None:
        parse_options(self.name, OPTIONS, options)

    def check_face(self, face: Path, *, stopped: Callable[[], bool]) -> None:
        """Find the face of a picture, if this machine can; the worker does in any case."""
        if find_spec("cv2"):
            super().check_face(face, stopped=stopped)

    def start(self) -> str:
        """Check the weights, load them in the sandbox, and draw a known face with them."""
        self._digests = self._weights.check()
        for module, package in _PACKAGES.items():
            if find_spec(module) is None:
                raise NotReady(f"{package} is missing; install it with: pip install {package}")
        with as_file(files("facecli.media.samples") / TEST_FACE) as face:
            picture = self._media.read_picture(face, max_side=MAX_PICTURE_SIDE, stopped=never)
        setup = Setup(work=Work.TRY, layout=NO_FRAMES, picture=(picture.width, picture.height))
        with self._process(setup, picture, stopped=never) as process:
            for _ in process.finish():
                pass
        whole = hashlib.sha256("".join(self._digests.values()).encode())
        self.version = f"{InswapperEngine.version}+{whole.hexdigest()[:12]}"
        return _speed(self._weights.provider, str(process.result.get("provider", "")))

    def weights(self) -> Mapping[str, str]:
        return {**super().weights(), **self._digests}

    def _process(
        self,
        setup: Setup,
        picture: Picture,
        *,
        stopped: Callable[[], bool],
        inputs: Inputs | None = None,
        more: bool = False,
    ) -> AbstractContextManager[SwapProcess]:
        setup = replace(setup, engine=self.name, options={**DEFAULTS, **setup.options})
        if setup.work in {Work.PLAN, Work.DESCRIBE}:
            return swap_process(self._media, setup, picture, stopped=stopped)
        weights = self._weights
        if not weights.swapper:
            raise NotReady("no weights are configured on this machine")
        setup = replace(setup, weights=weights.as_json())
        gpu = weights.provider is Provider.CUDA
        return swap_process(self._media, setup, picture, stopped=stopped, reads=weights.files, gpu=gpu)


def _speed(provider: Provider, runs_on: str) -> str:
    """Describe for people how the engine runs."""
    if provider is Provider.CPU:
        return "runs on the CPU only (CPUExecutionProvider): a frame takes seconds"
    return f"runs on {runs_on}"
