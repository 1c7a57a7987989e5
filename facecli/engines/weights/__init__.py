"""Weights of the mesh engine's networks; NOTICE says where they come from and under which licence."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent

CANONICAL_MESH = _FOLDER / "canonical_mesh.json"
FACE_DETECTION = _FOLDER / "face_detection_full_range.tflite"
FACE_LANDMARKS = _FOLDER / "face_landmark.tflite"
FACE_RECOGNITION = _FOLDER / "face_recognition_dlib.onnx"  # may be absent: swaps then follow places only


@cache
def shipped_weights() -> Mapping[str, str]:
    """The sha256 of the weights that are there, by file name."""
    files = (FACE_DETECTION, FACE_LANDMARKS, FACE_RECOGNITION)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()}
