"""The measurement of uploads: concurrent clients, and fault proxies between them and the server."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

from facecli.api.server_info import ServerInfo
from facecli.bench.content import write_content
from facecli.bench.disk_space import check_disk_space, check_free_bytes
from facecli.bench.messages import GO, READY
from facecli.bench.plain_transfer import PlainResult, PlainTransfer, run_plain
from facecli.bench.processes import BenchProcess
from facecli.bench.server_process import RunServer, serve
from facecli.bench.target import Target
from facecli.bench.uploads.client_process import run_client
from facecli.bench.uploads.figures import UploadRun, one_run
from facecli.bench.uploads.messages import ClientResult, SendOrder, Stored, Waiting
from facecli.bench.uploads.plan import UploadPlan
from facecli.bench.usage import Usage, processor_times
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
class UploadMeasurement:
    """The runs without the warm-up, and the acknowledgement delay of every chunk in seconds."""

    server: ServerInfo
    runs: list[UploadRun]
    delays: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A server to start, `durable` if it flushes; with `plain`, a plain transfer precedes each run."""

    run: RunServer
    durable: bool
    plain: bool


def measure_uploads(
    plan: UploadPlan,
    target: Target,
    *,
    local: LocalServer | None,
    folder: Path,
    progress: Callable[[], TransferProgress],
) -> UploadMeasurement:
    """Run the plan against the server at `target`, or against the `local` one.

    The content is written to `folder`, and the uploads are removed from the server after each run.
    LimitReached without enough disk space, Cancelled on Ctrl-C, Unavailable when there is no progress for the
    target's `retry_for`.
    """
    if not plan.fault_free and "," in target.servers:
        raise InvalidInput(f"network faults need a single --server, not {target.servers}")
    check_disk_space(
        folder,
        plan.size + (plan.bytes_per_run if local else 0),
        remedy="choose another --data-dir, or a smaller --size",
    )
    prefix = f"bench-{secrets.token_hex(4)}"
    content = folder / "content"
    try:
        with ExitStack() as stack:
            server = stack.enter_context(BenchProcess(serve, local.run)) if local else None
            if server:
                target = replace(target, servers=server.receive(str))
            else:
                stack.enter_context(_removing_after_error(target, prefix))
            clients = [
                stack.enter_context(BenchProcess(run_client, target, content, plan.chunk_size, kill=True))
                for _ in range(plan.concurrency)
            ]
            yardstick = (
                stack.enter_context(_yardstick(plan, local, content)) if local and local.plain else None
            )
            info, *_ = [client.receive(ServerInfo) for client in clients]
            if not server:
                remedy = "free space there, or choose a smaller --size"
                check_free_bytes(info.free_bytes, plan.bytes_per_run, where=target.servers, remedy=remedy)
            write_content(content, size=plan.size, seed=plan.seed)
            bench = _UploadBench(
                plan,
                target,
                prefix=prefix,
                server=server,
                clients=clients,
                yardstick=yardstick,
                progress=progress,
            )
            for number in range(1, plan.warm_up + 1):
                bench.run(-number, f"warm-up {number} of {plan.warm_up}")
            measured = [bench.run(n, f"run {n} of {plan.runs}") for n in range(1, plan.runs + 1)]
    except KeyboardInterrupt:
        raise Cancelled("interrupted", hint="no result is kept; run the same command to start over") from None
    except UploadInterrupted as error:
        raise Unavailable(f"no progress for too long: {error.message}") from error
    return UploadMeasurement(
        server=info,
        runs=[run for run, _ in measured],
        delays=[delay for _, delays in measured for delay in delays],
    )


