"""JSON objects that `--json` prints. Scripts rely on them: fields are added, never renamed or removed."""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.core.video.plan import MICROSECONDS

if TYPE_CHECKING:
    from facecli.client.transfers import SentUpload
    from facecli.core.auth import Token, TokenStatus
    from facecli.core.damage import Damage
    from facecli.core.garbage import Garbage
    from facecli.maintenance.backup import BackupSummary
    from facecli.maintenance.gc import Action
    from facecli.maintenance.manifest import Manifest
    from facecli.tasks.logs.record import TaskLogRecord
    from facecli.tasks.view import TaskView
    from facecli.uploads.view import UploadView


def upload_object(sent: "SentUpload") -> dict[str, Any]:
    return {**{f.name: getattr(sent, f.name) for f in fields(sent)}, "crc32c": checksum(sent.crc32c)}


def task_object(task: "TaskView") -> dict[str, Any]:
    error = {"reason": task.error_reason, "message": task.error_message} if task.error_reason else None
    return {
        "task_id": task.id,
        "status": task.status,
        "progress": task.progress,
        "frames_done": task.frames_done,
        "frames": task.frames,
        "stage": task.stage,
        "round": task.round,
        "attempt": task.attempt,
        "key": task.key,
        "engine": task.engine,
        "engine_version": task.engine_version,
        "options": dict(task.options),
        "from": task.part.start / MICROSECONDS,
        "to": None if task.part.end is None else task.part.end / MICROSECONDS,
        "image_name": task.image_name,
        "video_name": task.video_name,
        "image_url": task.image_url,
        "video_url": task.video_url,
        "result_url": task.result_url,
        "preview_url": task.preview_url,
        "result_size": task.result_size,
        "result_crc32c": None if task.result_crc32c is None else checksum(task.result_crc32c),
        "error": error,
        "notes": list(task.notes),
        "figures": asdict(task.figures) if task.figures else None,
        "webhook": asdict(task.webhook) if task.webhook else None,
        "created_at": timestamp(task.created_at),
        "updated_at": timestamp(task.updated_at),
        "revision": task.revision,
    }


def log_object(record: "TaskLogRecord") -> dict[str, Any]:
    return {
        "time": timestamp(record.time),
        "level": record.level,
        "logger": record.logger,
        "text": record.text,
        "round": record.round,
        "attempt": record.attempt,
    }


def file_object(upload: "UploadView") -> dict[str, Any]:
    return {
        "file_url": upload.file_url,
        "upload_id": upload.id,
        "name": upload.name,
        "file_type": upload.file_type,
        "status": upload.status,
        "size": upload.size,
        "stored_bytes": upload.stored_bytes,
        "crc32c": None if upload.crc32c is None else checksum(upload.crc32c),
        "created_at": timestamp(upload.created_at),
        "expires_at": None if upload.completed else timestamp(upload.expires_at),
    }


def token_object(token: "Token", status: "TokenStatus") -> dict[str, Any]:
    """A token without its secret, which only `token create` prints."""
    return {
        "id": token.id,
        "user": token.user,
        "admin": token.admin,
        "status": status,
        "created_at": timestamp(token.created_at),
        "expires_at": None if token.expires_at is None else timestamp(token.expires_at),
        "revoked_at": None if token.revoked_at is None else timestamp(token.revoked_at),
    }


def garbage_object(item: "Garbage", action: "Action", *, age: float) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "id": item.id,
        "action": action,
        "bytes": item.size,
        "age_seconds": round(age),
        "reason": item.reason,
    }


def backup_object(directory: Path, summary: "BackupSummary") -> dict[str, Any]:
    return {
        "directory": str(directory),
        "files": summary.files,
        "bytes": summary.bytes,
        "copied_bytes": summary.copied_bytes,
        "created_at": timestamp(summary.created_at),
    }


def restore_object(directory: Path, manifest: "Manifest") -> dict[str, Any]:
    return {
        "directory": str(directory),
        "files": len(manifest.files),
        "bytes": sum(file.size for file in manifest.files.values()),
        "created_at": timestamp(manifest.created_at),
    }


def damage_object(damage: "Damage", *, repaired: bool) -> dict[str, Any]:
    return {
        "kind": damage.kind,
        "id": damage.id,
        "problem": damage.problem,
        "remedy": damage.remedy,
        "repairable": damage.repair is not None,
        "repaired": repaired,
    }


def task_line(task: "TaskView") -> str:
    """A task as one line of text: ID, state, and the result's URL or the error."""
    if task.ended:
        return f"{task.id}  {task.status}  {task.result_url or task.error_message}"
    stage = f"  {task.stage}" if task.stage else ""
    return f"{task.id}  {task.status}  {task.progress}%{stage}"


def task_text(task: "TaskView") -> str:
    """A task as text: its line, then what else there is to say of it."""
    return with_notes(task_line(task), task)


def with_notes(line: str, task: "TaskView") -> str:
    """The line, then one for the figures of the task, its webhook, and each of its notes."""
    figures = [f"  {task.figures.text}"] if task.figures else []
    webhook = [f"  webhook: {task.webhook.text}"] if task.webhook else []
    return "\n".join([line, *figures, *webhook, *(f"  note: {note}" for note in task.notes)])


def checksum(crc32c: int) -> str:
    return f"{crc32c:08x}"


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
