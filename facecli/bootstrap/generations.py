"""The generation of a data directory while a server runs: in the database first, then in the directory."""

import logging
from collections.abc import Iterator
from pathlib import Path

from facecli.blobs.generation import check_generation, generation, older, record_generation
from facecli.blobs.privacy import OPEN, close_to_others, describe, mode_of
from facecli.core.damage import Damage, DamageKind
from facecli.core.errors import FacecliError, StorageFailed
from facecli.metadata.directories import SqlDirectoryRepository

_log = logging.getLogger(__name__)


class Generations:
    """Raises the generation of one data directory."""

    def __init__(self, directory: Path, *, data_dir_id: str, repository: SqlDirectoryRepository) -> None:
        self._directory = directory
        self._data_dir_id = data_dir_id
        self._repository = repository
        self._newest_row: float | None = None

    @property
    def known(self) -> int:
        """The generation that the database knows."""
        return self._repository.generation(self._data_dir_id)

    def open(self) -> None:
        """Raise the generation at start; PolicyRefused when the database is older than the directory."""
        check_generation(self._directory, known=self.known)
        self._raise()

    def raise_if_changed(self) -> None:
        """Raise the generation if a row has changed since."""
        if self._repository.newest_row() != self._newest_row:
            self._raise()

    def close(self) -> None:
        """Raise the generation at the end, if the database is available."""
        try:
            self.raise_if_changed()
        except FacecliError as error:
            _log.warning("generation was not recorded", extra={"error": error.message})

    def adopt(self, *, above: int) -> None:
        """Make an older database the one of this directory, beyond the generation that the directory had."""
        self._raise(above=above)

    def _raise(self, *, above: int = 0) -> None:
        newest = self._repository.newest_row()
        number = self._repository.raise_generation(self._data_dir_id, above=above)
        record_generation(self._directory, number)
        self._newest_row = newest


def directory_damage(directory: Path, generations: Generations) -> Iterator[Damage]:
    """Report a directory that others can read, and a database that is older; the repair adopts it."""
    if mode_of(directory) & OPEN:
        yield Damage(
            kind=DamageKind.DIRECTORY,
            id="permissions",
            problem=describe(directory),
            remedy="it is closed to them, with every file inside",
            repair=lambda: close_to_others(directory),
        )
    try:
        newest, problem = generation(directory), ""
    except StorageFailed as error:
        newest, problem = 0, error.message
    if newest > generations.known:
        problem = older(directory, known=generations.known, newest=newest)
    if problem:
        yield Damage(
            kind=DamageKind.DIRECTORY,
            id="generation",
            problem=problem,
            remedy="this database is adopted; it does not know the uploads and results of the newer one",
            repair=lambda: generations.adopt(above=newest),
        )
