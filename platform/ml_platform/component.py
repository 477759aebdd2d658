"""The base of every component, and how it declares what it consists of.

It owns the two things that are easy to forget: that a child has its component as parent, and that a value that is
known early must not be used before what it stands for is ready. It knows no kind of resource.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar, TypeVar

import pulumi

T = TypeVar("T")


class Component(pulumi.ComponentResource):
    """One noun of the platform or of its workloads. `token` is `ml-platform:<area>:<Noun>`, fixed for ever."""

    token: ClassVar[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.token, name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options for a child: this component as its parent, and whatever else is given."""
        return pulumi.ResourceOptions(parent=self, **options)

    def joined(self, name: str, resources: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """At most one resource to wait for in place of many: N resources and M after them are N + M dependencies, not
        N x M, in both directions. The engine keeps it itself; it asks no provider."""
        one = len(resources) == 1 and isinstance(resources[0], pulumi.CustomResource)
        if one or not resources:
            return list(resources)
        return [pulumi.Stash(name, input=name, opts=self.child(depends_on=resources))]


def after(value: T, *resources: pulumi.Resource) -> pulumi.Output[T]:
    """`value`, known in every preview; whoever takes it as an input waits for `resources`."""
    return pulumi.Output(set(resources), _now(value), _now(True))


def _now(value: T) -> Awaitable[T]:
    future: asyncio.Future[T] = asyncio.get_event_loop().create_future()
    future.set_result(value)
    return future
