"""Uploads of a client."""

from collections.abc import Iterator

from facecli.client.transfers import SentUpload
from facecli.library.limits import CallSessions
from facecli.uploads.upload import upload_id_of
from facecli.uploads.view import UploadView

FileReference = UploadView | SentUpload | str


class Uploads:
    """The user's uploads on the server. An upload is named by its ID or URL, or by the object itself."""

    def __init__(self, sessions: CallSessions) -> None:
        self._sessions = sessions

    def list(self) -> Iterator[UploadView]:
        """Yield the user's uploads, complete or not, newest first."""
        return self._sessions.short().uploads.listed()

    def get(self, upload: FileReference) -> UploadView:
        """Return the current state of an upload; UploadNotFound if there is none."""
        return self._sessions.short().uploads.get(_id(upload))

    def delete(self, upload: FileReference) -> None:
        """Delete an upload and its bytes, complete or not."""
        self._sessions.short().uploads.cancel(_id(upload))


def url(file: FileReference) -> str:
    return file if isinstance(file, str) else file.file_url


def _id(upload: FileReference) -> str:
    text = url(upload)
    return upload_id_of(text) if text.startswith("/") else text
