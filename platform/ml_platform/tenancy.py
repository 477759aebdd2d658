"""The demands of a stack's work on its platform, be that the stack's own or another stack's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_platform.needs import Needs
from ml_platform.pods import Placement
from ml_platform.store import Pod


@dataclass(frozen=True, kw_only=True)
class Tenancy:
    """What the platform has to know of the work, as plain values of the settings."""

    ownership: Mapping[str, str] = field(default_factory=dict)
    """Labels with the owner, the team and the cost centre of the stack."""
    needs: Needs = field(default_factory=Needs)
    """The needs of the work: its namespaces, and the images that it runs."""
    accounts: Sequence[Pod] = ()
    """The service accounts of the work that use the object store."""
    pools: Mapping[str, Placement] = field(default_factory=dict)
    """The placement of work on each node pool, by the pool's name."""
