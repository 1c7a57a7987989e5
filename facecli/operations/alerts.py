"""The alerts for Prometheus, which are a file beside this one."""

from importlib.resources import files

FILE = "alerts.yml"


def alerts() -> str:
    """The content of a rule file."""
    return (files("facecli.operations") / FILE).read_text(encoding="utf-8")
