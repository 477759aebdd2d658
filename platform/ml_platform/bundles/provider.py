"""What the dynamic resources of bundles have in common: the engine keeps what they were told, they act on a cluster.

What one of them does, and what its properties mean, is its own business. What becomes of them when their cluster does
not answer is the same for all, and as with the objects of the Kubernetes plugin.
"""

from typing import Any, ClassVar

from pulumi import dynamic

from ml_platform.asking import AwayError, is_skipped, was_deleted


class Provider(dynamic.ResourceProvider):
    """Acts when it is created and whenever a property changes; by itself it does nothing but remember."""

    serialize_as_secret_always = False  # it captures nothing

    silent: ClassVar[tuple[str, ...]] = ()
    """Properties that alone are no reason to act again. The kubeconfig is one only where nothing reads it from the
    state later: a refresh and a removal do."""

    def identity(self, props: dict[str, Any]) -> str:
        """The resource's id."""
        raise NotImplementedError

    def act(self, props: dict[str, Any]) -> None:
        """What creating and updating do."""

    def found(self, props: dict[str, Any]) -> dict[str, Any] | None:
        """The properties as a refresh finds them; None where what they are about is gone."""
        return props

    def remove(self, props: dict[str, Any]) -> None:
        """What deleting does."""

    def changed(self, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
        """The properties that differ, and matter."""
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
