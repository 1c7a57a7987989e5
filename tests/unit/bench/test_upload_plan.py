"""The plan of a bench: what cannot be is refused, and the same seed cuts the same."""

from typing import Any

import pytest

from facecli.bench.uploads.plan import UploadPlan
from facecli.chaos.faults import Span
from facecli.core.errors import InvalidInput

MB = 10**6


def plan(**more: Any) -> UploadPlan:
    return UploadPlan(**{"size": 10 * MB, "chunk_size": MB, **more})


def test_bytes_are_counted_for_a_client_and_for_all() -> None:
    made = plan(files=3, concurrency=4)
    assert (made.bytes_per_client, made.bytes_per_run) == (30 * MB, 120 * MB)


def test_a_plain_line_has_no_faults_and_no_proxy() -> None:
    assert plan().plain
    assert plan().faults(run=1, client=0) is None


@pytest.mark.parametrize(
    "bad", [{"cuts": 1}, {"cut_every": Span(low=MB, high=2 * MB)}, {"delay": 0.1}, {"rate": MB}], ids=str
)
def test_every_fault_makes_a_bad_line(bad: dict[str, Any]) -> None:
    assert not plan(**bad).plain
    assert plan(**bad).faults(run=1, client=0)


@pytest.mark.parametrize("cuts", [1, 3, 10])
def test_every_cut_comes_before_the_last_byte_however_it_is_drawn(cuts: int) -> None:
    for seed in range(200):
        faults = plan(cuts=cuts, files=2, seed=seed).faults(run=1, client=0)
        assert faults
        assert faults.cuts == cuts
        drawn = [faults.plan(connection).cut_at or 0 for connection in range(1, cuts + 1)]
        assert sum(drawn) <= 20 * MB
        assert min(drawn) > 0


def test_the_same_seed_draws_the_same_cuts_and_each_run_and_client_others() -> None:
    def drawn(seed: int, run: int, client: int) -> list[int | None]:
        faults = plan(cuts=5, seed=seed).faults(run=run, client=client)
        assert faults
        return [faults.plan(connection).cut_at for connection in range(1, 6)]

    assert drawn(7, 1, 0) == drawn(7, 1, 0)
    assert (
        len({tuple(drawn(seed, run, client)) for seed in (7, 8) for run in (1, 2) for client in (0, 1)}) == 8
    )


@pytest.mark.parametrize(
    ("impossible", "says"),
    [
        ({"size": 0}, "nothing to measure"),
        ({"chunk_size": 0}, "nothing to measure"),
        ({"cuts": 1, "cut_every": Span(low=9 * MB, high=9 * MB)}, "choose one"),
        ({"size": 19, "cuts": 10}, "19 bytes are too few for 10 cuts"),
        ({"cut_every": Span(low=1, high=MB)}, "lets no chunk of 1000000 bytes through"),
        ({"size": 9, "cut_every": Span(low=1, high=9)}, "lets no chunk of 9 bytes through"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(impossible: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        plan(**impossible)
