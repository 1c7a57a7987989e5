"""The workers that a server starts."""

from dataclasses import replace

from facecli.bootstrap.factories import EMBEDDED_PREFIX, worker_command
from facecli.bootstrap.server_components import ServerComponents
from facecli.bootstrap.service.log_level import SETTING, order
from facecli.config.child_environment import child_environment
from facecli.config.settings import Settings, variable
from facecli.core.events import EventBus, WorkerExited
from facecli.tasks.worker_end import WorkerEnd
from facecli.worker.supervisor import Supervisor


def create_supervisor(
    settings: Settings, components: ServerComponents, worker_events: EventBus
) -> Supervisor:
    """`worker_events` are those that the workers send: their own logs have them already."""
    worker_settings = replace(settings, data_dir=str(components.directory.resolve()), metrics="")

    def crashed(name: str, end: WorkerEnd) -> None:
        components.events.publish(WorkerExited(worker=name))
        components.recovery.recover_former(data_dir_id=components.data_dir_id, is_former=name.__eq__, end=end)

    return Supervisor(
        names=[
            f"{EMBEDDED_PREFIX}{components.data_dir_id}-{number}" for number in range(1, settings.workers + 1)
        ],
        command=worker_command,
        environment=child_environment(worker_settings, secrets=("database",)),
        crashed=crashed,
        publish=worker_events.publish,
    )


def set_log_level(supervisor: Supervisor, level: str) -> None:
    """Tell the level to the workers, and to those that start later."""
    supervisor.tell(order(level), environment={variable(SETTING): level})
