"""Applies the policies: levels, parameters and exemptions, what is unknown, and policies that crash.

It fails closed: what a mandatory policy can't judge is refused, with the policy and the resource by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, get_args

from pydantic import ValidationError

from ml_policies.engine.exemptions import Exemption, SettingsError, check_ends, check_names, explained
from ml_policies.engine.policy import Level, Parameters, Policy, ResourcePolicy, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import UnknownError

WILD = frozenset("*?[")
LEVELS: Mapping[str, Level] = {level: level for level in get_args(Level)}


@dataclass(frozen=True)
class Finding:
    policy: Policy
    level: Level
    resource: Resource | None
    problem: str

    @property
    def message(self) -> str:
        title = f"{self.resource.title}: " if self.resource else ""
        return f"{title}{self.problem}"


class Judge:
    """One stack's judge."""

    def __init__(
        self, policies: Sequence[Policy], exemptions: Iterable[Exemption], *, stack: str = "", today: date | None = None
    ) -> None:
        self.policies = {policy.name: policy for policy in policies}
        self.stack = stack
        self._exemptions = list(exemptions)
        self._today = today or date.today()
        check_names(self._exemptions, self.policies)
        check_ends(self._exemptions, self._today)
        self._levels: dict[str, Level] = {policy.name: policy.level for policy in policies}
        self._parameters: dict[str, Parameters] = {policy.name: policy.parameters() for policy in policies}
        self.exempted: Counter[Exemption] = Counter()
        self.unknown: Counter[tuple[str, str]] = Counter()

    def configure(self, name: str, level: str | None, parameters: Mapping[str, Any]) -> None:
        """
        Raises:
            SettingsError: there is no such policy, level or parameter.
        """
        policy = self.policies.get(name)
        if policy is None:
            raise SettingsError(f"{name!r} is no policy; there are {', '.join(sorted(self.policies))}")
        if level is not None and level not in LEVELS:
            raise SettingsError(f"{name}: {level!r} is no enforcement level; there are {', '.join(LEVELS)}")
        if level is not None:
            self._levels[name] = LEVELS[level]
        try:
            self._parameters[name] = policy.parameters.model_validate(dict(parameters))
        except ValidationError as error:
            known = ", ".join(policy.parameters.model_fields) or "none"
            raise SettingsError(f"{explained(name, error)}; parameters of {name}: {known}") from None

    def level(self, name: str) -> Level:
        return self._levels[name]

    def active(self, kind: type[Policy]) -> list[Any]:
        return [
            policy
            for policy in self.policies.values()
            if isinstance(policy, kind) and self._levels[policy.name] != "disabled"
        ]

    def judge(self, resource: Resource) -> Iterator[Finding]:
        """What is wrong with a resource as it is declared."""
        for policy in self.active(ResourcePolicy):
            yield from self._judged(policy, resource)

    def _judged(self, policy: ResourcePolicy, resource: Resource) -> Iterator[Finding]:
        parameters = self._parameters[policy.name]
        for part in self._guarded(policy, lambda: policy.of(resource), lambda: resource):
            if isinstance(part, Finding):
                yield from self._unexempted(part)
                continue
            for problem in self._guarded(policy, partial(policy.check, part, parameters), lambda: resource):
                yield from self._unexempted(self._finding(policy, resource, problem))

    def stack_findings(self, resources: Sequence[Resource]) -> Iterator[Finding]:
        """What is wrong with all of them together."""
        stack = Stack(resources)
        for policy in self.active(StackPolicy):
            yield from self._of_stack(policy, stack, self._parameters[policy.name])

    def _of_stack(self, policy: StackPolicy, stack: Stack, parameters: Parameters) -> Iterator[Finding]:
        subjects = self._guarded(policy, lambda: policy.subjects(stack), lambda: None)
        for subject in subjects:
            if isinstance(subject, Finding):
                yield from self._unexempted(subject)
                continue
            steps = partial(policy.check, subject, stack, parameters)
            for problem in self._guarded(policy, steps, partial(_culprit, policy, subject, stack, parameters)):
                yield from self._unexempted(self._finding(policy, subject, problem))

    def said(self, resources: Sequence[Resource]) -> Iterator[str]:
        """What policies have to say for the report; one that can't says nothing."""
        stack = Stack(resources)
        for policy in self.active(StackPolicy):
            if policy.says:
                with suppress(Exception):  # its findings have told why
                    yield from policy.says(stack, self._parameters[policy.name])

    def needless(self, resources: Sequence[Resource]) -> Iterator[Exemption]:
        """Exemptions of what is declared, by name, and has nothing to be exempt from any more."""
        for each in self._exemptions:
            named = WILD.isdisjoint("".join(each.resources))
            if named and each not in self.exempted and any(each.fits(found, self.stack) for found in resources):
                yield each

    def _finding(self, policy: Policy, resource: Resource | None, problem: str | Finding) -> Finding:
        if isinstance(problem, Finding):
            return problem
        return Finding(policy, self._levels[policy.name], resource, problem)

    def _guarded(
        self, policy: Policy, steps: Callable[[], Iterable[Any]], blamed: Callable[[], Resource | None]
    ) -> Iterator[Any]:
        """What a rule gives, up to what is unknown or to its crash; then a finding where that fails closed."""
        try:
            yield from steps()
        except UnknownError as unknown:
            yield from self._unjudged(policy, blamed(), str(unknown))
        except Exception as error:
            yield _crash(policy, blamed(), error)

    def _unjudged(self, policy: Policy, resource: Resource | None, path: str) -> Iterator[Finding]:
        self.unknown[policy.name, f"{resource.title} {path}" if resource else path] += 1
        if self._levels[policy.name] == "mandatory" and resource is not None and resource.bundle:
            problem = (
                f"its {path} is not known before the update, so this can't be judged; an object of bundle "
                f"{resource.bundle} must be: give it a plain value, or write an exemption"
            )
            yield self._finding(policy, resource, problem)

    def _unexempted(self, finding: Finding) -> Iterator[Finding]:
        """The finding, unless somebody has written down why it may be and until when."""
        name, resource = finding.policy.name, finding.resource
        covering = [each for each in self._exemptions if resource and each.covers(name, resource, self.stack)]
        valid = [each for each in covering if each.until >= self._today]
        if valid:
            self.exempted[valid[0]] += 1
            return
        if covering:
            ended = covering[0]
            problem = f"{finding.problem} (the exemption for it ended on {ended.until}: {ended.reason})"
            finding = Finding(finding.policy, finding.level, finding.resource, problem)
        yield finding


def _culprit(policy: StackPolicy, subject: Resource | None, stack: Stack, parameters: Parameters) -> Resource | None:
    """The subject; of the stack as a whole, the one resource that can't be judged even alone, if it is one."""
    if subject is not None:
        return subject
    for resource in stack:
        try:
            list(policy.check(None, Stack([resource]), parameters))
        except Exception:  # whatever it is, the policy can't judge it
            return resource
    return None


def _crash(policy: Policy, resource: Resource | None, error: Exception) -> Finding:
    """Mandatory whatever the level is: nobody knows what such a policy would have said."""
    said = " ".join(str(error).split())  # reports have a line for each finding
    problem = (
        f"policy {policy.name} crashed ({type(error).__name__}: {said}); nothing is known about what it asks for. "
        "Mend the resource if it is malformed, else the policy; until then, disable it for this stack"
    )
    return Finding(policy, "mandatory", resource, problem)
