"""Measures uploads: a server, clients that begin at the same moment, and the line between them."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

from facecli.api.server_info import ServerInfo
from facecli.bench.content import check_free, check_room, write_content
from facecli.bench.processes import Side
from facecli.bench.server_process import Serving, serve_and_tell
from facecli.bench.uploads.client_process import (
    GO,
    READY,
    Delivered,
    Order,
    Stored,
    Target,
    Waiting,
    send_on_order,
)
from facecli.bench.uploads.figures import UploadRun, one_run
from facecli.bench.uploads.plan import UploadPlan
from facecli.bench.usage import Usage
from facecli.chaos.events import EventKind
from facecli.chaos.proxy import Proxy
from facecli.core.errors import (
    Cancelled,
    FacecliError,
    InvalidInput,
    NotFound,
    Unavailable,
    UploadInterrupted,
)
from facecli.core.progress import TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The runs without the warm-up; `delays` in seconds, of every chunk of them."""

    server: ServerInfo
    runs: list[UploadRun]
    delays: list[float]


def measure_uploads(
    plan: UploadPlan,
    target: Target,
    *,
    run_server: Serving | None,
    folder: Path,
    progress: Callable[[], TransferProgress],
) -> Measured:
    """Run the plan against the server at `target`, or one of its own where `run_server` makes it.

    The content is written to `folder`, where such a server has its data as well. What was sent is removed
    from the server after each run. LimitReached before anything is written when there is no room, Cancelled
    on Ctrl-C, Unavailable when the line let nothing through for as long as the target is patient.
    """
    if not plan.plain and "," in target.servers:
        raise InvalidInput(f"a bad line leads to one server, not to {target.servers}; choose one as --server")
    check_room(
        folder,
        plan.size + (plan.bytes_per_run if run_server else 0),
        cure="choose another --data-dir, or a smaller --size",
    )
    prefix = f"bench-{secrets.token_hex(4)}"
    content = folder / "content"
    try:
        with ExitStack() as stack:
            server = stack.enter_context(Side(serve_and_tell, run_server)) if run_server else None
            if server:
                target = replace(target, servers=server.hear(str))
            else:
                stack.enter_context(_removing(target, prefix))
            clients = [
                stack.enter_context(Side(send_on_order, target, content, plan.chunk_size, kill=True))
                for _ in range(plan.concurrency)
            ]
            info, *_ = [client.hear(ServerInfo) for client in clients]
            if not server:
                cure = "make room there, or choose a smaller --size"
                check_free(info.free_bytes, plan.bytes_per_run, where=target.servers, cure=cure)
            write_content(content, size=plan.size, seed=plan.seed)
            bench = _Bench(plan, target, prefix=prefix, server=server, clients=clients, progress=progress)
            for number in range(1, plan.warm_up + 1):
                bench.run(-number, f"warm-up {number} of {plan.warm_up}")
            done = [bench.run(n, f"run {n} of {plan.runs}") for n in range(1, plan.runs + 1)]
    except KeyboardInterrupt:
        raise Cancelled("interrupted", hint="nothing is kept of it; the same command begins anew") from None
    except UploadInterrupted as error:
        raise Unavailable(f"nothing came through for too long: {error.message}") from error
    return Measured(server=info, runs=[run for run, _ in done], delays=[d for _, each in done for d in each])


class _Bench:
    """What stays the same from run to run."""

    def __init__(
        self,
        plan: UploadPlan,
        target: Target,
        *,
        prefix: str,
        server: Side | None,
        clients: Sequence[Side],
        progress: Callable[[], TransferProgress],
    ) -> None:
        self._plan = plan
        self._target = target
        self._prefix = prefix
        self._server = server
        self._clients = clients
        self._progress = progress

    def run(self, number: int, name: str) -> tuple[UploadRun, list[float]]:
        """Its figures, and the delay of each chunk. A warm-up's number is negative."""
        bar = self._progress()
        with ExitStack() as stack:
            lines = [self._line(stack, number, client) for client in range(len(self._clients))]
            for client, (side, line) in enumerate(zip(self._clients, lines, strict=True)):
                names = [f"{self._prefix}_{number}-{client}-{file}.mp4" for file in range(self._plan.files)]
                address = line.address if line else self._target.servers
                side.tell(Order(line=address, names=names))
            self._all_ready()
            before = self._used()
            bar.begin(name, self._plan.bytes_per_run, 0)
            for side in self._clients:
                side.tell(GO)
            delivered = self._gather(bar)
            after = self._used()
            bar.stored(self._plan.bytes_per_run)
            bar.verified()
            cuts = sum(len(line.events_of(EventKind.CUT)) for line in lines if line)
        for side in self._clients:
            side.tell(GO)
        self._all_ready()
        used = (before, after) if before and after else None
        run = one_run(delivered, total_bytes=self._plan.bytes_per_run, server=used, cuts=cuts)
        return run, [delay for each in delivered for delay in each.delays]

    def _line(self, stack: ExitStack, run: int, client: int) -> Proxy | None:
        faults = self._plan.faults(run=run, client=client)
        return stack.enter_context(Proxy(self._target.servers, faults=faults)) if faults else None

    def _gather(self, bar: TransferProgress) -> list[Delivered]:
        """What every client delivered, in their order; shown on the way."""
        delivered: dict[int, Delivered] = {}
        stored = dict.fromkeys(range(len(self._clients)), 0)
        while waiting := {
            side.pipe: number for number, side in enumerate(self._clients) if number not in delivered
        }:
            for pipe in wait([*waiting, *([self._server.pipe] if self._server else [])]):
                if self._server and pipe is self._server.pipe:
                    self._server.hear(Usage)  # it was not asked: this raises what ended it
                number = next(number for each, number in waiting.items() if each is pipe)
                match self._clients[number].hear(Stored, Waiting, Delivered):
                    case Stored(total=total):
                        stored[number] = total
                        bar.stored(sum(stored.values()))
                    case Waiting(reason=reason, seconds=seconds):
                        bar.waiting(reason, seconds)
                    case Delivered() as done:
                        delivered[number] = done
        return [delivered[number] for number in sorted(delivered)]

    def _all_ready(self) -> None:
        for side in self._clients:
            assert side.hear(str) == READY

    def _used(self) -> Usage | None:
        if not self._server:
            return None
        self._server.tell(GO)
        return self._server.hear(Usage)


@contextmanager
def _removing(target: Target, prefix: str) -> Iterator[None]:
    """After an error remove what the clients did not come to: uploads of that prefix, finished or not."""
    try:
        yield
    except BaseException:
        from facecli.client.context import ClientContext
        from facecli.client.uploads import UploadClient

        with suppress(FacecliError), target.connect() as connection:
            client = UploadClient(ClientContext(connection=connection, user=target.user))
            for upload in [each for each in client.listed() if each.name.startswith(prefix)]:
                with suppress(NotFound):  # its client was quicker
                    client.cancel(upload.id)
        raise
