"""The error policy of uploads: one pure decision for each error that ends a stream.

Theory of operation. Many files share a stream, so an error may be about the connection, about all files or
about one of them. Connection errors are retried with backoff for as long as the retry budget lasts; the
server keeps the stored chunks, so a retry is idempotent and sends only what is missing. An error that every
file would meet stops the command. Any other error concerns one file: it fails alone if the server names it,
or else the files are sent one by one until it is known. A quota is met by a batch as a whole, so its files
are tried one by one, too.
"""

from enum import Enum, auto

from facecli.core.errors import (
    FacecliError,
    IdleTooLong,
    NotAllowed,
    PolicyRefused,
    QuotaReached,
    ServerUnreachable,
    TimedOut,
    Unauthenticated,
    Unavailable,
)

STREAM_BREAKS = (Unavailable, TimedOut, IdleTooLong)
_FATAL = (ServerUnreachable, Unauthenticated, NotAllowed, PolicyRefused)  # every other file would fail alike


class Action(Enum):
    """The reaction to an error while a batch of files is sent."""

    RENEW_TOKEN = auto()  # continue at once, with the token that replaced the refused one
    SEND_ONE_BY_ONE = auto()
    WAIT_AND_RETRY = auto()
    STOP = auto()  # give up all files
    FAIL_FILE = auto()  # give up the one file that the error is about


def decide(
    error: FacecliError, *, batch_size: int, begun: bool, token_renewed: bool, names_file: bool
) -> Action:
    """The action after an error.

    `begun` is whether the server has accepted any file so far, `token_renewed` whether there is a newer token
    than the refused one, and `names_file` whether the error names the file that it is about.
    """
    if isinstance(error, Unauthenticated) and token_renewed:
        return Action.RENEW_TOKEN
    if isinstance(error, QuotaReached) and batch_size > 1:
        return Action.SEND_ONE_BY_ONE
    if _is_retryable(error, begun=begun):
        return Action.WAIT_AND_RETRY
    if isinstance(error, _FATAL):
        return Action.STOP
    return Action.FAIL_FILE if names_file else Action.SEND_ONE_BY_ONE


def _is_retryable(error: FacecliError, *, begun: bool) -> bool:
    if isinstance(error, ServerUnreachable) and not begun:
        return False  # a wrong address, most likely
    return error.retryable or isinstance(error, STREAM_BREAKS)
