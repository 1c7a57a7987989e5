"""The plan of `bench upload`."""

from dataclasses import dataclass
from random import Random

from facecli.chaos.faults import Faults, Span
from facecli.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPlan:
    """`concurrency` clients each send `files` files of `size` bytes, `warm_up` times and then `runs` times.

    `cuts` is the number of cuts of each client's connection in a run; or it is cut every `cut_every` bytes.
    `delay` in seconds and `rate` in bytes per second apply to each connection and direction. InvalidInput for
    an impossible plan.
    """

    size: int
    files: int = 1
    concurrency: int = 1
    runs: int = 3
    warm_up: int = 1
    chunk_size: int
    cuts: int = 0
    cut_every: Span | None = None
    delay: float = 0.0
    rate: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        chunk = min(self.chunk_size, self.size)
        if not chunk:
            raise InvalidInput("--size and --chunk-size must be greater than 0, such as --size 500MB")
        if self.cuts and self.cut_every:
            raise InvalidInput("--cuts and --cut-every exclude each other; use one")
        if self.cuts * 2 > self.bytes_per_client:
            raise InvalidInput(f"{self.bytes_per_client} bytes are too few for {self.cuts} cuts")
        if self.cut_every and self.cut_every.high <= chunk:
            raise InvalidInput(
                f"with a cut every {self.cut_every.high} bytes no chunk of {chunk} bytes can get "
                "through; use a smaller --chunk-size"
            )

    @property
    def bytes_per_client(self) -> int:
        return self.size * self.files

    @property
    def bytes_per_run(self) -> int:
        return self.bytes_per_client * self.concurrency

    @property
    def fault_free(self) -> bool:
        """Whether the plan has no network faults."""
        return not (self.cuts or self.cut_every or self.delay or self.rate)

    def faults(self, *, run: int, client: int) -> Faults | None:
        """The faults of one client's connection in one run, reproduced by the seed; None without faults."""
        if self.fault_free:
            return None
        return Faults(
            delay=self.delay,
            rate=self.rate,
            cut=self._cut(),
            cuts=self.cuts or None,
            seed=Random(f"{self.seed} {run} {client}").getrandbits(32),
        )

    def _cut(self) -> Span | None:
        """A range in which all cuts come before the last byte, for any seed."""
        if not self.cuts:
            return self.cut_every
        interval = self.bytes_per_client // self.cuts
        return Span(low=interval // 2, high=interval)
