"""Uploads as database rows, and back."""

from typing import Any

from sqlalchemy import RowMapping

from facecli.metadata.tables import uploads
from facecli.uploads.upload import FileType, Upload, UploadStatus


def row_of(upload: Upload) -> dict[str, Any]:
    return {column.name: getattr(upload, column.name) for column in uploads.c}


def upload_of(row: RowMapping) -> Upload:
    enums = {"file_type": FileType(row["file_type"]), "status": UploadStatus(row["status"])}
    return Upload(**{**row, **enums})
