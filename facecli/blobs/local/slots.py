"""The slots of a staged file: positions of `part_size` bytes, each free or held by one part.

Theory of operation. The home slot of a part is its index times the part size, and only that part ever uses
it. All further slots, the spare ones, follow the last home slot and serve any part. A part that replaces a
committed one takes its home slot if that is free, else a spare one. Once the replacement is committed the
slot of the part before is free. So a file holds each part once, plus one more slot for each replacement that
is being written.
"""

from collections.abc import Mapping


class Slots:
    """Slots of one file by position. Not safe to use from many threads."""

    def __init__(self, *, part_size: int, count: int, committed: Mapping[int, int]) -> None:
        """`committed` are the positions of committed parts by index; those of new parts are added later."""
        self._part_size = part_size
        self.home_end = count * part_size
        self._taken = set(committed.values())  # by committed parts or by parts being written
        self._free: set[int] = set()  # spare slots before `end`
        self.end = self.home_end  # of the last slot in use
        for position in sorted(position for position in self._taken if position >= self.home_end):
            self._free.update(range(self.end, position - part_size + 1, part_size))
            self.end = position + part_size

    def home(self, index: int) -> int:
        return index * self._part_size

    def take(self, index: int) -> int:
        """Take a slot for a replacement of this part."""
        position = self.home(index)
        if position in self._taken:
            position = min(self._free) if self._free else self.end
            self._free.discard(position)
            self.end = max(self.end, position + self._part_size)
        self._taken.add(position)
        return position

    def take_home(self, index: int) -> int:
        """Take the home slot of a part that is not stored yet."""
        position = self.home(index)
        self._taken.add(position)
        return position

    def give_back(self, position: int) -> None:
        """Free a slot; the last spare slots leave the file."""
        self._taken.discard(position)
        if position < self.home_end:
            return
        self._free.add(position)
        while self.end - self._part_size in self._free:
            self.end -= self._part_size
            self._free.discard(self.end)

    def unused(self, committed: Mapping[int, int]) -> list[int]:
        """Positions before `end` that a crash may have left with bytes, given the committed parts."""
        displaced = (index for index, position in committed.items() if position >= self.home_end)
        return [*map(self.home, displaced), *sorted(self._free)]
