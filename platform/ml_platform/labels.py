"""Labels and annotations that the project puts on objects and by which it finds them."""

import pulumi

from ml_platform import names

STACK = "ml-platform/stack"
"""The label of every object: the name of its stack."""
WORKLOADS = "ml-platform/workloads"
"""The label of namespaces whose pods are workloads: they may connect to MLflow and to the object store."""
POOL, PURPOSE = "ml-platform/pool", "ml-platform/purpose"
"""The labels of nodes: their pool, and its purpose."""
SERVICE = "serving.kserve.io/inferenceservice"
"""KServe's own label of all pods of an InferenceService."""
RESTARTED_BY = "ml-platform/restarted-by"
"""The annotation of pods: a digest of the configuration or of the secrets that they read only at their start."""


def of_stack() -> dict[str, str]:
    """The labels of each object of this stack. Names of stacks have up to 100 characters, labels 63: longer ones are
    shortened."""
    return {STACK: names.label(pulumi.get_stack())}
