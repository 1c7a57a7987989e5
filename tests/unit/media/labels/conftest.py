"""A directory with a signer and signed files, for all tests here."""

from pathlib import Path

import pytest

from tests.support.media.manifests import make_signed


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manifests")
    make_signed(folder)
    return folder
