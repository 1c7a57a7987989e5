"""Weights of the mesh engine's networks; NOTICE says where they come from and under which licence."""

from pathlib import Path

_FOLDER = Path(__file__).parent

CANONICAL_MESH = _FOLDER / "canonical_mesh.json"
FACE_DETECTION = _FOLDER / "face_detection_full_range.tflite"
FACE_LANDMARKS = _FOLDER / "face_landmark.tflite"
FACE_RECOGNITION = _FOLDER / "face_recognition_dlib.onnx"  # may be absent: swaps then follow places only
