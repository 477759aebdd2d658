"""What a preview of one stack has shown, out of the engine's events: changes, findings, cost before and after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from google.protobuf.struct_pb2 import Struct
from ml_policies.engine import environments, report
from ml_policies.engine.environments import Settings
from ml_policies.engine.exemptions import SettingsError
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import read
from ml_policies.money import monthly_cost
from ml_policies.shapes import costs
from pulumi.automation import EngineEvent
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Does = Literal["create", "update", "replace", "delete", "import"]
CHANGES: tuple[Does, ...] = get_args(Does)
COLOURS = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
ENGINE = "pulumi:"
"""How types begin that are the engine's own: the stack, and providers."""
TAIL = 15
"""Lines of a failure that the engine has told in no event of its own."""


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that says nothing but itself wherever it is shown."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(Model):
    """One resource's."""

    does: Does
    resource: str
    properties: tuple[str, ...] = ()


class Finding(Model):
    policy: Word
    level: Word
    text: str


class Cost(Model):
    """At most, a month."""

    stack: float = 0.0
    teams: Mapping[str, float] = {}


class Report(Model):
    stack: Word
    cause: Annotated[str, Field(pattern="^[a-z ]*$")] = ""
    """What kind of change it is to the stack."""
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    policies: str = ""
    """What the pack itself reports: how much was judged, what is unknown, what is exempt."""
    before: Cost = Cost()
    """Of what the state has."""
    after: Cost = Cost()
    errors: tuple[str, ...] = ()
    """Why the preview has failed, if it has."""


class Events:
    """Listens to one run of the engine."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._changes: dict[str, Change] = {}
        self._findings: list[Finding] = []
        self._policies = ""
        self._before: dict[str, Resource] = {}
        self._after: dict[str, Resource] = {}
        self._errors: list[str] = []

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event:
            self._declared(event.resource_pre_event.metadata)
        if event.res_outputs_event:
            self._changed(event.res_outputs_event.metadata)
        if event.policy_event:
            self._judged(event.policy_event)
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._errors.append(plain(event.diagnostic_event.message))

    def report(self, failure: str = "") -> Report:
        """Of all that was heard. `failure` is what the command said at its end, if it has failed."""
        label = _label(self._stack)
        return Report(
            stack=self._stack,
            changes=tuple(sorted(self._changes.values(), key=lambda each: (CHANGES.index(each.does), each.resource))),
            findings=tuple(self._findings),
            policies=self._policies,
            before=_cost(self._before, label),
            after=_cost(self._after, label),
            errors=tuple(self._why(failure) if failure else ()),
        )

    def _why(self, failure: str) -> list[str]:
        if any(each.level == "mandatory" for each in self._findings):
            return ["A mandatory policy refuses it.", *self._errors]
        return self._errors or ["\n".join(failure.splitlines()[-TAIL:])]

    def _declared(self, step: Any) -> None:
        if step.old:
            self._before[step.urn] = _resource(step.old)
        if step.new:
            self._after[step.urn] = _resource(step.new)
        self._changed(step)

    def _changed(self, step: Any) -> None:
        if step.op.value not in CHANGES or step.type.startswith(ENGINE):
            return
        paths = sorted(step.detailed_diff or step.diffs or ())
        resource = _resource(step.new or step.old)
        self._changes[step.urn] = Change(does=step.op.value, resource=resource.title, properties=tuple(paths))

    def _judged(self, event: Any) -> None:
        text = plain(event.message)
        if event.policy_name == report.NAME:
            self._policies = text.removeprefix(report.TITLE).strip()
        else:
            found = Finding(policy=event.policy_name, level=event.enforcement_level, text=text.splitlines()[-1])
            self._findings.append(found)


def plain(text: str) -> str:
    """Without what colours it on a terminal."""
    return COLOURS.sub("", text).strip()


def _resource(state: Any) -> Resource:
    props = Struct()
    props.update(state.inputs or {})
    name = state.urn.rpartition("::")[2]
    return Resource(type=state.type, name=name, props=read(props), urn=state.urn, parent=state.parent)


def _label(stack: str) -> str:
    """The one that names teams. Settings that are none are refused, and told, by the pack."""
    try:
        settings = environments.load(stack).get(monthly_cost.POLICY.name, Settings())
        return monthly_cost.Budget.model_validate(settings.parameters).label
    except (SettingsError, ValidationError):
        return monthly_cost.Budget().label


def _cost(resources: Mapping[str, Resource], label: str) -> Cost:
    """What can be known: an amount that only the update tells, or that is none, counts nothing; the pack's own report
    names it."""
    stack = Stack(resources.values())
    return Cost(stack=costs.stack(stack), teams=costs.teams(stack, label))
