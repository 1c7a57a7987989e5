"""Many machines on this one: a long acceptance run, `python -m tests.support.cluster --help`."""
