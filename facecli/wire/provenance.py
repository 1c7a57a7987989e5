"""Converts terms and provenance records to protobuf messages and back."""

import json
from typing import Any

from facecli.core.errors import UnexpectedResponse
from facecli.tasks.provenance.chain import ChainedRecord, link
from facecli.tasks.provenance.terms import NO_TERMS, Consent, Terms
from facecli.wire.generated import task_service_pb2 as pb

MAX_DEPTH = 8  # of objects in each other
MAX_RECORD = 256 * 1024  # characters; the options of a task have at most 16 KiB


def to_terms_message(terms: Terms) -> pb.Terms | None:
    """None for no terms, which every server understands."""
    if terms.content == NO_TERMS.content:
        return None
    consent = terms.consent
    return pb.Terms(
        label_waiver=terms.waiver,
        consent=pb.Consent(sha256=consent.sha256, kind=consent.kind, name=consent.name) if consent else None,
    )


def terms_from_message(message: pb.Terms, *, by: str) -> Terms:
    """InvalidInput for a consent without a hash."""
    consent = None
    if message.HasField("consent"):
        given = message.consent
        consent = Consent(sha256=given.sha256, kind=given.kind, name=given.name)
    terms = Terms(waiver=message.label_waiver, consent=consent)
    terms.check()
    return terms if terms == NO_TERMS else Terms(waiver=terms.waiver, consent=consent, by=by)


def to_message(record: ChainedRecord) -> pb.GetProvenanceResponse:
    return pb.GetProvenanceResponse(
        record=record.record,
        position=record.position,
        previous_sha256=record.previous,
        sha256=record.sha256,
    )


def from_message(message: pb.GetProvenanceResponse, *, task_id: str) -> ChainedRecord:
    """The record of this task; UnexpectedResponse if it is none, or its hash is wrong."""
    if len(message.record) > MAX_RECORD:
        raise UnexpectedResponse(f"a provenance record of {len(message.record)} characters")
    try:
        found = json.loads(message.record)
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponse("a provenance record that is no JSON") from error
    if not _is_record(found):
        raise UnexpectedResponse("a provenance record of another form")
    if message.sha256 != link(message.previous_sha256, message.record):
        raise UnexpectedResponse("a provenance record with a wrong hash")
    return ChainedRecord(
        position=message.position,
        task_id=task_id,
        time=0.0,
        record=message.record,
        previous=message.previous_sha256,
        sha256=message.sha256,
    )


def _is_record(found: Any) -> bool:
    """Whether JSON is an object of bounded depth, and its waiver and consent are objects, if any."""
    if not isinstance(found, dict) or not _is_shallow(found, MAX_DEPTH):
        return False
    return all(isinstance(found.get(name) or {}, dict) for name in ("waiver", "consent"))


def _is_shallow(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(each, depth - 1) for each in inner)
