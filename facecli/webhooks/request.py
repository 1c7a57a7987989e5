"""The notification of an ended task: its content, and its signature as by Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime

from facecli.core.errors import InvalidInput
from facecli.webhooks.webhook import Webhook

PREFIX = "whsec_"  # of a key in base64
MIN_KEY_BYTES = 16


def key_bytes(key: str) -> bytes:
    """The key of the signature: the bytes of the text, or of its base64 if it begins with `whsec_`."""
    try:
        decoded = (
            base64.b64decode(key.removeprefix(PREFIX), validate=True)
            if key.startswith(PREFIX)
            else key.encode()
        )
    except binascii.Error as error:
        raise InvalidInput("notify_key: what follows whsec_ is not base64") from error
    if len(decoded) < MIN_KEY_BYTES:
        raise InvalidInput(
            f"notify_key must have at least {MIN_KEY_BYTES} bytes; make one with openssl rand -hex 32"
        )
    return decoded


def body(webhook: Webhook) -> bytes:
    """The notification as JSON."""
    task = webhook.task
    result = task.result
    data = {
        "task_id": task.id,
        "key": task.key,
        "status": task.status.value,
        "round": task.round,
        "engine": task.engine,
        "engine_version": task.engine_version,
        "image_url": task.image_url,
        "video_url": task.video_url,
        "result_url": task.result_url,
        "preview_url": task.preview_url,
        "result_size": result.size if result else None,
        "result_crc32c": f"{result.crc32c:08x}" if result else None,
        "error": {"reason": task.error_reason, "message": task.error_message} if task.error_reason else None,
        "created_at": _timestamp(task.created_at),
        "ended_at": _timestamp(task.updated_at),
    }
    event = {"type": f"task.{task.status.value}", "timestamp": _timestamp(task.updated_at), "data": data}
    return json.dumps(event).encode()


def headers(webhook: Webhook, content: bytes, *, key: bytes, now: float) -> dict[str, str]:
    """The headers that identify and sign the content at this time."""
    timestamp = str(int(now))
    signed = b".".join((webhook.id.encode(), timestamp.encode(), content))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "user-agent": "facecli",
        "webhook-id": webhook.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