class _UploadBench:
    """Runs the plan with a fixed set of processes."""

    def __init__(
        self,
        plan: UploadPlan,
        target: Target,
        *,
        prefix: str,
        server: BenchProcess | None,
        clients: Sequence[BenchProcess],
        yardstick: BenchProcess | None,
        progress: Callable[[], TransferProgress],
    ) -> None:
        self._plan = plan
        self._target = target
        self._prefix = prefix
        self._server = server
        self._clients = clients
        self._yardstick = yardstick
        self._progress = progress

    def run(self, number: int, name: str) -> tuple[UploadRun, list[float]]:
        """One run and the delay of each chunk. The number of a warm-up is negative."""
        plain = self._measure_plain()
        bar = self._progress()
        with ExitStack() as stack:
            proxies = [self._proxy(stack, number, client) for client in range(len(self._clients))]
            for client, (process, proxy) in enumerate(zip(self._clients, proxies, strict=True)):
                names = [f"{self._prefix}_{number}-{client}-{file}.mp4" for file in range(self._plan.files)]
                address = proxy.address if proxy else self._target.servers
                process.send(SendOrder(proxy=address, names=names))
            self._wait_until_ready()
            before = self._server_usage()
            ticks = processor_times()
            bar.begin(name, self._plan.bytes_per_run, 0)
            self._send_go()
            results = self._gather(bar)
            busy = processor_times().busy_since(ticks) if self._server else None
            after = self._server_usage()
            bar.stored(self._plan.bytes_per_run)
            bar.verified()
            cuts = sum(len(proxy.events_of(EventKind.CUT)) for proxy in proxies if proxy)
        self._send_go()
        self._wait_until_ready()
        server = (before, after) if before and after else None
        run = one_run(
            results,
            total_bytes=self._plan.bytes_per_run,
            server=server,
            cuts=cuts,
            plain=plain,
            machine_busy=busy,
        )
        return run, [delay for result in results for delay in result.delays]

    def _measure_plain(self) -> PlainResult | None:
        if not self._yardstick:
            return None
        self._yardstick.send(GO)
        return self._yardstick.receive(PlainResult)

    def _proxy(self, stack: ExitStack, run: int, client: int) -> Proxy | None:
        faults = self._plan.faults(run=run, client=client)
        return stack.enter_context(Proxy(self._target.servers, faults=faults)) if faults else None

    def _gather(self, bar: TransferProgress) -> list[ClientResult]:
        """The results of all clients, in their order; shows the progress meanwhile."""
        results: dict[int, ClientResult] = {}
        stored = dict.fromkeys(range(len(self._clients)), 0)
        while waiting := {
            process.pipe: number for number, process in enumerate(self._clients) if number not in results
        }:
            for pipe in wait([*waiting, *([self._server.pipe] if self._server else [])]):
                if self._server and pipe is self._server.pipe:
                    self._server.receive(Usage)  # unrequested, so this raises the error that ended it
                number = next(number for each, number in waiting.items() if each is pipe)
                match self._clients[number].receive(Stored, Waiting, ClientResult):
                    case Stored(total=total):
                        stored[number] = total
                        bar.stored(sum(stored.values()))
                    case Waiting(reason=reason, seconds=seconds):
                        bar.waiting(reason, seconds)
                    case ClientResult() as result:
                        results[number] = result
        return [results[number] for number in sorted(results)]

    def _send_go(self) -> None:
        for process in self._clients:
            process.send(GO)

    def _wait_until_ready(self) -> None:
        for process in self._clients:
            assert process.receive(str) == READY

    def _server_usage(self) -> Usage | None:
        if not self._server:
            return None
        self._server.send(GO)
        return self._server.receive(Usage)


def _yardstick(plan: UploadPlan, local: LocalServer, content: Path) -> BenchProcess:
    transfer = PlainTransfer(
        content=content,
        folder=content.parent,
        connections=plan.concurrency,
        files=plan.files,
        durable=local.durable,
    )
    return BenchProcess(run_plain, transfer, kill=True)


@contextmanager
def _removing_after_error(target: Target, prefix: str) -> Iterator[None]:
    """After an error, remove the uploads with this prefix that the clients have left behind."""
    try:
        yield
    except BaseException:
        from facecli.client.context import ClientContext
        from facecli.client.uploads import UploadClient

        with suppress(FacecliError), target.connect() as connection:
            client = UploadClient(ClientContext(connection=connection, user=target.user))
            for upload in [each for each in client.listed() if each.name.startswith(prefix)]:
                with suppress(NotFound):  # its client has just removed it
                    client.cancel(upload.id)
        raise
