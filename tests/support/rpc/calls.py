"""Calls without a network: a call context, and a gRPC context whose client stays connected."""

import grpc
import pytest

from facecli.api.authentication import Authenticator, Credentials
from facecli.api.call_context import CallContext, IncomingCall
from facecli.core.events import EventBus


def incoming(method: str = "/video.UploadService/StreamUpload") -> IncomingCall:
    return IncomingCall(method=method, changes=True, peer="ipv4:127.0.0.1:1", connected=lambda: True)


def trusted_call() -> CallContext:
    """A call to a server that trusts the names that clients send."""
    call = CallContext(incoming(), authenticator=Authenticator(None), events=EventBus())
    call.authenticate(Credentials())
    return call


class ConnectedContext:
    """The gRPC context of a call; `token` is what the client presents."""

    def __init__(self, token: str = "") -> None:
        self.status: grpc.StatusCode | None = None  # once the call has ended
        self._token = token

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def code(self) -> grpc.StatusCode | None:
        return self.status

    def invocation_metadata(self) -> tuple[tuple[str, str]]:
        return (("authorization", f"Bearer {self._token}"),)

    def is_active(self) -> bool:
        return True

    def cancel(self) -> bool:
        return False

    def set_code(self, code: grpc.StatusCode) -> None:
        self.status = code

    def set_details(self, details: str) -> None: ...

    def set_trailing_metadata(self, metadata: object) -> None: ...


def logged_calls(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Method and outcome of every call in the access log."""
    records = [vars(record) for record in caplog.records if record.name == "facecli.access"]
    return [(fields["method"], fields["outcome"]) for fields in records]
