"""The log level of a running server or worker: read again from the config file, and passed on to workers."""

import logging
from collections.abc import Callable
from typing import get_args

from facecli.config.loader import load_with_sources
from facecli.config.settings import LogLevel, variable
from facecli.core.errors import FacecliError
from facecli.telemetry.logs import set_log_level

SETTING = "log_level"

_log = logging.getLogger(__name__)


def reread_log_level(profile: str, *, tell: Callable[[str], None] = lambda level: None) -> None:
    """Apply the level that the profile of the config file has now, and `tell` it to the workers.

    A config file that cannot be used changes nothing, and is named in the log.
    """
    try:
        loaded = load_with_sources({}, profile=profile)
    except FacecliError as error:
        _log.error("configuration not read again", extra={"error": error.message})
        return
    level, source = loaded.settings.log_level, loaded.sources.get(SETTING, "the default")
    set_log_level(level)
    tell(level)
    # At the level warning, so that a log that shows less says so, too.
    _log.warning("log level set", extra={SETTING: level, "source": source})
    if source == variable(SETTING):
        _log.warning(
            "the config file cannot change it while that variable is set", extra={"variable": source}
        )


def order(level: str) -> str:
    """The line with which a server tells its workers the level."""
    return f"{SETTING} {level}"


def obey(line: str) -> None:
    """Apply the line of a server; another one is ignored."""
    name, _, level = line.partition(" ")
    if name == SETTING and level in get_args(LogLevel):
        set_log_level(level)
