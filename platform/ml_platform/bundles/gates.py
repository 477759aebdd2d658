"""A gate that opens when a webhook answers.

A Deployment that is available and a caBundle that is set are necessary, not sufficient: between them and an answer lie
endpoints, rules that the webhook writes itself, and trust. The gate sends, as a dry run, an object that the webhook has
to refuse, until it does.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles.catalog import Probe
from ml_platform.bundles.errors import BundleError
from ml_platform.kube import Client, KubeError

DEADLINE = 120.0
FIELD_MANAGER = "ml-platform"


class WebhookGate(dynamic.Resource, module="bundles", name="WebhookGate"):
    """Created when all `probes` were refused by their webhooks; checked again when `trigger` changes."""

    def __init__(
        self,
        name: str,
        *,
        namespace: str,
        probes: Sequence[Probe],
        trigger: pulumi.Input[str],
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "namespace": namespace,
            "probes": [probe.model_dump(mode="json") for probe in probes],
            "trigger": trigger,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        changed = [key for key in news if key not in ("__provider", "kubeconfig") and olds.get(key) != news[key]]
        return dynamic.DiffResult(changes=bool(changed))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        _pass(props)
        return dynamic.CreateResult(id_=props["namespace"], outs=props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        _pass(news)
        return dynamic.UpdateResult(outs=news)


def _pass(props: Mapping[str, Any]) -> None:
    client = Client.from_kubeconfig(props["kubeconfig"])
    end = time.monotonic() + DEADLINE
    for probe in props["probes"]:
        while (answer := _ask(client, probe)) is not None:
            if time.monotonic() > end:
                raise BundleError(_complaint(client, props["namespace"], probe, answer))
            time.sleep(0.25)


def _ask(client: Client, probe: Mapping[str, Any]) -> str | None:
    """None when the webhook refused, else what came instead."""
    refusal = f'admission webhook "{probe["webhook"]}" denied the request'
    try:
        client.create(dict(probe["manifest"]), field_manager=FIELD_MANAGER, dry_run=True)
    except KubeError as error:
        return None if refusal in error.message else error.message
    return "the object was accepted without asking it"


def _complaint(client: Client, namespace: str, probe: Mapping[str, Any], answer: str) -> str:
    return (
        f"Webhook {probe['webhook']} does not answer after {DEADLINE:.0f} s: {answer}\n"
        f"{_last_lines(client, namespace, probe['pods'])}"
    )


def _last_lines(client: Client, namespace: str, selector: str) -> str:
    try:
        pods = client.list("v1", "Pod", namespace, labels=selector)
    except KubeError as error:
        return f"Its pods in namespace {namespace} ({selector}) can't be read: {error.message}"
    if not pods:
        return f"No pod in namespace {namespace} has the labels {selector}."
    name = pods[0]["metadata"]["name"]
    status = json.dumps(pods[0].get("status", {}).get("containerStatuses", []))[:500]
    try:
        return f"Pod {name}: {status}\n{client.logs(namespace, name, tail=10)}"
    except KubeError as error:
        return f"Pod {name}: {status}\n{error.message}"
