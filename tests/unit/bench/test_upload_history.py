"""Acknowledgement delays and resent bytes from a transfer history."""

from itertools import count

from facecli.bench.uploads.history import (
    TransferEvent,
    TransferEventKind,
    TransferHistory,
    ack_delays,
    resent_bytes,
)

CHUNK = 10


def events(*facts: tuple[TransferEventKind, int] | tuple[TransferEventKind, int, int]) -> list[TransferEvent]:
    """One event per second, from its kind, its position and its file if it is not the first."""
    return [
        TransferEvent(at=float(second), kind=kind, position=position, file=file[0] if file else 0)
        for second, (kind, position, *file) in enumerate(facts)
    ]


SENT, STORED, BREAK = TransferEventKind.SENT, TransferEventKind.STORED, (TransferEventKind.BREAK, 0)


def test_a_delay_starts_at_the_last_frame_of_a_chunk() -> None:
    recorded = events((SENT, 4), (SENT, 8), (SENT, 10), (STORED, 10))
    assert ack_delays(recorded, chunk_size=CHUNK) == [1.0]


def test_an_acknowledgement_may_cover_several_chunks_of_its_file() -> None:
    recorded = events(
        (SENT, 10), (SENT, 10, 1), (SENT, 20), (SENT, 27), (STORED, 20), (STORED, 27), (STORED, 10, 1)
    )
    assert ack_delays(recorded, chunk_size=CHUNK) == [4.0, 2.0, 2.0, 5.0]


def test_an_acknowledgement_recorded_before_its_chunk_has_no_delay() -> None:
    assert ack_delays(events((STORED, 10), (SENT, 10)), chunk_size=CHUNK) == [0.0]
    assert ack_delays(events((SENT, 5), (STORED, 10), (SENT, 10)), chunk_size=CHUNK) == [0.0]


def test_a_resent_chunk_counts_from_the_last_time() -> None:
    recorded = events((SENT, 10), BREAK, (SENT, 10), (STORED, 10))
    assert ack_delays(recorded, chunk_size=CHUNK) == [1.0]


def test_without_a_break_nothing_is_resent() -> None:
    assert resent_bytes(events((SENT, 6), (SENT, 10), (SENT, 16), (STORED, 10)), chunk_size=CHUNK) == []


def test_resent_bytes_are_counted_per_break_even_within_a_chunk() -> None:
    recorded = events(
        *((SENT, 4), (SENT, 10), (SENT, 14), BREAK),  # resumes at 10 and passes 14 with 18
        *((SENT, 18), BREAK),  # resumes with smaller frames and breaks before it catches up
        *((SENT, 12), (SENT, 15), BREAK),
        *((SENT, 14), (SENT, 18), (SENT, 20), BREAK),
        *((SENT, 24), (SENT, 30)),
    )
    assert resent_bytes(recorded, chunk_size=CHUNK) == [4, 5, 8, 0]


def test_files_are_counted_separately_and_a_break_applies_to_all() -> None:
    recorded = events(
        (SENT, 10), (SENT, 10, 1), BREAK, (SENT, 10), (SENT, 5, 1), (SENT, 10, 1), (SENT, 10, 2)
    )
    assert resent_bytes(recorded, chunk_size=CHUNK) == [20]


def test_a_history_records_every_file_and_reports_the_total_stored() -> None:
    seconds, stored, waited = count(), list[int](), list[tuple[str, float]]()
    history = TransferHistory(
        on_stored=stored.append,
        on_waiting=lambda reason, pause: waited.append((reason, pause)),
        clock=lambda: float(next(seconds)),
    )
    first, second = history.next_file(), history.next_file()
    first.begin("a.mp4", 20, 0)
    first.sent(10)
    first.stored(10)
    first.waiting("the connection broke", 0.2)
    second.begin("b.mp4", 10, 5)
    second.stored(10)
    second.verified()
    assert history.events == events((SENT, 10), (STORED, 10), BREAK, (STORED, 5, 1), (STORED, 10, 1))
    assert (stored, waited) == ([10, 15, 20], [("the connection broke", 0.2)])
