"""A run: its description, its identity, the object that an operator runs, and the outcome.

A run is never edited. Its key, which is the name of its object, carries a hash of all that it does: a change is a new
run, and no change is no run. How an operator wants it declared is in job.py, ray_job.py and spark_application.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from ml_platform import names, pods
from ml_platform.component import NAMED_ANEW, Component
from ml_platform.objects import KubernetesObject

from ml_workloads.place import Place
from ml_workloads.run_kinds import RunKindName
from ml_workloads.run_outcome import RunOutcome

SPEC, FOLDER = "run.json", "/etc/ml-platform"
LONGEST = 47
"""The longest key: KubeRay makes a cluster of the name of a RayJob, and Services of that."""
RUNTIME = 1
"""The version of what ml_runtime makes of the same description: raised where its results become others, so that an
image that is built again from the same code runs nothing again."""

Manifest = Callable[["RunArgs", Mapping[str, Any]], Mapping[str, Any]]
"""The object of an operator, by the run's arguments and the specification of its pod."""


@dataclass(frozen=True, kw_only=True)
class RunArgs:
    place: Place
    block: str
    """The name that the key begins with."""
    key: pulumi.Output[str]
    """`<block>-<hash of all that it does>`: the name of its object, and of the ConfigMap with its verdict."""
    account: str
    """The service account that may write the verdict, and has the run's other rights."""
    description: Mapping[str, Any]
    """What the run is told; its key, and where its verdict goes, are added."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that lie beside the description."""
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further objects that it needs and that do nothing by themselves, by the end of their resources' names."""
    pod: Mapping[str, Any]
    """The specification of its pod."""
    manifest: Manifest
    timeout: int
    retries: int = 0
    leaves: str
    """The output that it must leave: model, table, champion, sha256, scores, files or artifacts."""
    rights: Sequence[Mapping[str, Any]] = ()
    """The rules of its account beside that of the verdict."""
    repeats: bool = False
    """Whether something runs it again, and leaves another verdict."""


class Run(Component):
    """One run; subclasses are named as the kinds of objects that operators run."""

    kind: RunKindName

    key: pulumi.Output[str]
    outcome: RunOutcome

    def __init__(self, name: str, args: RunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.key = args.key
        passive = args.place.passive(self)
        needs = [KubernetesObject(f"{name}-{end}", each, passive) for end, each in beside(args)]
        manifest = _marked(args.manifest(args, args.pod))
        # An image that was built again from the same code is no reason to run anything again: what is, is in the name.
        declared = KubernetesObject(name, manifest, self.child(depends_on=needs, ignore_changes=["spec"], **NAMED_ANEW))
        self.outcome = RunOutcome(
            name,
            kubeconfig=args.place.kubeconfig,
            namespace=args.place.namespace,
            run=args.key,
            manifest=manifest,
            timeout=args.timeout,
            leaves=args.leaves,
            kind=self.kind,
            repeats=args.repeats,
            opts=self.child(depends_on=[declared]),
        )
        self.register_outputs({"run": self.key, "outputs": self.outcome.outputs})
        self._repeats = args.repeats

    @property
    def judged(self) -> pulumi.Output[str]:
        """What stands for its candidate in the key of a gate: itself, or each model of a run that repeats."""
        return self.outcome.output("model") if self._repeats else self.key


def key(block: str, version: pulumi.Input[Any], *what: Any) -> pulumi.Output[str]:
    """The key of a run that does `what` with data of that version."""

    def made(known: Any) -> str:
        digest = pods.digest(RUNTIME, known, *what)
        return f"{names.shortened(block, LONGEST - len(digest) - 1)}-{digest}"

    return pulumi.Output.from_input(version).apply(made)


def beside(args: RunArgs) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects that a run needs and that do nothing by themselves, each with the end of its resource's name."""
    identity = args.place.identity(args.account, args.key, args.rights)
    return [
        ("run", _description(args)),
        # Without data: the run writes the verdict, and nothing else may.
        ("verdict", _configmap(args, args.key)),
        *(("run", each) for each in identity),
        *args.beside.items(),
    ]


def _marked(item: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome waits, and knows more about a run than that its object is complete."""
    marks = {**item["metadata"].get("annotations", {}), "pulumi.com/skipAwait": "true"}
    return {**item, "metadata": {**item["metadata"], "annotations": marks}}


def _description(args: RunArgs) -> dict[str, Any]:
    place = {"namespace": args.place.namespace, "configmap": args.key}
    spec = {**args.description, "run": args.key, "verdict": place}
    content = pulumi.Output.json_dumps(spec, indent=2, sort_keys=True)
    named = _configmap(args, pulumi.Output.concat(args.key, "-description"))
    return {**named, "data": {**args.files, SPEC: content}}


def _configmap(args: RunArgs, name: pulumi.Input[str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": args.place.metadata(args.block, name=name)}
