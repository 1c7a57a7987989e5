"""Generated rows of uploads and tasks, in the proportions of a service that has run for a while.

One owner, LARGE, has a tenth of everything, and half of its uploads have one name. Others have 100 uploads
each. Ids are random and the same in every run.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from facecli.core.labels.labels import LabelFrames, Labels, LabelText
from facecli.core.video.figures import SwapFigures
from facecli.metadata.content.task_row import row_of
from facecli.metadata.task_records.webhooks import NEVER
from facecli.tasks.provenance.chain import FIRST_PREVIOUS, link
from facecli.tasks.provenance.record import RecordedFile, provenance_record
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.uploads.upload import CHUNK_SIZE, FileType, Upload, UploadStatus
from tests.support.builders import task, upload

LARGE = "studio"
NAME = "clip.mp4"  # of half of the uploads of the large owner
PER_OWNER = 100  # uploads of every other owner
END = 1_800_000_000.0  # seconds since 1970: the newest row
SPACING = 30.0  # seconds between two uploads
MINUTE = 60.0  # seconds
LOG_RECORDS = 4  # of a task
ENGINES = ("mock", "mesh")

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Numbers of rows; `waiting` of the tasks wait."""

    uploads: int
    tasks: int
    waiting: int
    running: int = 50

    @cached_property
    def upload_ids(self) -> list[str]:
        return _ids(self.uploads, seed=1)

    @cached_property
    def task_ids(self) -> list[str]:
        return _ids(self.tasks, seed=2)

    def owner(self, number: int) -> str:
        """The owner of the upload or task of this number."""
        return LARGE if number % 10 == 0 else f"user-{number * 7919 % max(1, self.uploads // PER_OWNER):05}"

    def all_uploads(self) -> Iterator[Upload]:
        for number, upload_id in enumerate(self.upload_ids):
            yield self._upload(number, upload_id)

    def chunks(self) -> Iterator[Row]:
        for each in self.all_uploads():
            for index in range(each.stored_chunks):
                size = each.chunk_length(index)
                yield {
                    "upload_id": each.id,
                    "index": index,
                    "size": size,
                    "crc32c": 7 * index,
                    "token": str(index),
                }

    def all_tasks(self) -> Iterator[Task]:
        for number, task_id in enumerate(self.task_ids):
            yield self._task(number, task_id)

    def queued_tasks(self) -> Iterator[Task]:
        """The tasks of which the queue has a record."""
        return (each for each in self.all_tasks() if not each.ended or each.created_at > END - MINUTE)

    def rows_of_tasks(self) -> Iterator[Row]:
        return map(row_of, self.all_tasks())

    def task_logs(self) -> Iterator[Row]:
        text = "segment 3 of 12 swapped: 250 frames in 4.1 s"
        for each in self.all_tasks():
            for position in range(1, LOG_RECORDS + 1 if each.attempt else 1):
                yield {
                    "task_id": each.id,
                    "position": position,
                    "round": 1,
                    "attempt": 1,
                    "time": each.updated_at,
                    "level": "info",
                    "logger": "facecli.tasks.workflow",
                    "text": text,
                }

    def webhooks(self) -> Iterator[Row]:
        """A fifth of the tasks has one; of ended tasks it was delivered, of others it waits for the end."""
        for number, each in enumerate(self.all_tasks()):
            if number % 5 == 0:
                yield {
                    "task_id": each.id,
                    "url": "https://shop.example/swapped",
                    "round": 1 if each.ended else 0,
                    "attempts": 0,
                    "next_attempt_at": NEVER,
                    "last_error": "",
                    "final_attempts": int(each.ended),
                    "final_error": "",
                }

    def provenance(self) -> Iterator[Row]:
        position, previous = 0, FIRST_PREVIOUS
        for each in self.all_tasks():
            if each.result:
                position, record = position + 1, _record(each)
                sha256 = link(previous, record)
                yield {
                    "position": position,
                    "task_id": each.id,
                    "time": each.updated_at,
                    "record": record,
                    "previous": previous,
                    "sha256": sha256,
                }
                previous = sha256

    def _upload(self, number: int, upload_id: str) -> Upload:
        owner, created = self.owner(number), END - SPACING * (self.uploads - number)
        image, incomplete = number % 2 == 1, number % 100 == 99
        name = f"face {number % 1000}.jpg" if image else f"IMG_{number % 10_000:04}.mp4"
        if owner == LARGE and number % 20 == 0:
            name = NAME
        size = 200_000 + number % 1000 if image else 2 * CHUNK_SIZE + 1_000_000 + number
        chunks = -(-size // CHUNK_SIZE)
        stored = 0 if incomplete else chunks
        return upload(
            id=upload_id,
            blob_key=f"uploads/{upload_id}",
            owner=owner,
            name=name,
            file_type=FileType.IMAGE if image else FileType.VIDEO,
            size=size,
            chunk_size=CHUNK_SIZE,
            total_chunks=chunks,
            fingerprint=number * 2654435761 % 2**32,
            status=UploadStatus.INCOMPLETE if incomplete else UploadStatus.COMPLETED,
            epoch=1,
            stored_bytes=0 if incomplete else size,
            stored_chunks=stored,
            crc32c=None if incomplete else number,
            created_at=created,
            updated_at=created + 5,
            expires_at=END + number if incomplete else created + 604_800,
        )

    def _task(self, number: int, task_id: str) -> Task:
        created = END - SPACING * self.uploads * (self.tasks - number) / self.tasks
        face, video = (self.upload_ids[(5 * number + each) % self.uploads] for each in (1, 2))
        new = task(
            id=task_id,
            owner=self.owner(number),
            engine=ENGINES[number % 3 % 2],
            engine_version="1.0",
            options={"likeness": "0.5"},
            image_id=face,
            video_id=video,
            image_url=f"/uploads/{face}/face%20{number % 1000}.jpg",
            video_url=f"/uploads/{video}/IMG_{number % 10_000:04}.mp4",
            key=f"order-{number}" if number % 3 else None,
            created_at=created,
            updated_at=created,
            labels=Labels(producer="facecli", text=LabelText.ENGLISH, frames=LabelFrames.ALL),
        )
        started = self.tasks - self.waiting - self.running
        if number >= started + self.running:
            return new
        begun = replace(new, revision=20, attempt=1, frames=250, frames_done=250, updated_at=created + 60)
        if number >= started:
            return replace(
                begun,
                status=TaskStatus.PROCESSING,
                progress=40,
                stage="swapping",
                run=task_id[::-1],
                worker=f"worker-{number - started:012}",
            )
        match number % 50:
            case 48:
                return replace(begun, status=TaskStatus.CANCELLED)
            case 49:
                message = "the video has no frames"
                return replace(
                    begun, status=TaskStatus.FAILED, error_reason="MEDIA_REFUSED", error_message=message
                )
        output = f"outputs/{task_id}/{task_id[::-1]}"
        return replace(
            begun,
            status=TaskStatus.COMPLETED,
            progress=100,
            result=Result(blob_key=output, size=20_000_000 + number, crc32c=number),
            sheet=Result(blob_key=f"{output}.sheet", size=100_000, crc32c=number),
            figures=SwapFigures(),
        )


def _record(of: Task) -> str:
    files = [
        RecordedFile(role=role, size=20_000_000, sha256="0" * 64, upload_id=each, name=NAME)
        for role, each in (("face", of.image_id), ("video", of.video_id))
    ]
    return provenance_record(
        of,
        now=of.updated_at,
        engine_version="1.0",
        weights={"detector": "0" * 64},
        inputs=files,
        output=RecordedFile(role="result", size=20_000_000, sha256="0" * 64),
        signer=None,
    )


def _ids(number: int, *, seed: int) -> list[str]:
    numbers = random.Random(seed)
    return [f"{numbers.getrandbits(128):032x}" for _ in range(number)]
