"""Whose call it is: the one place that knows, from what was proved and from the message's user_id."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.core.auth import Principal, Tokens, checked_user
from facecli.core.errors import InvalidInput, NotAllowed, Unauthenticated

ANONYMOUS_USER = "local"  # whose things they are where names are believed and none is said


class Caller:
    """Who is behind one call. Without a `principal` every name is believed."""

    def __init__(
        self, context: grpc.ServicerContext, principal: Principal | None, tokens: Tokens | None
    ) -> None:
        self.principal = principal
        self._context = context
        self._tokens = tokens

    @property
    def proved(self) -> str:
        """The user that was proved; empty where names are believed."""
        return self.principal.user if self.principal else ""

    def user(self, said: str) -> str:
        """Whose things the call is about, given the user_id of its message.

        NotAllowed when that is somebody else's, except that an admin acts for others.
        """
        if self.principal is None:
            return said or ANONYMOUS_USER
        if said and said != self.principal.user and not self.principal.admin:
            raise NotAllowed(f"you are {self.principal.user}, not {said}; leave --user (user_id) out")
        return said or self.principal.user

    def reader(self, said: str = "") -> str | None:
        """The same for calls in which the app names nobody: None for anybody's things.

        An id that nobody can guess is then enough where names are believed, and for an admin.
        """
        if not said and (self.principal is None or self.principal.admin):
            return None
        return self.user(said)

    def active(self) -> bool:
        """Whether the call goes on; Unauthenticated once its token does not hold any more."""
        if self.principal and self.principal.token_id and self._tokens:
            self._tokens.check(self.principal.token_id)
        return self._context.is_active()


class Callers:
    """Everybody with a call that runs. Without `tokens` nobody has to prove anything."""

    def __init__(self, tokens: Tokens | None) -> None:
        self.tokens = tokens
        self._known: dict[grpc.ServicerContext, Caller] = {}

    @contextmanager
    def met(self, context: grpc.ServicerContext) -> Iterator[None]:
        """While a call runs. Unauthenticated, before the stream is read, for who shows nothing that holds."""
        principal = self._principal(context, self.tokens) if self.tokens else None
        self._known[context] = Caller(context, principal, self.tokens)
        try:
            yield
        finally:
            del self._known[context]

    def of(self, context: grpc.ServicerContext) -> Caller:
        return self._known[context]

    def _principal(self, context: grpc.ServicerContext, tokens: Tokens) -> Principal:
        """A token says more than the certificate of who carries it."""
        scheme, _, text = str(dict(context.invocation_metadata()).get("authorization", "")).partition(" ")
        if scheme.lower() == "bearer":
            return tokens.principal(text.strip())
        # gRPC asks for certificates, and names one here, only when it checked it against our authority.
        shown = context.auth_context()
        names = (*shown.get("x509_common_name", ()), *shown.get("x509_subject_alternative_name", ()))
        name = next(filter(None, names), None)
        if name is None:
            raise Unauthenticated
        try:
            return Principal(user=checked_user(bytes(name).decode()))
        except (UnicodeDecodeError, InvalidInput) as error:
            raise Unauthenticated("the name in the certificate cannot be a user") from error
