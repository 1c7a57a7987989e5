"""The identity of an upload: the columns by which a client finds its upload again."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_

from facecli.metadata.tables import uploads
from facecli.uploads.upload import NewUpload, Upload

Identity = tuple[object, ...]

_INDEXED = ("owner", "name", "fingerprint", "total_chunks")  # by ix_uploads_same
_COLUMNS = (*_INDEXED, "file_type", "size", "chunk_size")


def identity(upload: NewUpload | Upload) -> Identity:
    return tuple(getattr(upload, name) for name in _COLUMNS)


def same(new: NewUpload) -> list[ColumnElement[bool]]:
    """Conditions of the uploads with this identity; of any size if that is not known."""
    names = (name for name in _COLUMNS if name != "size" or new.size is not None)
    return [_equals(name, new) for name in names]


def same_as_any(new: Sequence[NewUpload | Upload]) -> ColumnElement[bool]:
    """The uploads that the index finds for these; they may differ in the other columns."""
    keys = {tuple(getattr(each, name) for name in _INDEXED): each for each in new}
    return or_(*(and_(*(_equals(name, each) for name in _INDEXED)) for each in keys.values()))


def _equals(name: str, new: NewUpload | Upload) -> ColumnElement[bool]:
    # IS NOT DISTINCT FROM would not use the index of PostgreSQL.
    column, value = uploads.c[name], getattr(new, name)
    return column.is_(None) if value is None else column == value
