"""Bytes read ahead of a pipe come out in order, whatever the sizes, in no more memory than was given."""

import os
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from facecli.media.frames.read_ahead import ReadAhead

SIZE = 16


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=30))
def test_bytes_come_out_in_order_whatever_is_written_and_taken(turns: list[tuple[int, int]]) -> None:
    reader, writer = os.pipe()
    with closing(os.fdopen(reader, "rb")) as source, closing(os.fdopen(writer, "wb", 0)) as sink:
        os.set_blocking(reader, False)
        ahead, written, taken = ReadAhead(SIZE), bytearray(), bytearray()
        for put, wanted in turns:
            data = bytes((len(written) + at) % 251 for at in range(put))
            written += data
            sink.write(data)
            if not ahead.full:
                assert ahead.fill(source.fileno()) != 0
            assert len(ahead) <= SIZE
            target = bytearray(wanted)
            taken += target[: ahead.take(memoryview(target))]
        assert taken == written[: len(taken)]
        sink.close()
        while ahead.full or ahead.fill(source.fileno()):
            target = bytearray(SIZE)
            taken += target[: ahead.take(memoryview(target))]
        target = bytearray(SIZE)
        assert taken + target[: ahead.take(memoryview(target))] == written


def test_nothing_to_read_is_no_end_and_an_end_is_no_bytes() -> None:
    reader, writer = os.pipe()
    with closing(os.fdopen(reader, "rb")) as source:
        os.set_blocking(reader, False)
        ahead = ReadAhead(SIZE)
        assert ahead.fill(source.fileno()) is None
        os.close(writer)
        assert ahead.fill(source.fileno()) == 0
