"""Step: one stage of a task's workflow."""

from typing import Protocol

from facecli.tasks.steps.run import Run


class Step(Protocol):
    """A stage that can be interrupted at any point and run again: it skips what its checkpoint holds."""

    @property
    def name(self) -> str:
        """The stage that watchers see."""
        ...

    @property
    def weight(self) -> int:
        """The step's share of the progress, in relation to the weights of the other steps."""
        ...

    @property
    def checkpoint(self) -> str:
        """The name of the file that holds its finished work; empty when the task's row does."""
        ...

    def run(self, run: Run) -> None:
        """Do the work; Cancelled soon after `run.stopped` returns true."""
        ...
