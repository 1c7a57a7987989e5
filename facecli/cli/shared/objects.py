"""What `--json` prints of each thing; CONTRACT for scripts."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.client.transfers import SentUpload
    from facecli.core.auth import Token, TokenStatus
    from facecli.core.damage import Damage
    from facecli.core.garbage import Garbage
    from facecli.maintenance.gc import Action
    from facecli.tasks.task import Task
    from facecli.uploads.upload import Upload


def upload_object(sent: "SentUpload") -> dict[str, Any]:
    return {**{f.name: getattr(sent, f.name) for f in fields(sent)}, "crc32c": checksum(sent.crc32c)}


def task_object(task: "Task") -> dict[str, Any]:
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
        "engine": task.engine,
        "image_url": task.image_url,
        "video_url": task.video_url,
        "result_url": task.result_url,
        "result_size": task.result.size if task.result else None,
        "result_crc32c": checksum(task.result.crc32c) if task.result else None,
        "error": error,
        "created_at": moment(task.created_at),
        "updated_at": moment(task.updated_at),
        "revision": task.revision,
    }


def file_object(upload: "Upload") -> dict[str, Any]:
    return {
        "file_url": upload.file_url,
        "upload_id": upload.id,
        "name": upload.name,
        "file_type": upload.file_type,
        "status": upload.status,
        "size": upload.size,
        "stored_bytes": upload.stored_bytes,
        "crc32c": None if upload.crc32c is None else checksum(upload.crc32c),
        "created_at": moment(upload.created_at),
        "expires_at": None if upload.completed else moment(upload.expires_at),
    }


def token_object(token: "Token", status: "TokenStatus") -> dict[str, Any]:
    """Without the secret, which only `token create` knows."""
    return {
        "id": token.id,
        "user": token.user,
        "admin": token.admin,
        "status": status,
        "created_at": moment(token.created_at),
        "expires_at": None if token.expires_at is None else moment(token.expires_at),
        "revoked_at": None if token.revoked_at is None else moment(token.revoked_at),
    }


def garbage_object(item: "Garbage", action: "Action") -> dict[str, Any]:
    return {
        "kind": item.kind,
        "id": item.id,
        "action": action,
        "bytes": item.size,
        "reason": item.reason,
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


def task_line(task: "Task") -> str:
    """One line for people: id, state, and the result or the reason."""
    if task.ended:
        return f"{task.id}  {task.status}  {task.result_url or task.error_message}"
    stage = f"  {task.stage}" if task.stage else ""
    return f"{task.id}  {task.status}  {task.progress}%{stage}"


def checksum(crc32c: int) -> str:
    return f"{crc32c:08x}"


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
