"""Groups of options for the tasks that a command creates; see `facecli.cli.shared.command`."""

from dataclasses import dataclass

from facecli.cli.label.terms import ConsentOption, NoLabel
from facecli.cli.shared.options import Engine, EngineOptions, Notify, PresetName, PriorityOption
from facecli.client.terms import stated_terms
from facecli.config.presets import preset as preset_of
from facecli.core.errors import InvalidInput
from facecli.tasks.provenance.terms import Terms
from facecli.tasks.task import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """The engine of tasks and its options."""

    engine: Engine = None
    option: EngineOptions = None
    preset: PresetName = None

    def resolved(self) -> tuple[str, dict[str, str]]:
        """Engine and options: those of --preset, except where --engine and --option say otherwise."""
        options = _parse_options(self.option)
        if not self.preset:
            return self.engine or "", options
        found = preset_of(self.preset)
        return self.engine or found.engine, {**found.options, **options}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTerms:
    """Terms, urgency and notification of tasks."""

    notify: Notify = None
    consent: ConsentOption = None
    no_label: NoLabel = None
    priority: PriorityOption = Priority.NORMAL.label

    def stated(self) -> Terms:
        """The terms of the task; InvalidInput for a consent that cannot be read."""
        return stated_terms(self.no_label, self.consent)

    @property
    def webhook(self) -> str:
        """URL of a webhook, or empty."""
        return self.notify or ""

    def chosen_priority(self) -> Priority:
        return Priority.labelled(self.priority)


def _parse_options(pairs: list[str] | None) -> dict[str, str]:
    """Parse the `K=V` pairs of --option."""
    options = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--option {pair!r} is not K=V")
        options[name] = value
    return options
