"""A dynamic resource that makes nothing: it waits for what others do, and its outputs are what came of that.

It asks the Kubernetes API only, since nothing else of a private cluster is reachable from where the CLI runs. It waits
again when it is to wait for something else, and there is nothing to delete.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import pulumi
from ml_platform.asking import asked
from ml_platform.kube import Client, KubeError, Object
from pulumi import dynamic

LOG_LINES = 20
PATIENCE = 60.0
"""Seconds for a server that is away, where the inputs have no `timeout` of the whole."""


class Awaited(dynamic.Resource):
    """`inputs` say what is waited for; `outputs` are named here and known afterwards."""

    def __init__(
        self,
        provider: "AwaitedProvider",
        name: str,
        kubeconfig: pulumi.Input[str],
        inputs: Mapping[str, Any],
        outputs: Collection[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        props = {"kubeconfig": pulumi.Output.secret(kubeconfig), **inputs, **dict.fromkeys(outputs)}
        super().__init__(provider, name, props, opts)


class AwaitedProvider(dynamic.ResourceProvider):
    """Subclasses say which inputs name what is waited for, and how to wait for it."""

    serialize_as_secret_always = False  # it captures nothing

    identity: ClassVar[tuple[str, ...]]
    """Inputs that together are the resource's id."""
    reasons: ClassVar[tuple[str, ...]] = ()
    """Inputs that, like those of the identity, are a reason to wait again. A new kubeconfig is none."""

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs, when it is done."""
        raise NotImplementedError

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        keys = (*self.identity, *self.reasons)
        return dynamic.DiffResult(changes=any(olds.get(key) != news.get(key) for key in keys))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_=self._id(props), outs=self._waited(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs=self._waited(news))

    def _id(self, props: Mapping[str, Any]) -> str:
        return "/".join(props[key] for key in self.identity)

    def _waited(self, props: Mapping[str, Any]) -> dict[str, Any]:
        patience = float(props.get("timeout", PATIENCE))
        with asked(props["kubeconfig"], f"what became of {self._id(props)}", patience=patience) as client:
            return {**props, **self.wait(client, props)}


def last_lines(
    client: Client, namespace: str, pods: Iterable[Object], *containers: str, lines: int = LOG_LINES
) -> str | None:
    """The end of the first log that is there: of `containers` in their order, or of the pods' only one."""
    for pod in pods:
        name = pod["metadata"]["name"]
        for container in containers or (None,):
            if text := _log(client, namespace, name, container, lines):
                return f"The last lines of {f'{container} in ' if container else ''}pod {name}:\n{text}"
    return None


def _log(client: Client, namespace: str, pod: str, container: str | None, lines: int) -> str:
    try:
        return client.last_words(namespace, pod, container=container, tail=lines).rstrip()
    except KubeError:
        return ""
