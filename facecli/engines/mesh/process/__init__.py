"""The process of the mesh engine: all that touches pixels of users runs there, in the sandbox."""
