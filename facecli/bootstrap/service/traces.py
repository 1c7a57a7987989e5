"""The tracer that the settings ask for."""

from contextlib import AbstractContextManager, nullcontext

from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.telemetry.traces.spans import NO_TRACER, Tracer


def traces(settings: Settings, *, service: str) -> AbstractContextManager[Tracer]:
    """The tracer of a process, whose name is `service`, until leaving. InvalidInput without the extra."""
    if not settings.traces:
        return nullcontext(NO_TRACER)
    try:
        from facecli.telemetry.traces.otel import otel_traces  # loads OpenTelemetry
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "traces need the extra otel: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        ) from error
    return otel_traces(service, ENVIRONMENT)
