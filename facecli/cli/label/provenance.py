"""`facecli task provenance`: print the provenance record of a result."""

import json
from functools import partial
from typing import Any

from facecli.cli.shared.command import with_session
from facecli.cli.shared.options import TaskId
from facecli.cli.shared.output import Output
from facecli.library.session import Session


@partial(with_session, quiet_help="Print only the hash of the record.")
def provenance(
    session: Session,
    output: Output,
    task_id: TaskId,
) -> None:
    """Print of what, by what and under which terms the result of a task was made.

    The record has the SHA-256 of the inputs, of the result and of the engine's weights, the labels, the
    waiver and the consent, and the times. The server stores it together with the completion of the task, and
    every record has the hash of the one before; facecli audit export checks them all.

    Example: facecli task provenance 6f2c… --json

    Exit codes: 0 success, 1 no result yet, 4 unauthenticated or forbidden, 5 task not found, 6 server
    unreachable.
    """
    record = session.tasks.provenance(session.tasks.find(task_id).id)
    shown = record.as_json()
    output.show(shown, text=_text(shown), short=record.sha256)


def _text(shown: dict[str, Any]) -> str:
    """One line for each entry, such as `output.sha256  …`."""
    return "\n".join(f"{name}  {value}" for name, value in _flat("", shown))


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value, 1)
        return [line for key, inner in items for line in _flat(f"{name}.{key}".lstrip("."), inner)]
    return [(name, value if isinstance(value, str) else json.dumps(value))]
