"""A program run against mocks, with all that it asked the engine for: parents and dependencies too."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from ml_local import paths
from pulumi.runtime import mocks, rpc, settings
from support import offers

SECRET = rpc._special_sig_key
UNKNOWN = "[unknown]"
HIDDEN = "[secret]"
OUTPUTS: dict[str, dict[str, Any]] = {
    "pulumi-python:dynamic/workloads:RunOutcome": {
        "outputs": {
            "model": "a1b2", "champion": "7", "table": "ab12", "uri": "s3://b/k/table", "sha256": "cd34",
            "scores": "s3://b/k/", "files": "pvc://shelf/models/7",
        },
        "accepted": True, "rule": "accepted", "reason": "", "numbers": {},
    },
    "pulumi-python:dynamic/bundles:Preflight": {"cluster": "uid-of-kube-system"},
    "pulumi-python:dynamic/workloads:Rollout": {"revision": "iris-predictor-00001"},
    "pulumi-python:dynamic/certificates:WebhookCertificate": {
        "certificate": "CERTIFICATE", "private_key": "KEY", "ca_bundle": "Q0E=", "fingerprint": "0" * 8,
    },
}  # fmt: skip


@dataclass(frozen=True)
class OtherStack:
    """What a reference to another stack finds."""

    outputs: Mapping[str, Any]
    secrets: Collection[str] = ("kubeconfig", "object_store_secret_key")


class Outputs(mocks.Mocks):
    """Every resource has its inputs as outputs; dynamic ones have those that others build on."""

    def __init__(self, stacks: Mapping[str, OtherStack] | None = None) -> None:
        self.stacks = stacks or {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return args.name, {**args.inputs, **OUTPUTS.get(args.typ, {}), **self._of_stack(args)}

    def _of_stack(self, args: mocks.MockResourceArgs) -> dict[str, Any]:
        if args.typ != "pulumi:pulumi:StackReference":
            return {}
        other = self.stacks[args.inputs["name"]]
        return {"outputs": dict(other.outputs), "secretOutputNames": list(other.secrets)}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        raise AssertionError(f"the program calls {args.token}, which no preview of an empty cluster can answer")


class NothingYet(mocks.Mocks):
    """The first preview of an empty account: what a resource will have beside its inputs is unknown, its id too."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return "", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if said := offers.answer(args):
            return said
        raise AssertionError(f"the program calls {args.token}, and there is nothing yet that could answer")


class Recorder(mocks.MockMonitor):
    """Keeps every request by its URN."""

    def __init__(self, world: mocks.Mocks) -> None:
        super().__init__(world)
        self.requests: dict[str, Any] = {}
        self.exports: dict[str, Any] = {}
        self.secrets: set[str] = set()
        """Names of the exports that are secret."""

    @property
    def shown(self) -> dict[str, Any]:
        """The exports as people see them."""
        return {name: HIDDEN if name in self.secrets else value for name, value in self.exports.items()}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.requests[self.make_urn(request.parent, request.type, request.name)] = request
        return super().RegisterResource(request)

    def find(self, kind: str, name: str) -> Any:
        """The one request of this type and name; the type may be its last word."""
        matching = [
            request
            for request in self.requests.values()
            if request.name == name and kind in (request.type, request.type.rpartition(":")[2])
        ]
        assert len(matching) == 1, f"{len(matching)} resources are {kind} {name}"
        return matching[0]

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        return inputs(self.find(kind, name))


def record(
    program: Callable[[], Any],
    *,
    stack: str = "test",
    config: Mapping[str, Any] | None = None,
    secrets: Any = (),
    world: mocks.Mocks | None = None,
) -> Recorder:
    """Runs the program to its end, all registrations included; with NothingYet as its world, as a preview."""
    _forget_earlier()
    settings.ROOT.set(None)  # of an earlier test, under the name of its stack
    world = world or Outputs()
    recorder, preview = Recorder(world), isinstance(world, NothingYet)
    mocks.set_mocks(world, project="ml-platform", stack=stack, preview=preview, monitor=recorder)
    pulumi.runtime.settings.SETTINGS.root_directory = str(paths.checkout())
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (config or {}).items()}
    pulumi.runtime.set_all_config(values, list(secrets))

    @pulumi.runtime.test
    def run() -> Any:
        program()
        stack_itself: Any = pulumi.runtime.get_root_resource()
        recorder.exports.update(dict.fromkeys(stack_itself.outputs, UNKNOWN))
        outputs = {name: pulumi.Output.from_input(value) for name, value in stack_itself.outputs.items()}
        known = [
            value.apply(lambda found, name=name: recorder.exports.update({name: found}))
            for name, value in outputs.items()
        ]
        hidden = pulumi.Output.all(*(value.is_secret() for value in outputs.values()))
        seen = hidden.apply(lambda found: recorder.secrets.update(itertools.compress(outputs, found)))
        return pulumi.Output.all(seen, *known)

    try:
        run()
    finally:
        gc.enable()  # a run ends here, this process goes on
    return recorder


def _forget_earlier() -> None:
    """A new event loop: the one before holds all that its program has made, until it is closed."""
    with suppress(RuntimeError):  # there is none
        loop = asyncio.get_event_loop_policy().get_event_loop()
        for task in asyncio.all_tasks(loop):
            setattr(task, "_log_destroy_pending", False)  # noqa: B010 - asyncio's own way, which its types don't know
        loop.close()
    asyncio.set_event_loop(asyncio.new_event_loop())


def inputs(request: Any) -> dict[str, Any]:
    """What the engine was given, secrets as such and nothing of the process that ran."""
    values = masked(json_format.MessageToDict(request.object))
    values.pop("__provider", None)
    return dict(values)


def masked(value: Any) -> Any:
    """The value with `[secret]` for every secret, `[unknown]` for what no preview knows, whole numbers as such."""
    if isinstance(value, dict):
        return HIDDEN if SECRET in value else {key: masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    if value == rpc.UNKNOWN:
        return UNKNOWN
    return int(value) if isinstance(value, float) and value.is_integer() else value
