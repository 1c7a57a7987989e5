"""What `bench upload` sends, how often, and over what line."""

from dataclasses import dataclass
from random import Random

from facecli.chaos.faults import Faults, Span
from facecli.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPlan:
    """`concurrency` clients send `files` files of `size` bytes at once, `warm_up` times, then `runs` times.

    With `cuts` every client's line is cut so often in each run, `cut_every` so many bytes otherwise; `delay`
    in seconds and `rate` in bytes a second hold for each line, each way. InvalidInput for what cannot be.
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
            raise InvalidInput("there is nothing to measure in sizes of 0; write --size 500MB")
        if self.cuts and self.cut_every:
            raise InvalidInput("--cuts and --cut-every are two plans; choose one")
        if self.cuts * 2 > self.bytes_per_client:
            raise InvalidInput(f"{self.bytes_per_client} bytes are too few for {self.cuts} cuts")
        if self.cut_every and self.cut_every.high <= chunk:
            raise InvalidInput(
                f"a line that is cut every {self.cut_every.high} bytes lets no chunk of {chunk} bytes "
                "through; choose a smaller --chunk-size"
            )

    @property
    def bytes_per_client(self) -> int:
        return self.size * self.files

    @property
    def bytes_per_run(self) -> int:
        return self.bytes_per_client * self.concurrency

    @property
    def plain(self) -> bool:
        """Whether nothing shall befall any line."""
        return not (self.cuts or self.cut_every or self.delay or self.rate)

    def faults(self, *, run: int, client: int) -> Faults | None:
        """Of one client's line in one run, the same for the same seed; None when nothing shall befall it."""
        if self.plain:
            return None
        return Faults(
            delay=self.delay,
            rate=self.rate,
            cut=self._cut(),
            cuts=self.cuts or None,
            seed=Random(f"{self.seed} {run} {client}").getrandbits(32),
        )

    def _cut(self) -> Span | None:
        """So far apart that all cuts come before the last byte, however they are drawn."""
        if not self.cuts:
            return self.cut_every
        apart = self.bytes_per_client // self.cuts
        return Span(low=apart // 2, high=apart)
