"""The picture decoder: scripts that run in a sandboxed process, and import nothing else of facecli."""
