"""`facecli bench`: measure uploads and tasks."""

import typer

from facecli.cli.bench import task, upload
from facecli.cli.shared.help import add_commands

app = typer.Typer(rich_markup_mode=None)

add_commands(app, {"upload": upload.upload, "task": task.task})
