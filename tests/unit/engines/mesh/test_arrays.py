"""Scaling of pictures: every pixel counts where one shrinks."""

import numpy as np
import pytest

from facecli.engines.mesh.arrays import resized


@pytest.mark.parametrize("size", [(400, 400), (300, 300), (200, 100), (123, 77), (25, 199), (50, 50)])
def test_a_chequerboard_shrinks_to_grey(size: tuple[int, int]) -> None:
    rows, columns = np.indices((400, 400))
    board = ((rows + columns) % 2 * 200).astype(np.uint8)
    small = resized(board, size)
    assert small.shape == size[::-1]
    assert (small == board).all() if size == (400, 400) else abs(float(small.mean()) - 100) < 2
    if max(size) <= 200:
        assert np.abs(small.astype(int) - 100).max() <= 1
