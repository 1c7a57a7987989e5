"""The process itself, a script: `python -I main.py FACECLI PACKAGES…`, with messages on its pipes.

It does one job after another, until the engine closes the pipe or ends it.

FACECLI is the directory of facecli's own modules, and PACKAGES those that hold OpenCV and numpy. A sentence
for the user goes out as REFUSED; any other failure ends the process with a traceback, of which the engine
shows the last line.
"""

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from types import ModuleType
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    # The sandbox does not let this process list the directory that facecli is in.
    sys.modules["facecli"] = ModuleType("facecli")
    sys.modules["facecli"].__path__ = [sys.argv[1]]
    sys.path += sys.argv[2:]
    os.putenv("OPENBLAS_NUM_THREADS", "1")  # numpy starts threads at once, and there is no work for them

import cv2
import numpy as np

from facecli.core.errors import FacecliError
from facecli.core.video.frames import Planes
from facecli.engines.mesh.arrays import Image
from facecli.engines.mesh.drawing.warped_face import WarpedFace
from facecli.engines.mesh.identities import Identity, Selection
from facecli.engines.mesh.options import MeshOptions, Small
from facecli.engines.mesh.patch import FaceSource
from facecli.engines.mesh.process.conversation import Conversation
from facecli.engines.mesh.process.messages import Answer, Request
from facecli.engines.mesh.process.setup import Setup, Work
from facecli.engines.mesh.segment_swapper import FrameClock, Networks, SegmentSwapper
from facecli.engines.mesh.source import SourceFace, prepare_source
from facecli.engines.mesh.video_plan import PeopleFinder

MAX_KEPT = 64 * 1024 * 1024  # bytes of one array

if TYPE_CHECKING:
    from facecli.engines.inswapper.generated_face import GeneratedFace


_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # of malloc.h


def main() -> None:
    keep_memory()
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    conversation = Conversation(sys.stdin.buffer, sys.stdout.buffer)
    try:
        converse(conversation)
    except FacecliError as refused:
        conversation.send_json(Answer.REFUSED, {"reason": refused.reason, "message": refused.message})
    except MemoryError:
        conversation.send_json(Answer.REFUSED, {"message": "the video or the picture needs too much memory"})
    except EOFError:
        return


def keep_memory() -> None:
    """Have malloc keep the memory of arrays for the next frame; to return it costs more than to draw one."""
    with suppress(OSError, AttributeError):  # a C library without it
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, MAX_KEPT)
        libc.mallopt(_TRIM_THRESHOLD, 2 * MAX_KEPT)


def release_memory() -> None:
    """Return what a finished job no longer needs: the next one needs other sizes."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def converse(conversation: Conversation) -> None:
    networks = Networks.load()
    photos = Photos(networks)
    while True:
        work(conversation, networks, photos)
        release_memory()


class Photos:
    """Prepares source faces, and keeps the last one: the same picture may come with the next job."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._pixels: Planes = bytearray()
        self._source: SourceFace | None = None

    def prepare(self, pixels: Planes, width: int, height: int) -> SourceFace:
        if self._source is None or pixels != self._pixels:
            rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
            photo: Image = np.ascontiguousarray(rgb[..., ::-1])
            self._source = prepare_source(photo, self._networks.detector, self._networks.mesh)
            self._pixels = pixels
        return self._source


def work(conversation: Conversation, networks: Networks, photos: Photos) -> None:
    _, data = conversation.receive()
    _, pixels = conversation.receive()
    setup = Setup.decode(data)
    if setup.memory is not None:
        conversation.share(setup.memory, setup.layout)
    source = photos.prepare(pixels, *setup.picture)
    drawing = WarpedFace(source) if not setup.weights else generated_face(setup, source)
    conversation.send_json(Answer.READY, {"faces": source.faces, "turned": source.turned})
    if setup.work is Work.PLAN:
        find_people(conversation, setup, networks, source)
    elif setup.work is Work.SWAP:
        swap(conversation, setup, networks, drawing)
    else:
        conversation.receive()
        conversation.send_json(Answer.RESULT, result(setup, networks, source, drawing))


def result(
    setup: Setup, networks: Networks, source: SourceFace, drawing: "WarpedFace | GeneratedFace"
) -> dict[str, Any]:
    """The result of work without frames."""
    if setup.work is Work.DESCRIBE or isinstance(drawing, WarpedFace):
        return described(networks, source)
    drawing.check(source)
    return {"provider": drawing.provider}


def described(networks: Networks, source: SourceFace) -> dict[str, Any]:
    embedding = networks.recognizer.embed(source.picture, source.points)
    return {"embedding": embedding.astype(float).tolist()}


def generated_face(setup: Setup, source: SourceFace) -> "GeneratedFace":
    from facecli.engines.inswapper.generated_face import GeneratedFace  # loads onnxruntime
    from facecli.engines.inswapper.weights import OwnWeights

    return GeneratedFace.load(OwnWeights.from_json(setup.weights), source)


def swap(conversation: Conversation, setup: Setup, networks: Networks, source: FaceSource) -> None:
    options = MeshOptions.parse(setup.options)
    people = [Identity.from_json(values) for values in setup.people]
    swapper = SegmentSwapper(
        networks,
        source,
        selection=Selection(options.faces, people, match=options.match, like=setup.like),
        options=options,
        layout=setup.layout,
        clock=FrameClock(first=setup.first, rate=setup.rate),
    )
    while (request := conversation.receive())[0] is not Request.END:
        kind, planes = request
        done = list(swapper.push(planes, own=kind is Request.OWN_FRAME))
        if done:
            conversation.send_frame(done[0])
        else:
            conversation.send(Answer.NONE)
    for planes in swapper.finish():
        conversation.send_frame(planes)
    conversation.send_json(Answer.RESULT, asdict(swapper.figures))


def find_people(conversation: Conversation, setup: Setup, networks: Networks, source: SourceFace) -> None:
    options = MeshOptions.parse(setup.options)
    finder = PeopleFinder(networks, setup.layout, tiles=2 if options.small is Small.ON else 1)
    while (request := conversation.receive())[0] is not Request.END:
        finder.look(request[1])
        conversation.send(Answer.NONE)
    people = finder.people(match=options.match)
    if options.faces.startswith("index:"):
        Selection(options.faces, people, match=options.match)  # refuses a number that nobody has
    found = [person.as_json() for person in people]
    conversation.send_json(Answer.RESULT, {"people": found, **described(networks, source)})


if __name__ == "__main__":
    main()
