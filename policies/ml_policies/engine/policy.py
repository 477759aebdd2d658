"""What a policy is: its rule as a plain function, the reason, the parameters, and an example that it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack

Level = Literal["mandatory", "advisory", "disabled"]


class Parameters(BaseModel):
    """What an environment may set of a policy. Each field has a default, and a docstring for the documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParameters(Parameters):
    pass


@dataclass(frozen=True, kw_only=True)
class Policy:
    name: str
    asks: str
    """What it asks for, as one sentence."""
    why: str
    """What goes wrong otherwise."""
    example: str
    """A resource that it refuses, as YAML; for a policy of stacks, several documents."""
    example_settings: Mapping[str, Any] = field(default_factory=dict)
    """Parameters under which it does, if others than its own."""
    parameters: type[Parameters] = NoParameters
    level: Level = "mandatory"


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy(Policy):
    """Judges a resource by its inputs. What `of` finds in it is judged part by part, so that one that can't be judged
    yet does not hide the others; `check` gives a sentence for each problem: what was found, and the way out."""

    of: Callable[[Resource], Iterable[Any]]
    check: Callable[[Any, Any], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class StackPolicy(Policy):
    """Judges resources by all that is declared beside them, by their inputs: each subject by itself, so that one that
    can't be judged yet does not hide the others. None among `subjects` is the stack as a whole."""

    subjects: Callable[[Stack], Iterable[Resource | None]]
    check: Callable[[Any, Stack, Any], Iterable[str]]
    says: Callable[[Stack, Any], Iterable[str]] | None = None
    """What the report says of it, whether or not there is a problem."""


class Kinds:
    """Resources of these Kubernetes kinds, or of these Pulumi types, as `of` of a policy."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)

    def __call__(self, resource: Resource) -> Iterable[Resource]:
        return (resource,) if resource.kind in self._names or resource.type in self._names else ()
