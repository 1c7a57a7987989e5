"""Paths of the config file and the data directories."""

from collections.abc import Mapping
from pathlib import Path

from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import PREFIX, Settings
from facecli.core.errors import InvalidInput


def config_file(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Path of the config file with the profiles; a file named by FACECLI_CONFIG must exist."""
    if path := environment.get(f"{PREFIX}CONFIG"):
        if not Path(path).exists():
            raise InvalidInput(f"{PREFIX}CONFIG: file {path} does not exist")
        return Path(path)
    import platformdirs

    return Path(platformdirs.user_config_dir("facecli")) / "config.toml"


def local_directory() -> Path:
    """Path of the directory of the server that runs for a command, with its data."""
    import platformdirs

    return Path(platformdirs.user_data_dir("facecli-local"))


def data_directory(settings: Settings) -> Path:
    """Path of the data directory; the platform's default unless set."""
    if settings.data_dir:
        return Path(settings.data_dir)
    import platformdirs

    return Path(platformdirs.user_data_dir("facecli"))
