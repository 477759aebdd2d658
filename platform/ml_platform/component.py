"""The base of every component, and the helpers by which a component declares its children.

This module owns two things that are easy to forget: a child has its component as parent, and a value that is known
early is used only when the resources that it stands for are ready.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar, Final, TypeVar

import pulumi

T = TypeVar("T")

NAMED_ANEW: Final = {"delete_before_replace": True}
"""The options of an object whose name changes with what it is made of: the old one goes before the new one is made. If
it went afterwards, an update that fails would leave it to be deleted, and one that goes back to its settings would make
it again and then delete it, by the same name."""


class Component(pulumi.ComponentResource):
    """One noun of the platform or of its workloads. `token` is `ml-platform:<area>:<Noun>`, and never changes."""

    token: ClassVar[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.token, name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a child: this component as its parent, and the given `options`."""
        return pulumi.ResourceOptions(parent=self, **options)

    def joined(self, name: str, resources: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """At most one resource that stands for all `resources` in `depends_on`: N resources and M dependents then make
        N + M dependencies in place of N x M. The resource is a Stash, which the engine keeps without a provider."""
        one = len(resources) == 1 and isinstance(resources[0], pulumi.CustomResource)
        if one or not resources:
            return list(resources)
        return [pulumi.Stash(name, input=name, opts=self.child(depends_on=resources))]


def after(value: T, *resources: pulumi.Resource) -> pulumi.Output[T]:
    """`value` as an Output that is known in every preview; a resource that has it as an input waits for `resources`."""
    return pulumi.Output(set(resources), _resolved(value), _resolved(True))


def _resolved(value: T) -> Awaitable[T]:
    future: asyncio.Future[T] = asyncio.get_event_loop().create_future()
    future.set_result(value)
    return future
