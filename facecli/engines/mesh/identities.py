"""Identities: the people of a video, and which of them are wanted.

Theory of operation: segments are swapped apart from each other and again after a crash, so "the largest face
of this frame" would be somebody else in another segment. The people are therefore found once, in frames at
fixed places of the whole file, and told apart by their embeddings; the choice is then a function of the file
alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from facecli.core.errors import InvalidInput
from facecli.engines.mesh.networks import Embedding, distance

MAX_PEOPLE = 100  # of a video: the others, with the least area, are nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A face in a sampled frame."""

    frame: int
    left: float  # of its square, in pixels
    area: float
    embedding: Embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person: the mean of the embeddings, the area over all samples, and the place where first seen."""

    embedding: Embedding
    area: float
    frame: int
    left: float

    def as_json(self) -> dict[str, Any]:
        values = [round(float(value), 6) for value in self.embedding]
        return {"embedding": values, "area": self.area, "frame": self.frame, "left": self.left}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Identity":
        embedding = np.array(values["embedding"], np.float32)
        return cls(embedding=embedding, area=values["area"], frame=values["frame"], left=values["left"])


def group(sightings: Iterable[Sighting], *, match: float) -> list[Identity]:
    """The people among the sightings, in the order in which they come, from the left to the right."""
    groups: list[list[Sighting]] = []
    for sighting in sightings:
        # Two faces of one frame are two people.
        candidates = [group for group in groups if group[-1].frame != sighting.frame]
        nearest = min(candidates, key=lambda group: _apart(group, sighting), default=None)
        if nearest is not None and _apart(nearest, sighting) < match:
            nearest.append(sighting)
        else:
            groups.append([sighting])
    people = [
        Identity(
            embedding=_mean(group),
            area=sum(sighting.area for sighting in group),
            frame=group[0].frame,
            left=group[0].left,
        )
        for group in groups
    ]
    people = sorted(people, key=lambda person: person.area)[-MAX_PEOPLE:]
    return sorted(people, key=lambda person: (person.frame, person.left))


class Selection:
    """Decides by an embedding whether a face is wanted."""

    def __init__(
        self, faces: str, people: Sequence[Identity], *, match: float, like: Sequence[float] = ()
    ) -> None:
        """`faces` is the option of this name, `like` the embedding of the picture that it names."""
        self._match = match
        self._all = faces == "all"
        self._people = people
        self._wanted: Embedding | None = None
        if faces == "main" and people:
            self._wanted = max(people, key=lambda person: person.area).embedding
        elif faces.startswith("index:") and people:
            index = int(faces.removeprefix("index:"))
            if index >= len(people):
                shown = f"{len(people)} people" if len(people) > 1 else "1 person"
                raise InvalidInput(
                    f"option faces of engine mesh is {faces}, but the video shows {shown}; "
                    "the first one is index:0"
                )
            self._wanted = people[index].embedding
        elif faces.startswith("like:"):
            self._wanted = _alike(np.array(like, np.float32), people, match=match)

    def wants(self, face: Embedding) -> bool:
        if self._all:
            return True
        if self._wanted is None:
            return False
        apart = distance(face, self._wanted)
        # Of two people who look alike, the nearer one decides.
        others = (distance(face, person.embedding) for person in self._people if not self._is_wanted(person))
        return apart < self._match and apart <= min(others, default=apart)

    def _is_wanted(self, person: Identity) -> bool:
        return self._wanted is not None and distance(person.embedding, self._wanted) < self._match / 2


def _alike(wanted: Embedding, people: Sequence[Identity], *, match: float) -> Embedding:
    """The person of the video who is the wanted one; the wanted embedding itself if nobody was seen."""
    nearest = min((person.embedding for person in people), key=partial(distance, wanted), default=wanted)
    return nearest if distance(nearest, wanted) < match else wanted


def _apart(group: Sequence[Sighting], sighting: Sighting) -> float:
    return distance(_mean(group), sighting.embedding)


def _mean(group: Sequence[Sighting]) -> Embedding:
    return np.asarray(np.mean([sighting.embedding for sighting in group], axis=0), np.float32)
