"""An action that may never end, and a limited wait for it."""

from collections.abc import Callable
from threading import Thread


def run_in_background(action: Callable[[], object], *, wait: float | None) -> None:
    """Start the action in a thread; return when it has ended, or after `wait` seconds, while it continues."""
    thread = Thread(target=action, daemon=True)
    thread.start()
    thread.join(wait)
