"""Authentication: turns credentials into a caller, and decides for which user a call acts."""

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.api.links import LINK_HINT
from facecli.core.auth import Principal, Tokens, checked_user, is_token
from facecli.core.errors import InvalidInput, NotAllowed, Unauthenticated

MAX_CLAIMED = 255  # characters of a user_id
ANONYMOUS_USER = "local"  # the user of calls that send no name, where names are trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials of a client: a bearer token if any, and the names in its verified certificate."""

    token: str | None = None
    certificate_names: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated principal of a call; None on a server that trusts the names that clients send."""

    principal: Principal | None

    @property
    def trusted(self) -> bool:
        """Whether any name that the client sends is taken for the user."""
        return self.principal is None

    @property
    def authenticated_user(self) -> str:
        """Empty where names are trusted."""
        return self.principal.user if self.principal else ""

    def user(self, claimed: str) -> str:
        """The user that the call acts for, given the `user_id` of its message.

        NotAllowed when it claims another user, unless the caller is an admin. InvalidInput for a name that is
        too long to be stored with every upload and task.
        """
        if len(claimed) > MAX_CLAIMED:
            raise InvalidInput(f"user_id has {len(claimed)} characters, and may have {MAX_CLAIMED}")
        if self.principal is None:
            return claimed or ANONYMOUS_USER
        if claimed and claimed != self.principal.user and not self.principal.admin:
            raise NotAllowed(f"you are {self.principal.user}, not {claimed}; leave --user (user_id) out")
        return claimed or self.principal.user

    def reader(self, claimed: str = "") -> str | None:
        """The owner to filter reads by; None for any owner.

        The app's read calls send no name: where names are trusted, and for an admin, an
        unguessable id is enough.
        """
        if not claimed and (self.principal is None or self.principal.admin):
            return None
        return self.user(claimed)


class Authenticator:
    """Checks credentials. Without `tokens` it trusts every name and requires none."""

    def __init__(self, tokens: Tokens | None) -> None:
        self._tokens = tokens

    def authenticate(self, credentials: Credentials) -> Caller:
        """The caller; Unauthenticated without valid credentials. A token takes precedence."""
        if self._tokens is None:
            return Caller(principal=None)
        if credentials.token is not None:
            return Caller(principal=self._tokens.authenticate(credentials.token))
        name = next(filter(None, credentials.certificate_names), None)
        if name is None:
            raise Unauthenticated
        try:
            return Caller(principal=Principal(user=checked_user(name.decode())))
        except (UnicodeDecodeError, InvalidInput) as error:
            raise Unauthenticated("the name in the certificate is not a valid user name") from error

    def restore(self, principal: Principal | None) -> Caller:
        """The caller that a signed link stands for; Unauthenticated once its token is revoked or expired."""
        if self._tokens is None:
            return Caller(principal=None)
        if principal is None:
            raise Unauthenticated("this link was made when the server required no token", hint=LINK_HINT)
        caller = Caller(principal=principal)
        self.recheck(caller)
        return caller

    def rejects(self, token: str | None) -> bool:
        """Whether a token, or its absence, is refused whatever the database says."""
        return self._tokens is not None and (token is None or not is_token(token))

    def recheck(self, caller: Caller) -> None:
        """Unauthenticated once the caller's token is revoked or expired."""
        if self._tokens and caller.principal and caller.principal.token_id:
            self._tokens.check(caller.principal.token_id)
