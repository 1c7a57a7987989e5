"""The error policy of uploads, as a table."""

import pytest

from facecli.client.retry import Action, decide
from facecli.core.errors import (
    BytesDiffer,
    FacecliError,
    IdleTooLong,
    InvalidInput,
    LimitReached,
    MisconfiguredConnection,
    NotAllowed,
    PolicyRefused,
    QuotaReached,
    ServerUnreachable,
    TakenOver,
    TimedOut,
    TooManyCalls,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)

ALONE = {"batch_size": 1, "names_file": True}
BATCH = {"batch_size": 9, "names_file": False}
NAMED = {"batch_size": 9, "names_file": True}

TABLE = [
    (Unavailable(), BATCH, Action.WAIT_AND_RETRY),
    (TimedOut(), BATCH, Action.STOP),
    (IdleTooLong(), BATCH, Action.WAIT_AND_RETRY),
    (TooManyCalls(retry_after=1), BATCH, Action.WAIT_AND_RETRY),
    (TooManyCalls(), BATCH, Action.SEND_ONE_BY_ONE),
    (TakenOver(), NAMED, Action.LEAVE_FILE),
    (TakenOver(), BATCH, Action.SEND_ONE_BY_ONE),
    (ServerUnreachable(), BATCH, Action.WAIT_AND_RETRY),
    (MisconfiguredConnection(), BATCH, Action.STOP),
    (UnexpectedResponse(), NAMED, Action.STOP),
    (Unauthenticated(), ALONE, Action.STOP),
    (Unauthenticated(), {**ALONE, "token_renewed": True}, Action.RENEW_TOKEN),
    (NotAllowed(), NAMED, Action.STOP),
    (PolicyRefused(), BATCH, Action.STOP),
    (QuotaReached(retry_after=30), BATCH, Action.SEND_ONE_BY_ONE),
    (QuotaReached(retry_after=30), NAMED, Action.SEND_ONE_BY_ONE),
    (QuotaReached(retry_after=30), ALONE, Action.WAIT_AND_RETRY),
    (QuotaReached(), ALONE, Action.FAIL_FILE),
    (LimitReached(), ALONE, Action.FAIL_FILE),
    (InvalidInput("bad"), ALONE, Action.FAIL_FILE),
    (InvalidInput("bad"), NAMED, Action.FAIL_FILE),
    (InvalidInput("bad"), BATCH, Action.SEND_ONE_BY_ONE),
    (BytesDiffer(), NAMED, Action.FAIL_FILE),
    (FacecliError(), BATCH, Action.SEND_ONE_BY_ONE),
]


@pytest.mark.parametrize(
    ("error", "facts", "action"), TABLE, ids=[f"{type(e).__name__}-{a.name}" for e, _, a in TABLE]
)
def test_each_error_has_its_action(error: FacecliError, facts: dict[str, object], action: Action) -> None:
    assert decide(error, **{"token_renewed": False, **facts}) is action  # type: ignore[arg-type]
