"""The engine registry: engines declared as entry points, by pyproject.toml (ours) or by other packages."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, partial
from importlib.metadata import EntryPoint, entry_points

from facecli.core.errors import FacecliError, InvalidInput, NotConfigured
from facecli.core.video.engines import DescribedEngine, Engine, EngineInfo, StartingEngine
from facecli.core.video.media import Media
from facecli.engines.inswapper.engine import InswapperEngine
from facecli.engines.inswapper.weights import OwnWeights
from facecli.engines.mesh.engine import MeshEngine
from facecli.engines.mock import MockEngine

GROUP = "facecli.engines"
BuiltIn = type[MockEngine] | type[MeshEngine]
BUILT_IN: tuple[BuiltIn, ...] = (MockEngine, MeshEngine, InswapperEngine)
REQUIRED_ATTRIBUTES = ("name", "version", "needs", "check", "swap")

# Failures of other people's code when it is loaded, or lacks a requirement on this machine.
LOAD_ERRORS = (
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


def declared_engines() -> Iterable[EntryPoint]:
    """Return the entry points of installed packages: a name, and a class that takes a `Media`."""
    return entry_points(group=GROUP)


class InstalledEngines:
    """Loads plug-ins on first use. One that cannot be loaded is logged and skipped."""

    def __init__(
        self,
        media: Media,
        *,
        plugins: Callable[[], Iterable[EntryPoint]] = declared_engines,
        weights: OwnWeights | None = None,
    ) -> None:
        self._media = media
        self._plugins = plugins
        self._makers: dict[BuiltIn, Callable[[Media], MockEngine | MeshEngine]] = {
            InswapperEngine: partial(InswapperEngine, weights=weights)
        }

    def names(self) -> list[str]:
        return sorted(name for name, (engine, _) in self._loaded.items() if engine)

    def get(self, name: str) -> Engine:
        engine, _ = self._loaded.get(name, (None, None))
        if engine is None:
            available = ", ".join(self.names())
            raise InvalidInput(f"there is no engine {name!r}; there are: {available}")
        return engine

    def infos(self) -> list[EngineInfo]:
        """Return every declared engine by name, also the broken ones."""
        return [info for _, (_, info) in sorted(self._loaded.items())]

    def default(self, configured: str = "") -> tuple[str, str]:
        """The engine for tasks that name none, and the reason if it is a fallback; else empty.

        InvalidInput if the configured one does not exist.
        """
        if configured:
            self.get(configured)
            return configured, ""
        preferred, info = self._loaded[MeshEngine.name]
        if preferred is not None:
            return MeshEngine.name, ""
        return MockEngine.name, f"engine {MeshEngine.name} cannot be used: {info.broken}"

    def start(self) -> list[EngineInfo]:
        """Start the engines that have to be started; all engines, with what this machine makes of them."""
        return [self._started(info) for info in self.infos()]

    def _started(self, info: EngineInfo) -> EngineInfo:
        engine, _ = self._loaded[info.name]
        if not isinstance(engine, StartingEngine):
            return info
        try:
            about = engine.start()
        except LOAD_ERRORS as error:
            if not isinstance(error, NotConfigured):
                _log.warning("engine does not run here", extra={"engine": info.name, "reason": str(error)})
            return replace(info, unavailable=str(error))
        return replace(info, version=str(engine.version), about=about)

    @cached_property
    def _loaded(self) -> dict[str, tuple[Engine | None, EngineInfo]]:
        engines = {kind.name: self._built_in(kind) for kind in BUILT_IN}
        for plugin in self._plugins():
            if plugin.name not in engines:
                engines[plugin.name] = self._load(plugin)
            elif plugin.value not in {f"{kind.__module__}:{kind.__qualname__}" for kind in BUILT_IN}:
                _log_skipped(plugin, "the name is taken")
        return engines

    def _built_in(self, kind: BuiltIn) -> tuple[Engine | None, EngineInfo]:
        """Load an engine of facecli, whose extra may be missing."""
        try:
            engine = self._makers.get(kind, kind)(self._media)
        except FacecliError as error:
            return None, _broken(kind.name, "facecli", error)
        return engine, _info(engine, "facecli")

    def _load(self, plugin: EntryPoint) -> tuple[Engine | None, EngineInfo]:
        package = plugin.dist.name if plugin.dist else ""
        try:
            engine: Engine = plugin.load()(self._media)
            missing = [name for name in REQUIRED_ATTRIBUTES if not hasattr(engine, name)]
            if missing:
                raise TypeError(f"it has no {' and no '.join(missing)}")
            return engine, _info(engine, package, name=plugin.name)
        except LOAD_ERRORS as error:
            _log_skipped(plugin, str(error))
            return None, _broken(plugin.name, package, error)


def _log_skipped(plugin: EntryPoint, reason: str) -> None:
    _log.warning(
        "engine skipped", extra={"engine": plugin.name, "entry_point": plugin.value, "reason": reason}
    )


def _broken(name: str, package: str, error: BaseException) -> EngineInfo:
    return EngineInfo(name=name, version="", package=package, needs=(), broken=str(error))


def _info(engine: Engine, package: str, *, name: str = "") -> EngineInfo:
    return EngineInfo(
        name=name or engine.name,
        version=str(engine.version),
        package=package,
        needs=tuple(map(str, engine.needs)),
        broken="",
        options=tuple(engine.options) if isinstance(engine, DescribedEngine) else (),
    )
