"""Tiny networks with the inputs and outputs of real weights, to bring as one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Matrix = npt.NDArray[np.float32]

ROTATED: Matrix = np.roll(np.eye(512, dtype=np.float32), 1, axis=1)  # an emap


def recognizer(path: Path, *, side: int = 112, length: int = 512) -> Path:
    """Embeds a face by the means of its columns and rows."""
    pooled = helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[7, 7], strides=[7, 7])
    flat = helper.make_node("Flatten", ["small"], ["flat"])
    cut = helper.make_node("Slice", ["flat", "from", "to", "axis"], ["embedding"])
    constants = {"from": [0], "to": [length], "axis": [1]}
    return _saved(
        path,
        [pooled, flat, cut],
        {"face": (1, 3, side, side)},
        {"embedding": (1, length)},
        {name: np.array(value, np.int64) for name, value in constants.items()},
    )


def swapper(
    path: Path,
    *,
    emaps: Sequence[Matrix] = (ROTATED,),
    gains: tuple[float, float, float] = (1, 1, 1),
    batch: int | str = 1,
    shape: tuple[int, ...] = (3, 128, 128),
    latent: int = 512,
) -> Path:
    """Returns the target face with its red, green and blue multiplied by these gains."""
    # The latent has to be used, and must not change anything.
    nodes = [
        helper.make_node("ReduceMean", ["source"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "spread"], ["added"]),
        helper.make_node("Mul", ["target", "gains"], ["tinted"]),
        helper.make_node("Add", ["tinted", "added"], ["output"]),
    ]
    constants: dict[str, npt.NDArray[Any]] = {
        "zero": np.zeros(1, np.float32),
        "spread": np.array([-1, 1, 1, 1], np.int64),
        "gains": np.array(gains, np.float32).reshape(1, 3, 1, 1),
        **{f"emap{number}": emap for number, emap in enumerate(emaps)},
    }
    inputs = {"target": (batch, *shape), "source": (batch, latent)}
    return _saved(path, nodes, inputs, {"output": (batch, *shape)}, constants)


def _saved(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int | str, ...]],
    outputs: dict[str, tuple[int | str, ...]],
    constants: dict[str, npt.NDArray[np.generic]],
) -> Path:
    def declared(values: dict[str, tuple[int | str, ...]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in values.items()
        ]

    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", declared(inputs), declared(outputs), tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path
