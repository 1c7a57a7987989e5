"""Creation of uploads, and the search for an upload to resume.

Idempotency: beginning the same file again returns its existing upload, complete or not.
"""

import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress

from facecli.core.errors import DiskFull, InvalidInput, NotReady, UploadNotFound
from facecli.core.events import EventBus, UploadCreated, UploadResumed
from facecli.core.expiry_clock import ExpiryClock
from facecli.uploads.admission import UploadAdmission
from facecli.uploads.committer import ChunkCommitter
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, NewUpload, Upload, blob_keys

UploadWithChunks = tuple[Upload, list[Chunk]]


class UploadRegistry:
    """Creates uploads, and finds the ones to resume."""

    def __init__(
        self,
        open_uploads: OpenUploads,
        *,
        repository: UploadRepository,
        committer: ChunkCommitter,
        admission: UploadAdmission,
        expiry_clock: ExpiryClock,
        events: EventBus,
    ) -> None:
        self._open_uploads = open_uploads
        self._repository = repository
        self._committer = committer
        self._admission = admission
        self._expiry_clock = expiry_clock
        self._events = events

    def begin(self, new: NewUpload, *, fresh: bool, upload_id: str) -> UploadWithChunks:
        """The upload to resume and its stored chunks; a new one when none fits or `fresh` asks for it."""
        self._admission.check_size(new)
        new = self._admission.fitted(new)
        stored = None if fresh or upload_id else self._repository.find(new)
        (existing,) = self._resumed([stored])
        if existing is None:
            upload = self._created(new, upload_id or new_upload_id())
            return self._inserted([upload], set() if fresh or upload_id else {upload.id})[upload.id]
        self._publish_resumed(existing[0])
        return existing

    def begin_all(self, requested: Sequence[tuple[NewUpload, bool]]) -> list[UploadWithChunks]:
        """`begin` for many, each with its `fresh`; all or none, the new ones in one commit."""
        for new, _ in requested:
            self._admission.check_size(new)
        requested = [(self._admission.fitted(new), fresh) for new, fresh in requested]
        results: list[UploadWithChunks | NewUpload] = []
        created: dict[NewUpload, Upload] = {}
        reusable = set[str]()
        stored = iter(
            self._resumed(self._repository.find_all([new for new, fresh in requested if not fresh]))
        )
        for new, fresh in requested:
            existing = None if fresh else next(stored)
            if existing is None or new in created:
                created[new] = created.get(new) or self._created(new, new_upload_id())
                if not fresh:
                    reusable.add(created[new].id)
                results.append(new)
            else:
                self._publish_resumed(existing[0])
                results.append(existing)
        inserted = self._inserted(list(created.values()), reusable) if created else {}
        return [
            inserted[created[result].id] if isinstance(result, NewUpload) else result for result in results
        ]

    def resume(self, upload_id: str, *, owner: str) -> UploadWithChunks:
        """An upload of this owner as it is once all that was received is stored; UploadNotFound."""
        (existing,) = self._resumed([self._repository.get(upload_id, owner=owner)])
        if existing is None:
            raise UploadNotFound(f"there is no upload {upload_id}")
        return existing

    def fix_size(self, upload_id: str, *, owner: str, size: int) -> None:
        """Set the size of an upload that began without one.

        InvalidInput for another size than before, or less than is stored; NotReady while somebody writes.
        """
        upload = self._repository.get(upload_id, owner=owner)
        if upload.size is None:
            self._admission.check_file(upload.name, size)
            with self._open_uploads.exclusive(upload_id) as file:
                if file:
                    file.revoke_writer()
                    raise NotReady(f"another request still writes to {upload.name}; try again")
                upload = self._repository.get(upload_id)
                if size < max(1, upload.stored_bytes):
                    raise InvalidInput(f"{upload.name} has {upload.stored_bytes} bytes already, not {size}")
                self._open_uploads.forget_fresh(upload_id)
                self._repository.fix_size(upload_id, size=size, total_chunks=-(-size // upload.chunk_size))
        elif upload.size != size:
            raise InvalidInput(f"{upload.name} has {upload.size} bytes; its size cannot change to {size}")

    def _created(self, new: NewUpload, upload_id: str) -> Upload:
        now = self._expiry_clock.now()
        return Upload.begun(
            new,
            upload_id=upload_id,
            blob_key=blob_keys(upload_id)[0],
            now=now,
            expires_at=self._expiry_clock.expires_at(now),
        )

    def _inserted(self, new: Sequence[Upload], reusable: Collection[str]) -> dict[str, UploadWithChunks]:
        """Insert new rows; return each, or the upload that another client began meanwhile, by the new ID.

        The blobs are created when the first writer opens them.
        """
        with self._admission.admitted(new) as admit:
            stored = self._repository.insert(new, admit=admit, reusable=reusable)
        added = {upload.id for upload in new}
        self._expiry_clock.touch(upload.id for upload in stored)
        results = dict[str, UploadWithChunks]()
        for upload, result in zip(new, stored, strict=True):
            if result.id in added:
                self._open_uploads.add_fresh(result)
                self._events.publish(UploadCreated(upload_id=result.id, owner=result.owner, size=result.size))
                results[upload.id] = result, []
            else:
                self._publish_resumed(result)
                results[upload.id] = self._with_chunks(result)
        return results

    def _publish_resumed(self, upload: Upload) -> None:
        if not upload.completed:
            resumed = UploadResumed(upload_id=upload.id, owner=upload.owner, stored=upload.stored_bytes)
            self._events.publish(resumed)

    def _resumed(self, uploads: Sequence[Upload | None]) -> list[UploadWithChunks | None]:
        """The current state of each upload, with its stored chunks and a new expiry; None for a deleted one.

        Waits for chunks received before a disconnect to be stored, so that no client sends them again.
        """
        unfinished = [upload.id for upload in uploads if upload and not upload.completed]
        self._open_uploads.settle(unfinished)
        self._expiry_clock.touch(unfinished)
        current = {upload.id: upload for upload in uploads if upload and upload.completed}
        if unfinished:
            current |= {upload.id: upload for upload in self._prolonged(unfinished)}
        return [
            self._with_chunks(current[upload.id]) if upload and upload.id in current else None
            for upload in uploads
        ]

    def _prolonged(self, upload_ids: Sequence[str]) -> Sequence[Upload]:
        """These uploads with a new expiry, if there is room for it, so that a full disk hides no upload."""
        expires_at = self._expiry_clock.expires_at(self._expiry_clock.now())
        try:
            return self._repository.prolong(upload_ids, expires_at=expires_at)
        except DiskFull:
            known = list[Upload]()
            for each in upload_ids:
                with suppress(UploadNotFound):
                    known.append(self._repository.get(each))
            return known

    def _with_chunks(self, upload: Upload) -> UploadWithChunks:
        chunks = list(self._repository.chunks(upload.id))
        all_stored = len(chunks) == upload.total_chunks
        if not upload.completed and (all_stored or self._open_uploads.is_doubtful(upload.id)):
            with self._open_uploads.opened(upload.id) as file:
                upload = self._committer.completed(file)
            chunks = list(self._repository.chunks(upload.id))
        return upload, chunks


def new_upload_id() -> str:
    return uuid.uuid4().hex
