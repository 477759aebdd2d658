"""What the dynamic resources of bundles have in common: the engine keeps what they were told, they act on a cluster.

What one of them does, and what its properties mean, is its own business.
"""

from typing import Any, ClassVar

from pulumi import dynamic


class Provider(dynamic.ResourceProvider):
    """Acts when it is created and whenever a property changes; by itself it does nothing but remember."""

    serialize_as_secret_always = False  # it captures nothing

    silent: ClassVar[tuple[str, ...]] = ()
    """Properties that alone are no reason to act again."""

    def identity(self, props: dict[str, Any]) -> str:
        """The resource's id."""
        raise NotImplementedError

    def act(self, props: dict[str, Any]) -> None:
        """What creating and updating do."""

    def changed(self, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
        """The properties that differ, and matter."""
        return [key for key in news if key not in ("__provider", *self.silent) and olds.get(key) != news[key]]

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=bool(self.changed(olds, news)))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        self.act(props)
        return dynamic.CreateResult(id_=self.identity(props), outs=props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        self.act(news)
        return dynamic.UpdateResult(outs=news)
