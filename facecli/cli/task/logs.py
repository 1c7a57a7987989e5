"""`facecli task logs`: print the log of a task."""

from functools import partial

from facecli.cli.shared.command import with_session
from facecli.cli.shared.objects import log_object, timestamp
from facecli.cli.shared.options import TaskId
from facecli.cli.shared.output import Output
from facecli.library.session import Session


@partial(with_session, quiet_help="Print only the texts.")
def logs(
    session: Session,
    output: Output,
    task_id: TaskId,
) -> None:
    """Print the log of a task: why it failed, and what its engine logged.

    One line per record, oldest first: time, level, logger and text. The server keeps the newest 200 records
    of a task, over all its attempts, until the task is deleted. A worker stores them with the task's
    progress; when it is stopped or killed, those since the last progress are missing.

    Example: facecli task logs 6f2c…

    Exit codes: 0 success, even for a failed task, 4 unauthenticated or forbidden, 5 task not found, 6 server
    unreachable.
    """
    task = session.tasks.find(task_id)
    log = session.tasks.log(task.id)
    if log.dropped:
        output.remark(f"{log.dropped} older records were dropped; these are the newest {len(log.records)}")
    for record in log.records:
        line = f"{timestamp(record.time)} {record.level:7} {record.logger} {record.text}"
        output.show(log_object(record), text=line, short=record.text)
    if not log.records:
        output.remark(f"nothing was logged for task {task.id}, which is {task.status}")
