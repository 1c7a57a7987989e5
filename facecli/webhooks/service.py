"""The webhooks of new tasks: checked before a task is created, stored with it."""

from facecli.tasks.task import Task
from facecli.tasks.view import WebhookView
from facecli.webhooks.targets import TargetPolicy
from facecli.webhooks.webhook import WebhookRepository


class Webhooks:
    """Accepts the URLs that the policy allows. Without a repository nobody is notified."""

    def __init__(self, policy: TargetPolicy, repository: WebhookRepository | None) -> None:
        self._policy = policy
        self._repository = repository

    def check(self, url: str) -> None:
        """NotConfigured, InvalidInput or PolicyRefused unless this server may notify the receiver."""
        self._policy.check(url)

    def view(self, task: Task) -> WebhookView | None:
        """The state of the notification of the task's end; None if nobody is to be notified."""
        return self._repository.view(task) if self._repository else None

    def register(self, task_id: str, url: str) -> None:
        """Notify this URL, which was checked, when the task has ended."""
        assert self._repository
        self._repository.register(task_id, url)
