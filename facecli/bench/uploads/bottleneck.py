"""The bottleneck of an upload: the part that the others wait for, if there is one.

Theory of operation. The stages of a stream work at the same time, so the longest one need not be the limit.
It is one when it is busy nearly all of the stream's time. Writing that is busy on a processor, or waits for
the server's other threads, is limited by that, and not by the disk. The wait for the client includes the work
of both transports, so processors that are busy nearly all of the time come first there. A disk that works at
its own rate is the limit whatever waits for it: commits then wait behind the files that are written back. One
that is slower than alone, although all stages wait for it, is limited by its flushes, such as those of small
files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.bench.uploads.figures import UploadRun

BUSY = 0.8  # of the time: nearly all
FULL = 0.95  # of the processors' time, with all programs of the machine
FLUSHES = 2 / 3  # of the time of flush and commit: the disk is the limit, for commits wait for it, too
COMMITS = 0.9  # of that time: the database is
AT_RATE = 0.85  # of what the disk can do alone
SHOWN = 0.1  # cores busy with other programs, at least
TOO_SHORT = 0.5  # of the run's time, in which the streams run


class Part(StrEnum):
    DISK = "disk"
    DATABASE = "database"
    DISK_AND_DATABASE = "disk_and_database"
    SERVER_PROCESSOR = "server_processor"
    CLIENT_PROCESSOR = "client_processor"
    PROCESSORS = "processors"
    CLIENT = "client"
    NETWORK_OR_CLIENT = "network_or_client"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The limiting part, and a sentence about it for people."""

    part: Part
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Medians of all runs. The stages are shares of the time of the streams, `stream` is theirs of the run.

    `client_cpu` are the processors that one client keeps busy, `server_cpu` those of the server, or None for
    another machine's; `disk_mb_per_s` is the rate of the disk alone, if it was measured.
    """

    stream: float
    receive: float
    write: float
    write_cpu: float
    flush: float
    commit: float
    client_cpu: float
    server_cpu: float | None
    clients: int
    cores: int
    machine_busy: float | None  # share of all cores, other programs included
    mb_per_s: float
    disk_mb_per_s: float | None
    network: bool  # whether there is one between client and server
    breaks: bool  # of streams, which were continued in new ones

    @property
    def processors_busy(self) -> bool:
        """Whether client and server, or these and others, keep the processors of their machine busy."""
        if self.server_cpu is None:
            return False
        return self.all_cpu >= BUSY * self.cores or (self.machine_busy or 0) >= FULL

    @property
    def all_cpu(self) -> float:
        return self.client_cpu * self.clients + (self.server_cpu or 0)

    @property
    def at_disk_rate(self) -> bool:
        return self.disk_mb_per_s is not None and self.mb_per_s >= AT_RATE * self.disk_mb_per_s


def load(runs: Sequence["UploadRun"], *, clients: int, cores: int, network: bool) -> Load | None:
    """None unless the server measured every run."""
    measured = [(run, run.stages) for run in runs if run.stages]
    if not measured or len(measured) < len(runs):
        return None
    shares = {
        name: median(getattr(times, name) / times.elapsed for _, times in measured)
        for name in ("receive", "write", "write_cpu", "flush", "commit")
    }
    server_cpu = [run.server_cpu_seconds / run.seconds for run in runs if run.server_cpu_seconds is not None]
    busy = [run.machine_busy for run in runs if run.machine_busy is not None]
    disk = [run.disk_mb_per_s for run in runs if run.disk_mb_per_s is not None]
    return Load(
        **shares,
        stream=median(times.elapsed / run.seconds for run, times in measured),
        client_cpu=median(run.client_cpu_seconds / run.seconds for run in runs) / clients,
        server_cpu=median(server_cpu) if server_cpu else None,
        clients=clients,
        cores=cores,
        machine_busy=median(busy) if busy else None,
        mb_per_s=median(run.mb_per_s for run in runs),
        disk_mb_per_s=median(disk) if disk else None,
        network=network,
        breaks=any(run.retries for run in runs),
    )


def bottleneck(load: Load) -> Bottleneck:
    """The stage that is busy nearly all of the time, or Part.NONE."""
    if load.stream < TOO_SHORT:
        rest = "the rest are pauses after breaks" if load.breaks else "use a larger --size"
        return Bottleneck(
            part=Part.NONE,
            sentence=f"no single limit: streams run only {load.stream:.0%} of the time; {rest}",
        )
    store = load.flush + load.commit
    if store >= BUSY:
        return _storing(load, store)
    if load.write >= BUSY:
        return _writing(load)
    if load.receive >= BUSY:
        return _receiving(load)
    if load.at_disk_rate:
        return _disk(load)
    if load.processors_busy:
        return _processors(load)
    name, share = max(
        (("receive", load.receive), ("write", load.write), ("flush and commit", store)),
        key=lambda each: each[1],
    )
    return Bottleneck(
        part=Part.NONE,
        sentence=f"no single limit: the busiest stage, {name}, takes {share:.0%} of the time",
    )


def _storing(load: Load, store: float) -> Bottleneck:
    if load.at_disk_rate or load.flush >= FLUSHES * store:
        return _disk(load, f"flushes take {load.flush:.0%} of the time")
    if load.commit >= COMMITS * store:
        return Bottleneck(
            part=Part.DATABASE,
            sentence=f"limited by the database: commits take {load.commit:.0%} of the time",
        )
    return Bottleneck(
        part=Part.DISK_AND_DATABASE,
        sentence=f"limited by {_disk_name(load)} and the database: "
        f"flushes take {load.flush:.0%} and commits {load.commit:.0%} of the time",
    )


def _writing(load: Load) -> Bottleneck:
    if load.processors_busy:
        return _processors(load)
    if not load.at_disk_rate and (load.write_cpu >= load.write / 2 or (load.server_cpu or 0) >= BUSY):
        return _server_processor(load)
    return _disk(load, f"writing takes {load.write:.0%} of the time")


def _receiving(load: Load) -> Bottleneck:
    if load.processors_busy:
        return _processors(load)
    if load.client_cpu >= BUSY:
        return Bottleneck(
            part=Part.CLIENT_PROCESSOR,
            sentence=f"limited by the client's processor: {load.client_cpu:.1f} cores busy on average",
        )
    if load.server_cpu is not None and load.server_cpu >= BUSY:
        return _server_processor(load)
    part, who = (
        (Part.NETWORK_OR_CLIENT, "the network or the client") if load.network else (Part.CLIENT, "the client")
    )
    return Bottleneck(
        part=part, sentence=f"limited by {who}: the server waits for frames {load.receive:.0%} of the time"
    )


def _disk(load: Load, work: str = "") -> Bottleneck:
    """The disk at its own rate, or with the `work` that waits for it."""
    rate = f"{load.mb_per_s:.0f} MB/s"
    if load.disk_mb_per_s:
        rate += f" of {load.disk_mb_per_s:.0f}"
        if not load.at_disk_rate:
            rate = f"{work}, {rate}"
    return Bottleneck(part=Part.DISK, sentence=f"limited by {_disk_name(load)}: {rate}")


def _disk_name(load: Load) -> str:
    return "the server's disk" if load.server_cpu is None else "the disk"


def _server_processor(load: Load) -> Bottleneck:
    work = (
        f"writing takes {load.write_cpu:.0%} of its time"
        if load.server_cpu is None
        else f"{load.server_cpu:.1f} cores busy on average"
    )
    return Bottleneck(part=Part.SERVER_PROCESSOR, sentence=f"limited by the server's processor: {work}")


def _processors(load: Load) -> Bottleneck:
    others = (load.machine_busy or 0) * load.cores - load.all_cpu
    rest = f", {others:.1f} with other programs" if others >= SHOWN else ""
    return Bottleneck(
        part=Part.PROCESSORS,
        sentence="limited by this machine's processors: "
        f"{load.all_cpu:.1f} of {load.cores} busy with client and server{rest}",
    )
