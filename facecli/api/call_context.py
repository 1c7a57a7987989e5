"""The context of one call: request id, caller, and the uploads and tasks it is about."""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from facecli.api.authentication import ANONYMOUS_USER, Authenticator, Caller, Credentials
from facecli.core.auth import Principal
from facecli.core.errors import FacecliError, Unauthenticated
from facecli.core.events import BytesSent, CallEnded, CallRefused, EventBus
from facecli.tasks.task import Origin
from facecli.telemetry.traces.spans import NO_TRACER, Tracer

MAX_NAME = 100  # characters of a user or an id in an event; a client can send one as long as a message

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """A call as its transport reports it. `changes` is whether the method can change anything."""

    method: str
    changes: bool
    peer: str
    connected: Callable[[], bool]
    traceparent: str = ""  # of the client


class CallContext:
    """One call over any transport. Publishes CallEnded and CallRefused.

    Safe to use from the threads of one call.
    """

    def __init__(
        self,
        incoming: IncomingCall,
        *,
        authenticator: Authenticator,
        events: EventBus,
        tracer: Tracer = NO_TRACER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.request_id = uuid.uuid4().hex[:12]
        self.method = incoming.method
        self._incoming = incoming
        self._authenticator = authenticator
        self._events = events
        self._clock = clock
        self._started = clock()
        self.span = tracer.start(
            self.method.removeprefix("/"),
            parent=incoming.traceparent,
            request=self.request_id,
        )
        self._caller: Caller | None = None
        self._claimed: str | None = None  # the first user_id that a message sent
        self._subjects: dict[tuple[str, str], None] = {}

    @property
    def origin(self) -> Origin:
        """This call, as the one that creates a task."""
        return Origin(request_id=self.request_id, traceparent=self.span.traceparent)

    @property
    def caller(self) -> Caller:
        if self._caller is None:
            raise Unauthenticated
        return self._caller

    @property
    def authenticated_user(self) -> str:
        """Empty where names are trusted."""
        return self.caller.authenticated_user

    @property
    def proven_user(self) -> str:
        """The user that credentials prove; empty for anonymous callers and where names are trusted."""
        return self._caller.authenticated_user if self._caller else ""

    @property
    def peer(self) -> str:
        """The address of the client."""
        return self._incoming.peer

    def authenticate(self, credentials: Credentials) -> None:
        self._caller = self._authenticator.authenticate(credentials)

    def restore(self, principal: Principal | None) -> None:
        """Authenticate the call by a signed link."""
        self._caller = self._authenticator.restore(principal)

    def user(self, claimed: str) -> str:
        """The user that the call acts for, given the `user_id` of a message; NotAllowed for another one."""
        self.claims(claimed)
        return self.caller.user(claimed)

    def declarer(self, claimed: str) -> str:
        """The user who answers for what the call declares, also if it acts for another one."""
        user = self.user(claimed)
        return self.authenticated_user or user

    def reader(self, claimed: str = "") -> str | None:
        """The owner to filter reads by; None for any owner."""
        if claimed:
            return self.user(claimed)
        return self.caller.reader()

    def active(self) -> bool:
        """Whether the client is still connected; Unauthenticated once its token is revoked or expired."""
        self._authenticator.recheck(self.caller)
        return self._incoming.connected()

    def claims(self, user: str) -> None:
        """Note the `user_id` of a message for the audit log, before anything can fail."""
        self._claimed = self._claimed or user[:MAX_NAME]

    def concerns(self, kind: str, subject_id: str) -> None:
        """Name an upload or a task that the call is about, before anything can fail."""
        if subject_id:
            self._subjects[kind, subject_id[:MAX_NAME]] = None

    def sent(self, size: int) -> None:
        """Report that so many bytes of a file are on their way to the client."""
        self._events.publish(BytesSent(size=size))

    def refuse(self, error: FacecliError) -> None:
        """Report that the call ends with this error."""
        self._events.publish(
            CallRefused(
                request_id=self.request_id, method=self.method, user=self._user(), reason=error.reason
            )
        )

    def end(self, outcome: str) -> None:
        """Report the end of the call; `outcome` is the name of its status."""
        self.span.end(error="" if outcome == "OK" else outcome, outcome=outcome)
        user, claimed = self._user(), self._claimed or ""
        self._events.publish(
            CallEnded(
                request_id=self.request_id,
                method=self.method,
                changes=self._incoming.changes,
                user=user,
                acting_for=claimed if user and claimed != user else "",
                outcome=outcome,
                seconds=self._clock() - self._started,
                peer=self.peer,
                subjects=self._named_subjects(),
            )
        )

    def _named_subjects(self) -> tuple[tuple[str, str], ...]:
        """Subjects, without those that an unauthenticated caller could use to write text to a log."""
        subjects = tuple(self._subjects)
        if self._caller is None:
            return tuple((kind, subject_id) for kind, subject_id in subjects if _ID.fullmatch(subject_id))
        return subjects

    def _user(self) -> str:
        """The authenticated user; the name that was sent where names are trusted; else empty."""
        if self._caller is None or (self._caller.trusted and self._claimed is None):
            return ""
        return self._caller.authenticated_user or self._claimed or ANONYMOUS_USER
