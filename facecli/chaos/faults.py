"""What a line may do to the bytes that cross it: a plan that its seed repeats exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """So many bytes, drawn anew each time: at least `low`, which is at least 1, at most `high`."""

    low: int
    high: int

    def draw(self, chance: Random) -> int:
        return chance.randint(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """For `up` seconds everything passes; for `down` connections are refused, and open ones cut."""

    up: float
    down: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Bit `bit` of the byte behind the first `at` bytes."""

    at: int
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """What one connection is going to meet after how many bytes towards the server."""

    cut_at: int | None
    blackhole_at: int | None
    flips: Iterator[Flip]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All that are set come together; with none, everything passes as it is.

    `delay` in seconds and `rate` in bytes per second hold each way. `cut`, `blackhole` and `flip` count the
    bytes of one connection towards the server; the k-th connection of a seed always draws the same. There
    are at most `cuts` cuts; with `reset` they, and those of a flap, are resets instead of plain ends.
    """

    delay: float = 0.0
    rate: int | None = None
    cut: Span | None = None
    cuts: int | None = None
    reset: bool = False
    flap: Flap | None = None
    blackhole: Span | None = None
    flip: Span | None = None
    seed: int = 0

    def plan(self, connection: int) -> FaultPlan:
        """Of the connection of that number, from 1."""
        return FaultPlan(
            cut_at=self._drawn("cut", self.cut, connection),
            blackhole_at=self._drawn("blackhole", self.blackhole, connection),
            flips=self._flips(self._chance("flip", connection)),
        )

    def _drawn(self, fault: str, span: Span | None, connection: int) -> int | None:
        return span.draw(self._chance(fault, connection)) if span else None

    def _flips(self, chance: Random) -> Iterator[Flip]:
        passed = 0
        while self.flip:
            passed += self.flip.draw(chance)
            yield Flip(at=passed - 1, bit=chance.randrange(8))

    def _chance(self, fault: str, connection: int) -> Random:
        return Random(f"{self.seed} {fault} {connection}")
