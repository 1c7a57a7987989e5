"""Converts the logs of tasks to protobuf messages and back."""

from facecli.core.errors import UnexpectedResponse
from facecli.tasks.logs.record import TaskLog, TaskLogRecord
from facecli.wire import responses
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.uploads import timestamp


def to_message(log: TaskLog) -> pb.ListTaskLogsResponse:
    """At most 200 records of 2,000 characters: 1.6 MB, below the 4 MB that gRPC clients take by default."""
    return pb.ListTaskLogsResponse(
        records=[
            pb.TaskLogRecord(
                time=timestamp(record.time),
                level=record.level,
                logger=record.logger,
                text=record.text,
                round=record.round,
                attempt=record.attempt,
            )
            for record in log.records
        ],
        dropped=log.dropped,
    )


def from_message(message: pb.ListTaskLogsResponse) -> TaskLog:
    """The log; UnexpectedResponse for a message that no server of this protocol sends."""
    if len(message.records) > responses.MAX_ITEMS:
        raise UnexpectedResponse(f"a log of {len(message.records)} records")
    return TaskLog(
        records=[_record(record) for record in message.records],
        dropped=responses.amount(message.dropped, "number of dropped records"),
    )


def _record(message: pb.TaskLogRecord) -> TaskLogRecord:
    return TaskLogRecord(
        time=responses.seconds(message.time, "time"),
        level=responses.word(message.level),
        logger=responses.word(message.logger),
        text=responses.text(message.text),
        round=max(0, message.round),
        attempt=max(0, message.attempt),
    )
