"""Tasks of a client."""

import math
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from typing import Any

from facecli.client.terms import stated_terms
from facecli.core.video.plan import video_part
from facecli.library.limits import CallSessions
from facecli.library.uploads import FileReference, url
from facecli.tasks.logs.record import TaskLog
from facecli.tasks.task import TaskFilter, TaskStatus
from facecli.tasks.view import TaskView

TaskReference = TaskView | str


class Tasks:
    """The user's tasks on the server. A task is named by ID, its beginning, key, or the object itself."""

    def __init__(self, sessions: CallSessions) -> None:
        self._sessions = sessions

    def create(
        self,
        image: FileReference,
        video: FileReference,
        *,
        engine: str = "",
        options: Mapping[str, str] | None = None,
        begin: float = 0.0,
        end: float | None = None,
        key: str | None = None,
        fresh: bool = False,
        notify: str = "",
        consent: str | PathLike[str] = "",
        no_label: str = "",
    ) -> TaskView:
        """Create a task for two complete uploads, or return the one that was created with the same `key`.

        `begin` and `end` in seconds take a part of the video. With `fresh`, a task that has ended is not
        returned again. Without `engine` it is the server's default one. `notify` is the URL of a webhook for
        the end of the task. `consent` and `no_label` are as for `Client.swap`.
        """
        return self._sessions.short().tasks.create(
            image_url=url(image),
            video_url=url(video),
            engine=engine,
            options=options or {},
            part=video_part(begin, end),
            key=key,
            fresh=fresh,
            notify=notify,
            terms=stated_terms(no_label, consent),
        )

    def get(self, task: TaskReference) -> TaskView:
        """Return the current state of a task; TaskNotFound if there is none."""
        return self._sessions.short().tasks.find(_id(task))

    def list(
        self,
        *,
        status: str = "",
        engine: str = "",
        since: float = 0.0,
        until: float = math.inf,
        limit: int | None = None,
    ) -> Iterator[TaskView]:
        """Yield the user's tasks, newest first, at most `limit`; empty criteria match every task.

        `since` and `until` are seconds since 1970.
        """
        wanted = TaskFilter(status=status, engine=engine, since=since, until=until)
        return self._sessions.short().tasks.listed(wanted, limit=limit)

    def watch(self, task: TaskReference, *, timeout: float | None = None) -> Iterator[TaskView]:
        """Yield the task now and after every change, until it has ended, whatever its outcome.

        A broken connection is resumed without a gap. TimedOut after `timeout` seconds; the task goes on.
        """
        session = self._sessions.long(timeout)
        task_id = _id(session.tasks.find(_id(task)))
        return session.tasks.watch(task_id, retry_for=self._sessions.retry_for)

    def wait(
        self,
        task: TaskReference,
        *,
        timeout: float | None = None,
        progress: Callable[[TaskView], object] | None = None,
    ) -> TaskView:
        """Wait for the end of a task and return it completed; TaskUnsuccessful if it failed or was cancelled.

        `progress` is called with every state. TimedOut after `timeout` seconds; the task goes on.
        """
        last: TaskView | None = None
        for state in self.watch(task, timeout=timeout):
            last = state
            if progress:
                progress(state)
        assert last
        if last.status != TaskStatus.COMPLETED:
            raise last.unsuccessful()
        return last

    def cancel(self, task: TaskReference) -> TaskView:
        """Cancel a task that has not ended; TaskEnded if it has."""
        session = self._sessions.short()
        return session.tasks.cancel(session.tasks.find_own(_id(task)).id)

    def retry(self, task: TaskReference) -> TaskView:
        """Run a failed or cancelled task again; it continues at its last checkpoint."""
        session = self._sessions.short()
        return session.tasks.retry(session.tasks.find_own(_id(task)).id)

    def delete(self, task: TaskReference) -> None:
        """Delete an ended task and its result."""
        session = self._sessions.short()
        session.tasks.delete(session.tasks.find_own(_id(task)).id)

    def log(self, task: TaskReference) -> TaskLog:
        """Return what the engine and the worker logged while they ran the task."""
        session = self._sessions.short()
        return session.tasks.log(session.tasks.find(_id(task)).id)

    def provenance(self, task: TaskReference) -> dict[str, Any]:
        """Return of what, by what and under which terms a result was made, as the command's JSON object.

        ResultMissing while there is no result.
        """
        session = self._sessions.short()
        return session.tasks.provenance(session.tasks.find(_id(task)).id).as_json()


def _id(task: TaskReference) -> str:
    return task if isinstance(task, str) else task.id
