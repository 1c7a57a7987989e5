"""Tasks as rows of a list: what tells one from another."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from facecli.cli.shared.listing import fitted
from facecli.core.printable import escaped
from facecli.core.video.plan import WHOLE

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView

SHORT_ID = 12  # characters; every command that takes an ID takes the beginning of one
HEADER = f"{'ID':{SHORT_ID}}  {'STATUS':10}  {'CREATED':16}  {'ENGINE':10}  INPUTS"

_OWN_KEYS = ("swap-", "auto-")  # beginnings of keys that the client makes


def task_row(task: "TaskView") -> str:
    """ID, state, creation, engine, priority unless normal, inputs, key, and the result's URL or the error.

    On a terminal the ID is short, the result is left out, and the row has the terminal's width.
    """
    for_people = sys.stdout.isatty()
    outcome = task.error_message or ("" if for_people else task.result_url)
    if not task.ended:
        outcome = f"{task.progress}% {task.stage}"
    parts = [
        task.id[:SHORT_ID] if for_people else task.id,
        f"{task.status:10}",
        f"{datetime.fromtimestamp(task.created_at):%Y-%m-%d %H:%M}",
        f"{f'{task.engine} {task.engine_version}':10}",
        task.priority if task.priority in {"high", "low"} else "",
        f"{task.image_name} + {task.video_name}{'' if task.part == WHOLE else f' {task.part}'}",
        "" if (task.key or "").startswith(_OWN_KEYS) else task.key or "",
        outcome,
    ]
    return fitted("  ".join(escaped(part) for part in parts if part.strip()))
