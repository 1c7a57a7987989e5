"""An empty storage and an upload service on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.uploads.service import UploadService
from tests.support.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


@pytest.fixture
def upload_service(storage: Storage) -> UploadService:
    return storage.upload_service()
