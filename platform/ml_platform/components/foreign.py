"""The base of components that are made of bundles, as far as this stack installs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.installation import Installation
from ml_platform.component import Component


@dataclass(frozen=True, kw_only=True)
class ForeignArgs:
    """What all of them take."""

    installation: Installation
    after: Sequence[pulumi.Resource] = ()
    """What it needs in order to start."""


class Foreign(Component):
    """What somebody else made. Where somebody else runs it as well, it declares nothing and nothing waits for it."""

    kinds: list[pulumi.Resource]
    """Its CRDs: what only watches its objects needs no more of it."""
    ready: list[pulumi.Resource]
    """Everything runs and answers; what depends on it is gone before anything of it goes."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.kinds, self.ready = [], []

    def install(self, name: str, args: BundleArgs) -> None:
        if args.bundle in args.installation.existing:
            return
        bundle = Bundle(name, args, self.child())
        self.kinds += bundle.kinds
        self.ready.append(bundle.ready)


class Single(Foreign):
    """One bundle, as it was released."""

    bundle: ClassVar[str]

    def __init__(self, name: str, args: ForeignArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.install(name, BundleArgs(installation=args.installation, bundle=self.bundle, after=args.after))
        self.register_outputs({})
