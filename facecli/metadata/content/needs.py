"""Uploads that unfinished tasks need."""

from sqlalchemy import CompoundSelect, Text, cast, select, text, union_all

from facecli.metadata.content.partial_index import NAMES_UPLOAD, UNFINISHED
from facecli.metadata.tables import tasks, uploads


def tasks_that_need(upload_id: str) -> CompoundSelect[str]:
    """The ids of its owner's unfinished tasks that read it, each by an index of few rows.

    OR would lead the database through all unfinished tasks of the owner.
    """
    owner = select(uploads.c.owner).where(uploads.c.id == upload_id).scalar_subquery()
    own = select(tasks.c.id).where(tasks.c.owner == owner, text(UNFINISHED))
    named = cast(tasks.c.options, Text).contains(f"/uploads/{upload_id}/", autoescape=True)
    return union_all(
        own.where(tasks.c.image_id == upload_id),
        own.where(tasks.c.video_id == upload_id),
        own.where(text(NAMES_UPLOAD), named),
    )
