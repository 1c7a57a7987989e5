"""Data directories of servers that share one database."""

import logging
from pathlib import Path

import pytest

from facecli.bootstrap.server_storage import open_storage
from facecli.config.settings import Settings


def test_a_second_data_directory_of_a_database_is_a_warning(
    postgresql: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "facecli")
    for name, warned in (("first", []), ("first", []), ("second", [str(tmp_path / "second")])):
        with open_storage(Settings(database=postgresql, data_dir=str(tmp_path / name))):
            pass
        found = [each.data_directory for each in caplog.records if hasattr(each, "data_directory")]
        assert found == warned
