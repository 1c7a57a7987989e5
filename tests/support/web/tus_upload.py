"""An upload by tus, one PATCH at a time, to a server that may lose its process or its power between them."""

import hashlib

from facecli.api.offset_uploads import CHUNK_SIZE
from tests.support.e2e.files import MIB
from tests.support.web.http_client import Answer, Headers, ask
from tests.support.web.tus import BODY_TYPE, encoded

FIRST = 1000  # bytes that come with the creation
PART = CHUNK_SIZE + MIB // 2  # of a PATCH: a chunk, and a tail that is committed without one


class TusUpload:
    """An upload by tus that has begun; `answered` is the last offset that the server answered."""

    def __init__(self, url: str, data: bytes) -> None:
        self._url = url
        self._data = data
        headers = {
            "upload-length": str(len(data)),
            "upload-metadata": f"filename {encoded('clip.mp4')}",
            "content-type": BODY_TYPE,
        }
        created = self._ask("POST", "/files/", data[:FIRST], headers)
        self.path = str(created.headers["location"])
        self.answered = int(created.headers["upload-offset"])

    def send(self) -> None:
        """Make one PATCH."""
        body = self._data[self.answered : self.answered + PART]
        headers = {"upload-offset": str(self.answered), "content-type": BODY_TYPE}
        self.answered = int(self._ask("PATCH", self.path, body, headers).headers["upload-offset"])

    def send_all(self) -> None:
        while self.answered < len(self._data):
            self.send()

    def offset(self) -> int:
        return int(self._ask("HEAD", self.path).headers["upload-offset"])

    def sha256(self) -> str:
        stored = self._ask("HEAD", self.path).headers["upload-file-url"]
        return hashlib.sha256(ask(self._url, str(stored)).body).hexdigest()

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Headers | None = None
    ) -> Answer:
        sent = {"tus-resumable": "1.0.0", **(headers or {})}
        answer = ask(self._url, path, method=method, headers=sent, body=body)
        assert answer.status in {200, 201, 204}, answer
        return answer
