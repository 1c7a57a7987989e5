"""Drawing a face: the warp of the photo, its colours, and its mask."""
