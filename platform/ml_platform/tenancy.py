"""What the work of a stack asks of the platform that it is done on, whoever has made that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_platform.needs import Needs
from ml_platform.pods import Placement
from ml_platform.store import Pod


@dataclass(frozen=True, kw_only=True)
class Tenancy:
    """Plain values of the settings."""

    ownership: Mapping[str, str] = field(default_factory=dict)
    """Labels that say whose all of the stack is."""
    needs: Needs = field(default_factory=Needs)
    """The work's namespaces, and the images that it runs."""
    accounts: Sequence[Pod] = ()
    """Its service accounts that use the object store."""
    pools: Mapping[str, Placement] = field(default_factory=dict)
    """The node pools that it may be put on, and what pods have that run there."""
