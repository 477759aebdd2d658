"""Labels and annotations that the project puts on objects, and that it finds them by."""

import pulumi

from ml_platform import names

STACK = "ml-platform/stack"
"""Whose an object is: the stack's name."""
WORKLOADS = "ml-platform/workloads"
"""Of namespaces whose pods are work: who may connect to what the platform keeps things in."""
POOL, PURPOSE = "ml-platform/pool", "ml-platform/purpose"
"""Of nodes: the pool that they are of, and what they are for."""
RESTARTED_BY = "ml-platform/restarted-by"
"""Of pods: a digest of what they read at their start alone."""


def of_stack() -> dict[str, str]:
    """Those of each object of this stack; Pulumi takes names of 100 characters, a label has 63."""
    return {STACK: names.label(pulumi.get_stack())}
