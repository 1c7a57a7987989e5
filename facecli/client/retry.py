"""The error policy of uploads: one pure decision for each error that ends a stream.

Theory of operation. Many files share a stream, so an error may be about the connection, about all files or
about one of them. Connection errors are retried with backoff for as long as the retry budget lasts; the
server keeps the stored chunks, so a retry is idempotent and sends only what is missing. That holds from the
first call on: a server may be restarting when the command begins. An error that every file would meet stops
the command. Any other error concerns one file: it fails alone if the server names it,
or else the files are sent one by one until it is known. A quota is met by a batch as a whole, so its files
are tried one by one, too. A file whose upload another client has taken over is left to that client.
"""

from enum import Enum, auto

from facecli.core.errors import (
    FacecliError,
    IdleTooLong,
    NotAllowed,
    PolicyRefused,
    QuotaReached,
    TakenOver,
    TimedOut,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)

STREAM_BREAKS = (Unavailable, IdleTooLong)
# Every other file would fail alike.
_FATAL = (Unavailable, Unauthenticated, NotAllowed, PolicyRefused, TimedOut, UnexpectedResponse)


class Action(Enum):
    """The reaction to an error while a batch of files is sent."""

    RENEW_TOKEN = auto()  # continue at once, with the token that replaced the refused one
    SEND_ONE_BY_ONE = auto()
    WAIT_AND_RETRY = auto()
    STOP = auto()  # give up all files
    LEAVE_FILE = auto()  # to the other client that uploads it, while that makes progress
    FAIL_FILE = auto()  # give up the one file that the error is about


def decide(error: FacecliError, *, batch_size: int, token_renewed: bool, names_file: bool) -> Action:
    """The action after an error.

    `token_renewed` is whether there is a newer token than the refused one, and `names_file` whether the error
    names the file that it is about.
    """
    if isinstance(error, Unauthenticated) and token_renewed:
        return Action.RENEW_TOKEN
    if isinstance(error, QuotaReached) and batch_size > 1:
        return Action.SEND_ONE_BY_ONE
    if error.retryable:
        return Action.WAIT_AND_RETRY
    if isinstance(error, _FATAL):
        return Action.STOP
    if isinstance(error, TakenOver) and names_file:
        return Action.LEAVE_FILE
    return Action.FAIL_FILE if names_file else Action.SEND_ONE_BY_ONE
