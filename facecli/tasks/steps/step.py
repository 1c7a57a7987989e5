"""Step: one stage of a task's workflow, with a name, a weight and a checkpoint.

A step reads its inputs from the `Run`, stores its finished files as checkpoints (`run.work.file`), and sets
its product in the `Run` for the steps after it.
"""

from typing import Protocol

from facecli.tasks.steps.run import Run


class Step(Protocol):
    """A stage that can be interrupted at any point and run again; finished checkpoints are reused."""

    @property
    def name(self) -> str:
        """The stage that watchers see."""
        ...

    @property
    def weight(self) -> int:
        """The step's share of the progress, in relation to the weights of the other steps."""
        ...

    @property
    def checkpoint(self) -> str | None:
        """The name, or pattern of names, of its checkpoint files, unique among the steps.

        None for a step that leaves no checkpoint, and is repeated as a whole after an interruption. A failed
        task keeps its checkpoints for a retry only if a swapped segment is among them (`Checkpoints.trim`).
        """
        ...

    def run(self, run: Run) -> None:
        """Do the work; Cancelled soon after `run.stopped` returns true."""
        ...
