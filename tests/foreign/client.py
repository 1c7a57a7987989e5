"""The app's client as a stand-alone script: it knows the frozen proto and nothing of facecli.

Uploads a picture and a video in messages of 10 MiB with every field set, creates a task from the two
file_urls and polls it until it ends. Prints each answer as a line of JSON, {"call": …, "answer": {…}}, and
exits with 0 when the task completed. With --resume it sends the metadata of a client that resumes, which the
app does not.
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

Start = tuple[int, Callable[[], bool]]  # the first chunk to send, and what cuts the call


class Refused(Exception):
    """The server answered, but not what the app needs."""


def main() -> int:
    options = arguments()
    with grpc.insecure_channel(options.server) as channel:
        app = App(services.VideoServiceStub(channel), options)
        try:
            return app.run()
        except grpc.RpcError as error:
            show("error", {"code": error.code().name, "message": error.details()})
        except Refused as error:
            show("error", {"code": "REFUSED", "message": str(error)})
    return 1


class App:
    def __init__(self, stub: Any, options: argparse.Namespace) -> None:
        self.stub = stub
        self.options = options
        token = [("authorization", f"Bearer {options.token}")] if options.token else []
        self.common = {"timeout": options.timeout, "metadata": token}

    def run(self) -> int:
        image = self.uploaded(self.options.image, "image", [])
        resume = [("facecli-resume", "1")] if self.options.resume else []
        if self.options.upload_id:
            resume.append(("facecli-upload-id", self.options.upload_id))
        video = self.uploaded(self.options.video, "video", resume, self.options.stop_after)
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

    def uploaded(
        self, file: Path, file_type: str, resume: list[tuple[str, str]], stop_after: int | None = None
    ) -> str | None:
        """The file_url, or None when the call was cut after `stop_after` messages."""
        start = queue.SimpleQueue[Start]()
        messages = self.messages(file, file_type, start, stop_after)
        metadata = [*self.common["metadata"], *resume]
        call = self.stub.UploadVideo.future(messages, timeout=self.options.timeout, metadata=metadata)
        start.put((self.first_chunk(call) if resume else 0, call.cancel))
        try:
            answer = call.result()
        except grpc.FutureCancelledError:
            if stop_after is None:
                raise Refused("the server cancelled the upload") from None
            show("UploadVideo", {"status": "cut", "sent_chunks": stop_after})
            return None
        show("UploadVideo", as_json(answer))
        if (
            answer.status != "completed"
            or answer.uploaded_chunks != answer.total_chunks
            or not answer.file_url
        ):
            raise Refused(f"{file} was not taken whole")
        return str(answer.file_url)

    def first_chunk(self, call: Any) -> int:
        """Where the server wants a client that resumes to start; known before it reads anything."""
        said = {name: value for name, value in call.initial_metadata() if name.startswith("facecli-")}
        show("UploadVideo metadata", said)
        return int(said.get("facecli-next-chunk", 0))

    def messages(
        self, file: Path, file_type: str, start: "queue.SimpleQueue[Start]", stop_after: int | None
    ) -> Iterator[Any]:
        """gRPC asks for the next message when it has sent the one before."""
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


def show(call: str, answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"call": call, "answer": answer}) + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("image", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--user", default="app-user", help="the user_id of every message")
    parser.add_argument("--token", help="sent as authorization: Bearer TOKEN")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each call")
    parser.add_argument("--poll", type=float, default=0.1, metavar="SECONDS", help="between GetTaskStatus")
    parser.add_argument("--resume", action="store_true", help="upload the video with facecli-resume: 1")
    parser.add_argument("--upload-id", metavar="ID", help="with --resume: go on with this upload")
    parser.add_argument("--stop-after", type=int, metavar="N", help="cut the video's upload after N messages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
