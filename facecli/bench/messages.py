"""Signals between the processes of a bench."""

GO = "go"
READY = "ready"
KILL = "kill"
