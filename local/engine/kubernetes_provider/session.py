"""What the calls of one provider share: its settings, its connection, and the waits that a cancel ends.

The cluster is not asked, and no client loaded, before the first call that needs it.
"""

import threading
from typing import TYPE_CHECKING, Any

from kubernetes_provider import state
from kubernetes_provider.check import annotation
from kubernetes_provider.messages import Messages
from kubernetes_provider.ownership import CREATOR, new_manager
from kubernetes_provider.settings import Settings

if TYPE_CHECKING:
    from ml_platform.kube import Client

    from kubernetes_provider.waiting import Waiter
    from kubernetes_provider.write import Writer

Object = dict[str, Any]

TIMEOUT = "pulumi.com/timeoutSeconds"
FIELD_MANAGER = "pulumi.com/patchFieldManager"


class Session:
    """From `Configure` to the end of the process."""

    def __init__(self, settings: Settings, messages: Messages) -> None:
        self.settings = settings
        self.messages = messages
        self.cancelled = threading.Event()
        self._client: Client | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> "Client":
        from ml_platform.kube import Client, Unreachable

        with self._lock:
            if self.settings.connection is None:
                raise Unreachable(self.settings.unusable)
            if self._client is None:
                self._client = Client(
                    self.settings.connection, timeout=self.settings.timeout, warn=self.messages.warning
                )
            return self._client

    def unreachable(self) -> str:
        """Why the cluster cannot be asked; empty where it can."""
        from ml_platform.kube import KubeError

        try:
            self.client.request("GET", "/version", timeout=5.0)
        except KubeError as error:
            return error.message
        return ""

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """A kind that nobody serves yet counts as namespaced; the create corrects it."""
        from ml_platform.kube import KubeError

        try:
            return self.client.resource(api_version, kind).namespaced
        except KubeError:
            return True

    def manager(self, inputs: Object, old_state: Object) -> str:
        """The field manager: chosen by annotation, else as in the state, else a new one."""
        if not self.settings.server_side_apply:
            return CREATOR
        chosen = annotation(inputs, FIELD_MANAGER) or old_state.get(state.MANAGER)
        return str(chosen or new_manager())

    def writer(self) -> "Writer":
        from kubernetes_provider.write import Writer

        return Writer(self.client, self.settings, self.messages.status, self.cancelled)

    def waiter(self, inputs: Object, timeout: float) -> "Waiter":
        """`timeout` is the resource option's, 0 where there is none."""
        from kubernetes_provider.waiting import Waiter

        text = annotation(inputs, TIMEOUT)
        seconds = timeout or (float(text) if text.isdigit() else None)
        return Waiter(self.client, self.cancelled, self.messages.status, seconds)

    def until_ready(self, inputs: Object, live: Object, timeout: float) -> tuple[Object, tuple[str, ...]]:
        """The object when it is ready, or as it was last seen with the reasons why it is not.

        It is in the cluster: whatever goes wrong from here on is such a reason, since an error without the object would
        lose it.
        """
        from kubernetes_provider.readiness import rule
        from kubernetes_provider.waiting import Incomplete, name

        try:
            wanted = rule(inputs, live, await_all=self.settings.await_all)
            return (self.waiter(inputs, timeout).until_ready(live, wanted) if wanted else live), ()
        except Incomplete as incomplete:
            return incomplete.live, tuple(incomplete.reasons)
        except Exception as error:
            return live, (f"{name(live)} is there, and whether it is ready can't be told: {error or type(error)}",)

    def not_ready(self, inputs: Object, live: Object) -> str:
        """Why the object is not ready at this moment; empty where it is."""
        from kubernetes_provider.readiness import rule
        from kubernetes_provider.waiting import name

        wanted = rule(inputs, live, await_all=False)
        answer = wanted(live, self.client) if wanted else None
        return "" if answer is None or answer.done else f"{name(live)} is not ready: {answer.message}"
