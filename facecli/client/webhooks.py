"""The webhook of a new task: its URL as metadata, and servers that do not know webhooks."""

from facecli.client.calls.unary import UnaryCalls
from facecli.client.connection import Metadata
from facecli.client.context import ClientContext
from facecli.core.errors import InvalidInput, NotConfigured
from facecli.tasks.view import TaskView
from facecli.wire import files
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc

FEATURE = "notify"


def webhook_metadata(url: str) -> Metadata:
    if not url.isascii() or not url.isprintable():
        raise InvalidInput(f"the URL of the webhook, {url!a}, must consist of printable ASCII characters")
    return (("facecli-notify-url", url),) if url else ()


def check_server(context: ClientContext) -> None:
    """NotConfigured for a server that would ignore the URL."""
    stub = pb_grpc.FileServiceStub(context.connection.channel)
    request = pb.GetServerInfoRequest(user_id=context.user)
    info = UnaryCalls(context.connection).call(stub.GetServerInfo, request, files.info_from_message)
    if FEATURE not in info.features:
        raise NotConfigured(
            f"the server, facecli {info.version}, is too old for webhooks; leave out --notify, or update it"
        )


def check_registered(task: TaskView) -> None:
    """NotConfigured if the server has created the task and ignored the URL."""
    if task.webhook is None:
        raise NotConfigured(
            f"task {task.id} is created, but its server is too old to notify anybody of its end; "
            "run the command again without --notify"
        )
