"""Rules for Kubernetes objects, one file a rule. They look at manifests and know nothing of Pulumi."""

from ml_policies import bounded_replicas, host_access, image_by_digest

POLICIES = (image_by_digest.POLICY, host_access.POLICY, bounded_replicas.POLICY)
