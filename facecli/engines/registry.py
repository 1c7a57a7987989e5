"""The engines of this installation: the built-in one, and those that packages declare."""

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

from facecli.core.engines import Engine
from facecli.core.errors import FacecliError, InvalidInput
from facecli.core.media import Media
from facecli.engines.mock import MockEngine

GROUP = "facecli.engines"

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
        return sorted(self._engines)

    def get(self, name: str) -> Engine:
        try:
            return self._engines[name]
        except KeyError:
            there = ", ".join(self.names())
            raise InvalidInput(f"there is no engine {name!r}; there are: {there}") from None

    @cached_property
    def _engines(self) -> dict[str, Engine]:
        engines: dict[str, Engine] = {MockEngine.name: MockEngine(self._media)}
        for plugin in self._plugins():
            if plugin.name in engines:
                if plugin.value != f"{MockEngine.__module__}:{MockEngine.__qualname__}":
                    _log.warning("engine %s (%s) is left out: the name is taken", plugin.name, plugin.value)
                continue
            engine = self._loaded(plugin)
            if engine is not None:
                engines[plugin.name] = engine
        return engines

    def _loaded(self, plugin: EntryPoint) -> Engine | None:
        try:
            engine: Engine = plugin.load()(self._media)
            missing = [
                part for part in ("name", "version", "needs", "check", "swap") if not hasattr(engine, part)
            ]
            if missing:
                raise TypeError(f"it has no {' and no '.join(missing)}")
        except BROKEN as error:
            _log.warning("engine %s (%s) is left out: %s", plugin.name, plugin.value, error)
            return None
        return engine
