"""The inswapper engine: a user's own ONNX weights draw the face; the rest is shared with the mesh engine."""
