"""The layout of rows: aligned, whole, within the width; the text of names and amounts."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from facecli.cli.progress import layout
from facecli.cli.progress.amounts import bytes_text, rate_text, time_text
from facecli.cli.progress.bars import progress_bars
from facecli.cli.progress.cells import cells, cut_middle, displayable
from facecli.cli.progress.rows import RowState, RowText, TransferRow
from facecli.cli.progress.summary import Summary
from tests.support.storage import Clock

FULL = RowText(
    name="a-clip-with-a-long-name.mp4",
    state=RowState.RUNNING,
    share=0.456,
    amount="112.0/256.0 MiB",
    rate="81.3 MiB/s",
    time="0:12 left",
    note="retry in 4 s: the server cannot be reached",
)
NAMES = st.text(st.sampled_from("ab .é文字🎬🇩🇪e\u0301\u200d\ufe0f\U0001f3fd\u202f\x1b\n\u202e"), max_size=60)


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (39, "name percent time"),
        (59, "name percent amount time note"),
        (72, "name bar percent amount time note"),
        (79, "name bar percent amount rate time note"),
    ],
)
def test_the_least_important_columns_are_dropped_first(width: int, columns: str) -> None:
    (line,) = layout.lines([FULL], width, layout.UNICODE)
    assert [cell.column for cell in line] == columns.split()


@given(names=st.lists(NAMES, min_size=1, max_size=4), width=st.integers(39, 199), ascii_only=st.booleans())
def test_every_line_fits_and_every_column_is_aligned(names: list[str], width: int, ascii_only: bool) -> None:
    rows = [RowText(name=name, state=RowState.RUNNING, share=0.5, amount="1/2 bytes") for name in names]
    lines = layout.lines(rows, width, layout.ASCII if ascii_only else layout.UNICODE)
    for line in lines:
        text = " ".join(cell.text for cell in line)
        assert text.isprintable()
        assert text.isascii() or not ascii_only
        assert 0 <= wcswidth(text) <= width
        assert [cells(cell.text) for cell in line] == [cells(cell.text) for cell in lines[0]]


def test_a_long_name_keeps_its_beginning_and_its_suffix() -> None:
    assert cut_middle("视频文件视频文件.mp4", 12, ellipsis="…") == "视频文….mp4"
    assert cut_middle("clip.mp4", 12, ellipsis="…") == "clip.mp4"


def test_characters_of_disputed_width_are_left_out_of_rows() -> None:
    assert displayable("👩\u200d🚀 ❤\ufe0f 👍🏽\u202fa\x1b[2J") == "👩🚀 ❤ 👍 a\\x1b[2J"
    assert displayable("🇩🇪.mp4") == "DE.mp4"
    assert displayable("e" + "\u0301" * 9) == "e" + "\u0301" * 3
    assert displayable("ü.mp4", ascii_only=True) == "\\xfc.mp4"


def test_amounts_share_a_unit_and_rates_use_the_same_units() -> None:
    assert bytes_text(112 * 1024**2, 256 * 1024**2) == "112.0/256.0 MiB"
    assert bytes_text(0, 3 * 1024**3) == "0.0/3.0 GiB"
    assert bytes_text(5, 100) == "5/100 bytes"
    assert bytes_text(1536, None) == "1.5 KiB"
    assert rate_text(81.3 * 1024**2) == "81.3 MiB/s"
    assert (time_text(6), time_text(3723)) == ("0:06", "1:02:03")


def transfers() -> list[TransferRow]:
    done, failed, running, waiting = (TransferRow(name, 1024) for name in "abcd")
    done.begin("a", 1024, 1024)
    done.verified()
    failed.failed()
    running.begin("c", 1024, 512)
    return [done, failed, running, waiting]


def test_the_summary_counts_files_and_bytes() -> None:
    text = Summary().text(transfers(), 199)
    counts = "1 done, 1 running, 1 waiting, 1 failed"
    assert text == f"4 files: {counts}, 1.5/4.0 KiB, 0:00 elapsed"


@pytest.mark.parametrize("width", range(39, 120, 7))
@pytest.mark.parametrize("copies", [1, 25, 250])
def test_the_summary_keeps_whole_counts_at_any_width(width: int, copies: int) -> None:
    text = Summary().text(transfers() * copies, width)
    assert len(text) <= width
    pattern = rf"{copies} done, {copies} run(ning)?, {copies} wait(ing)?, {copies} fail(ed)?(,.*)?$"
    assert re.search(pattern, text)


def test_a_row_tells_the_time_left_only_once_its_rate_is_known_well(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, row = Clock(), TransferRow()
    monkeypatch.setattr(time, "monotonic", clock)
    row.begin("checked", 1000, 0)
    shown = []
    for second in range(1, 7):
        clock.now += 1
        row.stored(second * 100)
        shown.append(row.text().time)
    assert shown == ["", "", "", "", "0:05 left", "0:04 left"]


def test_a_line_of_a_log_tells_no_time_left_at_the_begin(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars("tqdm", quiet=False) as bars:
        bar = bars.transfer()
        bar.begin("checked", 10**9, 0)
        bar.stored(1000)
    lines = capsys.readouterr().err
    assert "checked: " in lines
    assert "<" not in lines
    assert "?" not in lines
