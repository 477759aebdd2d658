"""A gate that opens when a bundle works: its operator's own CRDs are served and its webhooks answer.

An available Deployment and a set caBundle do not suffice: endpoints, rules that the webhook writes itself, and trust
may come later. The gate sends, as a dry run, an object that the webhook must refuse, until it refuses it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles.catalog import Probe
from ml_platform.bundles.definitions import await_established
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.provider import Provider
from ml_platform.bundles.symptoms import symptoms
from ml_platform.kube import Client, KubeError

DEADLINE = 120.0
FIELD_MANAGER = "ml-platform"


class Gate(dynamic.Resource, module="bundles", name="Gate"):
    """Created when all `definitions` are established and all `probes` were refused by their webhooks. A change of
    `trigger` checks again."""

    def __init__(
        self,
        name: str,
        *,
        bundle: str,
        namespace: str,
        probes: Sequence[Probe],
        definitions: Sequence[str],
        trigger: pulumi.Input[str],
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "bundle": bundle,
            "namespace": namespace,
            "probes": [dict(probe) for probe in probes],
            "definitions": list(definitions),
            "trigger": trigger,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    silent = ("kubeconfig",)

    def identity(self, props: dict[str, Any]) -> str:
        return str(props["namespace"])

    def act(self, props: dict[str, Any]) -> None:
        with asked(props["kubeconfig"], f"whether bundle {props['bundle']} works", patience=DEADLINE) as client:
            _await_answers(client, props)


def _await_answers(client: Client, props: Mapping[str, Any]) -> None:
    await_established(client, props["definitions"], props["bundle"])
    end = time.monotonic() + DEADLINE
    for probe in props["probes"]:
        while (answer := _ask(client, probe)) is not None:
            if time.monotonic() > end:
                raise BundleError(
                    f"Webhook {probe['webhook']} of bundle {props['bundle']} does not answer after {DEADLINE:.0f} s: "
                    f"{answer}\n{symptoms(client, props['namespace'], probe['pods'])}"
                )
            time.sleep(0.25)


def _ask(client: Client, probe: Mapping[str, Any]) -> str | None:
    """None if the webhook refused the probe, else the answer that came instead."""
    refusal = f'admission webhook "{probe["webhook"]}" denied the request'
    try:
        client.create(dict(probe["manifest"]), field_manager=FIELD_MANAGER, dry_run=True)
    except KubeError as error:
        return None if refusal in error.message else error.message
    return "the object was accepted without asking it"
