"""The app's client as a stand-alone script, built from the frozen proto without any facecli code.

Uploads a picture and a video in messages of 10 MiB with every field set, creates a task from the two
file_urls and polls it until it ends. Prints each response as a line of JSON, {"call": …, "response": {…}},
and exits with 0 when the task completed. With --resume it sends the metadata of a resuming client, which the
app does not send.
"""

import argparse
import json
import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

sys.path.insert(0, str(Path(__file__).parents[1] / "frozen"))
proto, services = grpc.protos_and_services("video_service.proto")

CHUNK = 10 * 1024 * 1024  # bytes
ENDED = {"completed", "failed", "cancelled"}

Start = tuple[int, Callable[[], bool]]  # the first chunk to send, and a function that cancels the call


class UnexpectedResponse(Exception):
    """A response that the app cannot use."""


def main() -> int:
    options = arguments()
    with grpc.insecure_channel(options.server) as channel:
        app = App(services.VideoServiceStub(channel), options)
        try:
            return app.run()
        except grpc.RpcError as error:
            show("error", {"code": error.code().name, "message": error.details()})
        except UnexpectedResponse as error:
            show("error", {"code": "UNEXPECTED_RESPONSE", "message": str(error)})
    return 1


class App:
    def __init__(self, stub: Any, options: argparse.Namespace) -> None:
        self.stub = stub
        self.options = options
        token = [("authorization", f"Bearer {options.token}")] if options.token else []
        self.common = {"timeout": options.timeout, "metadata": token}

    def run(self) -> int:
        image = self.upload(self.options.image, "image", [])
        resume = [("facecli-resume", "1")] if self.options.resume else []
        if self.options.upload_id:
            resume.append(("facecli-upload-id", self.options.upload_id))
        video = self.upload(self.options.video, "video", resume, self.options.stop_after)
        if video is None:
            return 0
        request = proto.CreateTaskRequest(user_id=self.options.user, image_url=image, video_url=video)
        task = self.stub.CreateTask(request, **self.common)
        show("CreateTask", as_json(task))
        while task.status not in ENDED:
            time.sleep(self.options.poll)
            task = self.stub.GetTaskStatus(proto.TaskStatusRequest(task_id=task.task_id), **self.common)
            show("GetTaskStatus", as_json(task))
        return 0 if task.status == "completed" else 1

    def upload(
        self, file: Path, file_type: str, resume: list[tuple[str, str]], stop_after: int | None = None
    ) -> str | None:
        """Upload a file; return its file_url, or None if it was cancelled after `stop_after` messages."""
        start = queue.SimpleQueue[Start]()
        messages = self.messages(file, file_type, start, stop_after)
        metadata = [*self.common["metadata"], *resume]
        call = self.stub.UploadVideo.future(messages, timeout=self.options.timeout, metadata=metadata)
        start.put((self.first_chunk(call) if resume else 0, call.cancel))
        try:
            response = call.result()
        except grpc.FutureCancelledError:
            if stop_after is None:
                raise UnexpectedResponse("the server cancelled the upload") from None
            show("UploadVideo", {"status": "cut", "sent_chunks": stop_after})
            return None
        show("UploadVideo", as_json(response))
        if (
            response.status != "completed"
            or response.uploaded_chunks != response.total_chunks
            or not response.file_url
        ):
            raise UnexpectedResponse(f"{file} was not stored completely")
        return str(response.file_url)

    def first_chunk(self, call: Any) -> int:
        """The chunk to resume from, which the server sends before it reads any message."""
        metadata = {name: value for name, value in call.initial_metadata() if name.startswith("facecli-")}
        show("UploadVideo metadata", metadata)
        return int(metadata.get("facecli-next-chunk", 0))

    def messages(
        self, file: Path, file_type: str, start: "queue.SimpleQueue[Start]", stop_after: int | None
    ) -> Iterator[Any]:
        """Yield the messages of an upload; gRPC takes the next one after it has sent the previous one."""
        first, cancel = start.get()
        total = -(-file.stat().st_size // CHUNK)
        with file.open("rb") as source:
            source.seek(first * CHUNK)
            for sent, index in enumerate(range(first, total)):
                if sent == stop_after:
                    cancel()
                    return
                yield proto.UploadRequest(
                    user_id=self.options.user,
                    file_name=file.name,
                    chunk=source.read(CHUNK),
                    chunk_index=index,
                    total_chunks=total,
                    file_type=file_type,
                )


def as_json(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def show(call: str, response: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"call": call, "response": response}) + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("image", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--user", default="app-user", help="user_id of every message")
    parser.add_argument("--token", help="send authorization: Bearer TOKEN")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each call")
    parser.add_argument("--poll", type=float, default=0.1, metavar="SECONDS", help="between GetTaskStatus")
    parser.add_argument("--resume", action="store_true", help="upload the video with facecli-resume: 1")
    parser.add_argument("--upload-id", metavar="ID", help="with --resume: resume this upload")
    parser.add_argument("--stop-after", type=int, metavar="N", help="cancel the video after N messages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
