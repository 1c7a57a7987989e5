"""The mesh engine: puts the pixels of one photo onto the faces of a video, by a mesh of 468 points."""
