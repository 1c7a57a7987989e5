"""The shared parts of all upload methods: call contexts, admission control and stream limits."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import grpc

from facecli.api.admission import Admission, Slot
from facecli.api.call_context import CallContext
from facecli.api.stream_deadline import StreamLimits
from facecli.api.upload_pipeline import UploadPipeline
from facecli.api.upload_session import Acknowledgement, UploadSession
from facecli.rpc.calls import Calls
from facecli.rpc.client_waits import ClientWaits
from facecli.rpc.request_stream import RequestStream
from facecli.uploads.committer import WrittenChunk


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStreams:
    """Runs upload streams: a decoder, a session and a pipeline per call."""

    calls: Calls
    admission: Admission
    limits: StreamLimits
    waits: ClientWaits

    def begin(self, messages: RequestStream, context: grpc.ServicerContext, *, largest: int) -> None:
        """Wait for the first message: until then a stream takes no slot of an upload."""
        first = self.waits.first_message(messages, context, largest=largest)
        if first is not None:
            messages.put_back(first)

    def run(
        self,
        messages: RequestStream,
        write: Callable[[bytes], WrittenChunk | None],
        session: UploadSession,
        *,
        call: CallContext,
        slot: Slot,
        first: int,
    ) -> Generator[Acknowledgement, None, None]:
        """Acknowledgements as chunks become durable; `first` is the largest size of the first message."""
        pipeline = UploadPipeline(
            messages,
            write,
            limits=self.limits,
            active=call.active,
            sending=session.sending,
            first=first,
            slot=slot,
            stages=session.stages,
        )
        return pipeline.run(session.store)
