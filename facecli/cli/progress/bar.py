"""Bars: the contract between commands and the displays of progress."""

from typing import TYPE_CHECKING, Protocol

from facecli.core.progress import TransferProgress

if TYPE_CHECKING:
    from facecli.cli.progress.rows import BatchProgress
    from facecli.tasks.view import TaskView


class TransferBar(TransferProgress, Protocol):
    """Bar of a transfer."""

    def failed(self) -> None:
        """Show that the transfer has failed; the error itself is reported elsewhere."""
        ...


class TaskBar(Protocol):
    """Bar of a task."""

    def __call__(self, task: "TaskView") -> None:
        """Show a change of the task."""
        ...

    def failed(self) -> None:
        """Show that watching the task has failed."""
        ...


class BatchBar(Protocol):
    """Bar of a batch of jobs."""

    def __call__(self, progress: "BatchProgress") -> None:
        """Show the progress of the batch."""
        ...


class Bars(Protocol):
    """Creates a bar for each transfer, each task and each batch.

    Bars announced by a name or an ID are shown in the order of the announcements, with a summary.
    """

    def transfer(self, name: str = "", total: int | None = None) -> TransferBar: ...

    def task(self, task_id: str = "") -> TaskBar: ...

    def batch(self) -> BatchBar: ...
