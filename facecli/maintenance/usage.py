"""Check of the usage of users, which is kept up to date, against their uploads and tasks."""

from collections.abc import Iterator
from functools import partial

from facecli.core.damage import Damage, DamageKind
from facecli.uploads.quota import Usage, UsageRepository


def usage_damage(repository: UsageRepository) -> Iterator[Damage]:
    """Yield a damage for each user whose usage is wrong."""
    for owner, (found, real) in repository.wrong().items():
        yield Damage(
            kind=DamageKind.DATABASE,
            id=f"usage of {owner}",
            problem=f"the quota counts {_text(found)}; there are {_text(real)}",
            remedy="it is corrected",
            repair=partial(repository.correct, owner, found=found, real=real),
        )


def _text(usage: Usage) -> str:
    return f"{usage.stored} bytes, {usage.unfinished} unfinished uploads and {usage.waiting} waiting tasks"
