"""tuspy, a tus client that others wrote, against a server that is killed."""

import hashlib
import io
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed
from tusclient.uploader.uploader import Uploader

from facecli.chaos.faults import Faults, Span
from facecli.chaos.proxy import Proxy
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.files import sha256
from tests.support.e2e.fsck import check_whole
from tests.support.sockets import reserved_address
from tests.support.web.http_client import ask

PART = 700_001  # bytes of a PATCH; no multiple of a chunk


def test_tuspy_goes_on_after_kills_of_the_server(serve: Serve, file: MakeFile) -> None:
    path = file(3)
    with reserved_address() as address:
        server = serve(options=["--workers", "0", "--http", address])
        upload = uploader(address, path)
        for parts in (1, 3):
            upload.upload(stop_at=parts * PART)
            server.kill()
            server.start()
            answered = upload.offset
            upload = uploader(address, path, url=upload.url)
            assert upload.offset == answered == parts * PART
        with Proxy(address, faults=Faults(flip=Span(low=PART // 2, high=PART // 2))) as proxy:
            damaged = uploader(proxy.address, path, url=str(upload.url).replace(address, proxy.address))
            with pytest.raises(TusUploadFailed) as refused:
                damaged.upload()
        assert (refused.value.status_code, upload.get_offset()) == (460, upload.offset)
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
