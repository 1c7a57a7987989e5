"""tuspy, a tus client that others wrote, against a server that is killed."""

import hashlib
import io
import socket
from pathlib import Path

from tusclient.client import TusClient
from tusclient.uploader.uploader import Uploader

from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.files import sha256
from tests.support.e2e.fsck import check_whole
from tests.support.web.http_client import ask

PART = 700_001  # bytes of a PATCH; no multiple of a chunk


def test_tuspy_goes_on_after_kills_of_the_server(serve: Serve, file: MakeFile) -> None:
    path = file(3)
    with socket.socket() as reserved:  # for the same port after a restart
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        server = serve(options=["--workers", "0", "--http", address])
        upload = uploader(address, path)
        for parts in (1, 3):
            upload.upload(stop_at=parts * PART)
            server.kill()
            server.start()
            answered = upload.offset
            upload = uploader(address, path, url=upload.url)
            assert upload.offset == answered == parts * PART
        upload.upload()
        upload_id = str(upload.url).rpartition("/")[2]
        found = ask(f"http://{address}", f"/uploads/{upload_id}/{path.name}")
        assert hashlib.sha256(found.body).hexdigest() == sha256(path)
        server.terminate()
    check_whole(server)


def uploader(address: str, path: Path, *, url: str | None = None) -> Uploader:
    client = TusClient(f"http://{address}/files/")
    metadata = {"filename": path.name}
    return client.uploader(
        file_stream=io.BytesIO(path.read_bytes()),
        url=url,
        chunk_size=PART,
        metadata=metadata,
        upload_checksum=True,
    )
