"""From what a client was told to delays of acknowledgements and bytes sent twice."""

from itertools import count

from facecli.bench.uploads.history import History, Moment, What, delays, resent

CHUNK = 10


def moments(*told: tuple[What, int] | tuple[What, int, int]) -> list[Moment]:
    """One a second: what, the position, the file where it is not the first."""
    return [
        Moment(at=float(second), what=what, position=position, file=file[0] if file else 0)
        for second, (what, position, *file) in enumerate(told)
    ]


SENT, STORED, BREAK = What.SENT, What.STORED, (What.BREAK, 0)


def test_a_delay_counts_from_the_last_frame_of_a_chunk() -> None:
    told = moments((SENT, 4), (SENT, 8), (SENT, 10), (STORED, 10))
    assert delays(told, chunk_size=CHUNK) == [1.0]


def test_an_acknowledgement_may_be_for_several_chunks_of_its_file() -> None:
    told = moments(
        (SENT, 10), (SENT, 10, 1), (SENT, 20), (SENT, 27), (STORED, 20), (STORED, 27), (STORED, 10, 1)
    )
    assert delays(told, chunk_size=CHUNK) == [4.0, 2.0, 2.0, 5.0]


def test_an_acknowledgement_that_is_heard_before_its_chunk_is_said_to_have_left_took_no_time() -> None:
    assert delays(moments((STORED, 10), (SENT, 10)), chunk_size=CHUNK) == [0.0]
    assert delays(moments((SENT, 5), (STORED, 10), (SENT, 10)), chunk_size=CHUNK) == [0.0]


def test_a_chunk_that_leaves_again_counts_from_then() -> None:
    told = moments((SENT, 10), BREAK, (SENT, 10), (STORED, 10))
    assert delays(told, chunk_size=CHUNK) == [1.0]


def test_without_a_break_nothing_is_sent_twice() -> None:
    assert resent(moments((SENT, 6), (SENT, 10), (SENT, 16), (STORED, 10)), chunk_size=CHUNK) == []


def test_bytes_sent_twice_are_counted_after_each_break_also_in_the_middle_of_a_chunk() -> None:
    told = moments(
        *((SENT, 4), (SENT, 10), (SENT, 14), BREAK),  # begins at 10 again, and is beyond 14 with 18
        *((SENT, 18), BREAK),  # again, with smaller frames, and breaks before it is where it was
        *((SENT, 12), (SENT, 15), BREAK),
        *((SENT, 14), (SENT, 18), (SENT, 20), BREAK),
        *((SENT, 24), (SENT, 30)),
    )
    assert resent(told, chunk_size=CHUNK) == [4, 5, 8, 0]


def test_each_file_has_bytes_of_its_own_and_a_break_is_one_for_all() -> None:
    told = moments((SENT, 10), (SENT, 10, 1), BREAK, (SENT, 10), (SENT, 5, 1), (SENT, 10, 1), (SENT, 10, 2))
    assert resent(told, chunk_size=CHUNK) == [20]


def test_a_history_hears_every_file_and_tells_what_all_have_stored() -> None:
    seconds, told, waited = count(), list[int](), list[tuple[str, float]]()
    history = History(
        told=told.append,
        waiting=lambda reason, pause: waited.append((reason, pause)),
        clock=lambda: float(next(seconds)),
    )
    first, second = history.of_next_file(), history.of_next_file()
    first.begin("a.mp4", 20, 0)
    first.sent(10)
    first.stored(10)
    first.waiting("the line broke", 0.2)
    second.begin("b.mp4", 10, 5)
    second.stored(10)
    second.verified()
    assert history.moments == moments((SENT, 10), (STORED, 10), BREAK, (STORED, 5, 1), (STORED, 10, 1))
    assert (told, waited) == ([10, 15, 20], [("the line broke", 0.2)])
