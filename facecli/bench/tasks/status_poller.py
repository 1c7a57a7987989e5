"""Status calls during a measurement, timed one by one."""

import threading
import time

from facecli.client.tasks import TaskClient

POLL_INTERVAL = 0.05  # seconds between two calls


class StatusPoller:
    """Polls a task's status in a thread until `stop`."""

    def __init__(self, tasks: TaskClient, task_id: str) -> None:
        self._tasks = tasks
        self._task_id = task_id
        self._durations: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def stop(self) -> list[float]:
        """Stop polling; returns the duration of every call in seconds."""
        self._stopped.set()
        self._thread.join()
        return self._durations

    def _poll(self) -> None:
        while not self._stopped.wait(POLL_INTERVAL):
            started = time.monotonic()
            self._tasks.get(self._task_id)
            self._durations.append(time.monotonic() - started)
