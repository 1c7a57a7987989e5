"""The engines of this installation: the built-in one, and those that packages declare."""

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

from facecli.core.engines import Engine, FoundEngine
from facecli.core.errors import FacecliError, InvalidInput
from facecli.core.media import Media
from facecli.engines.mock import MockEngine

GROUP = "facecli.engines"
PARTS = ("name", "version", "needs", "check", "swap")

# How somebody else's code fails when it is loaded, or lacks what it needs on this machine.
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    FacecliError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)

_log = logging.getLogger(__name__)


def declared() -> Iterable[EntryPoint]:
    """What installed packages offer: a name, and a class that takes a `core.media.Media`."""
    return entry_points(group=GROUP)


class InstalledEngines:
    """Loads plug-ins when first asked; one that cannot be loaded is named in the log and left out."""

    def __init__(self, media: Media, *, plugins: Callable[[], Iterable[EntryPoint]] = declared) -> None:
        self._media = media
        self._plugins = plugins

    def names(self) -> list[str]:
        return sorted(name for name, (engine, _) in self._all.items() if engine)

    def get(self, name: str) -> Engine:
        engine, _ = self._all.get(name, (None, None))
        if engine is None:
            there = ", ".join(self.names())
            raise InvalidInput(f"there is no engine {name!r}; there are: {there}")
        return engine

    def found(self) -> list[FoundEngine]:
        """Every one that a package declares, also the broken ones, by name."""
        return [found for _, (_, found) in sorted(self._all.items())]

    @cached_property
    def _all(self) -> dict[str, tuple[Engine | None, FoundEngine]]:
        mock = MockEngine(self._media)
        engines: dict[str, tuple[Engine | None, FoundEngine]] = {mock.name: (mock, _found(mock, "facecli"))}
        for plugin in self._plugins():
            if plugin.name in engines:
                if plugin.value != f"{MockEngine.__module__}:{MockEngine.__qualname__}":
                    _log.warning("engine %s (%s) is left out: the name is taken", plugin.name, plugin.value)
                continue
            engines[plugin.name] = self._loaded(plugin)
        return engines

    def _loaded(self, plugin: EntryPoint) -> tuple[Engine | None, FoundEngine]:
        package = plugin.dist.name if plugin.dist else ""
        try:
            engine: Engine = plugin.load()(self._media)
            missing = [part for part in PARTS if not hasattr(engine, part)]
            if missing:
                raise TypeError(f"it has no {' and no '.join(missing)}")
            return engine, _found(engine, package, name=plugin.name)
        except BROKEN as error:
            _log.warning("engine %s (%s) is left out: %s", plugin.name, plugin.value, error)
            broken = FoundEngine(name=plugin.name, version="", package=package, needs=(), broken=str(error))
            return None, broken


def _found(engine: Engine, package: str, *, name: str = "") -> FoundEngine:
    return FoundEngine(
        name=name or engine.name,
        version=str(engine.version),
        package=package,
        needs=tuple(map(str, engine.needs)),
        broken="",
    )
