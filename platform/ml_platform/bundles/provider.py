"""The common base of the bundles' dynamic resource providers: the state holds their inputs, they act on a cluster.

A subclass owns its actions and the meaning of its properties. The base class decides what happens when the cluster does
not answer, in the same way as the Kubernetes plugin.
"""

from typing import Any, ClassVar

from pulumi import dynamic

from ml_platform.asking import AwayError, is_skipped, was_deleted


class Provider(dynamic.ResourceProvider):
    """Calls `act` at the creation and whenever a property changes. The base class itself only stores the properties."""

    serialize_as_secret_always = False  # the provider captures no secret

    silent: ClassVar[tuple[str, ...]] = ()
    """Properties whose change is no update by itself. The kubeconfig may be one only where neither a refresh nor a
    deletion reads it from the state."""

    def identity(self, props: dict[str, Any]) -> str:
        """The resource's id."""
        raise NotImplementedError

    def act(self, props: dict[str, Any]) -> None:
        """Acts on the cluster, for a create or an update."""

    def found(self, props: dict[str, Any]) -> dict[str, Any] | None:
        """The properties as a refresh finds them; None if the resource's objects are gone."""
        return props

    def remove(self, props: dict[str, Any]) -> None:
        """Acts on the cluster, for a delete."""

    def changed(self, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
        """The properties that differ, without the silent ones."""
        return [key for key in news if key not in ("__provider", *self.silent) and olds.get(key) != news[key]]

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=bool(self.changed(olds, news)))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        self.act(props)
        return dynamic.CreateResult(id_=self.identity(props), outs=props)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        try:
            found = self.found(props)
        except AwayError:
            if not was_deleted() and not is_skipped():
                raise
            found = None if was_deleted() else props
        return dynamic.ReadResult(id_="" if found is None else id_, outs=found or {})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        self.act(news)
        return dynamic.UpdateResult(outs=news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        try:
            self.remove(props)
        except AwayError:
            if not was_deleted():
                raise
