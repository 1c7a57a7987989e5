"""The user's networks on onnxruntime, in the process of the engine.

Theory of operation: nothing about the files is trusted but that they do no harm in the sandbox. Inputs and
outputs are found by their shapes, because converted files have other names, and the emap is found by its
shape, because conversions move it. A provider of onnxruntime that is listed may still not run: only the one
that a session reports after its creation counts, and the CPU never stands in for a GPU.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state

from facecli.core.errors import NotReady
from facecli.engines.inswapper.weights import OwnWeights, Provider, beside

Latent = npt.NDArray[np.float32]  # 1 x 512
Tensor = npt.NDArray[np.float32]  # n x 3 x side x side, red first

FACE_SIDE = 128  # pixels of a swapped face
CHIP_SIDE = 112  # pixels of the recognizer's input
LATENT = 512

_NAMES = {
    Provider.CPU: "CPUExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.COREML: "CoreMLExecutionProvider",
}
_ERRORS_ONLY = 3
# Those of onnxruntime have no base of their own.
_LOAD_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(
        kind
        for kind in vars(onnxruntime_pybind11_state).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)


class Network:
    """One ONNX file as a session; NotReady, with a sentence, if it does not load or runs elsewhere."""

    def __init__(self, path: str, provider: Provider) -> None:
        self.path = path
        wanted = _NAMES[provider]
        if wanted not in (available := ort.get_available_providers()):
            raise NotReady(
                f"provider {provider} was asked for, and this onnxruntime has only {', '.join(available)}"
                + ("; install onnxruntime-gpu in place of onnxruntime" if provider is Provider.CUDA else "")
            )
        if provider is Provider.CUDA:
            ort.preload_dlls()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = ort.InferenceSession(path, options, providers=[wanted])
        except _LOAD_ERRORS as error:
            raise NotReady(f"{path} cannot be loaded by onnxruntime: {_first_line(error)}") from error
        self._session.disable_fallback()
        self.provider = str(self._session.get_providers()[0])
        if self.provider != wanted:
            raise NotReady(f"provider {provider} was asked for, and {path} would run on {self.provider}")
        self.inputs = self._session.get_inputs()
        self.outputs = self._session.get_outputs()

    def input(self, shape: Sequence[int]) -> Any:
        """The input of this shape, whatever its first axis; NotReady if there is not one."""
        found = [each for each in self.inputs if list(each.shape[1:]) == list(shape)]
        if len(found) != 1:
            raise NotReady(
                f"{self.path} has no input of the shape 1x{_text(shape)}, but: {_described(self.inputs)}"
            )
        return found[0]

    def run(self, feeds: Sequence[tuple[Any, Tensor | Latent]]) -> npt.NDArray[np.float32]:
        """The first output."""
        values = {each.name: value.astype(_type_of(each), copy=False) for each, value in feeds}
        return np.asarray(self._session.run([self.outputs[0].name], values)[0], np.float32)


class Recognizer:
    """Computes the embedding of a source face: 512 numbers."""

    def __init__(self, weights: OwnWeights) -> None:
        self._network = Network(weights.recognizer, weights.provider)
        self._input = self._network.input((3, CHIP_SIDE, CHIP_SIDE))
        _check_output(self._network, (LATENT,))

    def embed(self, chip: Tensor) -> Latent:
        """`chip` in -1 to 1."""
        return self._network.run([(self._input, chip)])


class Swapper:
    """Draws faces of 128 pixels."""

    def __init__(self, weights: OwnWeights) -> None:
        self._network = Network(weights.swapper, weights.provider)
        self._face = self._network.input((3, FACE_SIDE, FACE_SIDE))
        self._latent = self._network.input((LATENT,))
        _check_output(self._network, (3, FACE_SIDE, FACE_SIDE))
        self._emap = read_emap(Path(weights.swapper))
        self.provider = self._network.provider

    def latent(self, embedding: Latent) -> Latent:
        """The embedding as the swapper takes it."""
        mapped = embedding.reshape(1, LATENT) @ self._emap
        return np.asarray(mapped / max(float(np.linalg.norm(mapped)), 1e-12), np.float32)

    def draw(self, faces: Tensor, latent: Latent) -> Tensor:
        """The new faces, 0 to 1: all in one batch if the network takes one, else one by one."""
        if self._face.shape[0] == 1:
            return np.concatenate([self._draw(face[None], latent) for face in faces])
        return self._draw(faces, latent)

    def _draw(self, faces: Tensor, latent: Latent) -> Tensor:
        return self._network.run([(self._face, faces), (self._latent, np.repeat(latent, len(faces), 0))])


def read_emap(swapper: Path) -> npt.NDArray[np.float32]:
    """The matrix from embeddings to latents: the file beside the weights, or in them; NotReady if neither."""
    shape = (LATENT, LATENT)
    try:
        emap = np.load(beside(swapper), allow_pickle=False)
    except FileNotFoundError:
        return _emap_inside(swapper)
    except (OSError, ValueError, EOFError) as error:
        raise NotReady(f"{beside(swapper)} cannot be read: {_first_line(error)}") from error
    if emap.shape != shape:
        raise NotReady(f"{beside(swapper)} has the shape {_text(emap.shape)}; an emap has {_text(shape)}")
    return np.asarray(emap, np.float32)


def _emap_inside(swapper: Path) -> npt.NDArray[np.float32]:
    try:
        import onnx
    except ImportError as error:
        raise NotReady(
            f"onnx is missing, with which the emap is read; install it with: pip install onnx, or put "
            f"the emap into {beside(swapper)}"
        ) from error
    graph = onnx.load(str(swapper), load_external_data=False).graph
    found = [each for each in graph.initializer if list(each.dims) == [LATENT, LATENT]]
    # The network itself may multiply by such a matrix; the emap is used by nothing in it.
    used = {name for node in graph.node for name in node.input}
    unused = [each for each in found if each.name not in used]
    if len(unused or found) != 1:
        names = ", ".join(each.name for each in unused or found) or "none"
        raise NotReady(
            f"{swapper} must hold one emap, a matrix of {LATENT}x{LATENT} numbers, and has: {names}; put it "
            f"into {beside(swapper)}"
        )
    return np.asarray(onnx.numpy_helper.to_array((unused or found)[0]), np.float32)


def _check_output(network: Network, shape: Sequence[int]) -> None:
    known = list(network.outputs[0].shape[1:])
    if len(known) != len(shape) or any(
        isinstance(length, int) and length != wanted for length, wanted in zip(known, shape, strict=True)
    ):
        raise NotReady(
            f"{network.path} has no output of the shape 1x{_text(shape)}, but: {_described(network.outputs)}"
        )


def _type_of(each: Any) -> npt.DTypeLike:
    return np.float16 if each.type == "tensor(float16)" else np.float32


def _described(values: Sequence[Any]) -> str:
    return ", ".join(f"{each.name} {_text(each.shape)}" for each in values) or "none"


def _text(shape: Sequence[Any]) -> str:
    return "x".join(map(str, shape))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
