"""The plan of an upload bench: impossible plans are refused, and a seed reproduces the cuts."""

from typing import Any

import pytest

from facecli.bench.uploads.plan import UploadPlan
from facecli.chaos.faults import Span
from facecli.core.errors import InvalidInput

MB = 10**6


def plan(**more: Any) -> UploadPlan:
    return UploadPlan(**{"size": 10 * MB, "chunk_size": MB, **more})


def test_bytes_are_counted_per_client_and_in_total() -> None:
    planned = plan(files=3, concurrency=4)
    assert (planned.bytes_per_client, planned.bytes_per_run) == (30 * MB, 120 * MB)


def test_a_plan_without_faults_needs_no_proxy() -> None:
    assert plan().fault_free
    assert plan().faults(run=1, client=0) is None


@pytest.mark.parametrize(
    "bad", [{"cuts": 1}, {"cut_every": Span(low=MB, high=2 * MB)}, {"delay": 0.1}, {"rate": MB}], ids=str
)
def test_every_fault_needs_a_proxy(bad: dict[str, Any]) -> None:
    assert not plan(**bad).fault_free
    assert plan(**bad).faults(run=1, client=0)


@pytest.mark.parametrize("cuts", [1, 3, 10])
def test_every_cut_comes_before_the_last_byte_for_every_seed(cuts: int) -> None:
    for seed in range(200):
        faults = plan(cuts=cuts, files=2, seed=seed).faults(run=1, client=0)
        assert faults
        assert faults.cuts == cuts
        positions = [faults.plan(connection).cut_at or 0 for connection in range(1, cuts + 1)]
        assert sum(positions) <= 20 * MB
        assert min(positions) > 0


def test_a_seed_reproduces_its_cuts_which_differ_per_run_and_client() -> None:
    def positions(seed: int, run: int, client: int) -> list[int | None]:
        faults = plan(cuts=5, seed=seed).faults(run=run, client=client)
        assert faults
        return [faults.plan(connection).cut_at for connection in range(1, 6)]

    assert positions(7, 1, 0) == positions(7, 1, 0)
    assert (
        len({tuple(positions(seed, run, client)) for seed in (7, 8) for run in (1, 2) for client in (0, 1)})
        == 8
    )


@pytest.mark.parametrize(
    ("impossible", "message"),
    [
        ({"size": 0}, "must be greater than 0"),
        ({"chunk_size": 0}, "must be greater than 0"),
        ({"cuts": 1, "cut_every": Span(low=9 * MB, high=9 * MB)}, "use one"),
        ({"size": 19, "cuts": 10}, "19 bytes are too few for 10 cuts"),
        ({"cut_every": Span(low=1, high=MB)}, "no chunk of 1000000 bytes can get through"),
        ({"size": 9, "cut_every": Span(low=1, high=9)}, "no chunk of 9 bytes can get through"),
    ],
    ids=str,
)
def test_an_impossible_plan_is_refused(impossible: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        plan(**impossible)
