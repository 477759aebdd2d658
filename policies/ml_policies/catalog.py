"""All policies, by what they are about, in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from ml_policies import access, jobs, money, operations, pods, serving, supply_chain
from ml_policies.access import (
    api_server_access,
    edge_authentication,
    edge_tls,
    encrypted_buckets,
    no_cloud_admin,
    no_cluster_admin,
    no_wildcard_rights,
    private_buckets,
    trusted_edge,
    versioned_buckets,
)
from ml_policies.engine.policy import Policy
from ml_policies.jobs import bounded_retries, bounded_size, bounded_time, no_time_to_live
from ml_policies.money import gpus_where_allowed, known_cost, monthly_cost, node_ceiling, spot_where_asked
from ml_policies.operations import bounded_namespaces, deprecated_apis, ownership_labels, protected_data
from ml_policies.pods import (
    bounded_resources,
    host_access,
    known_workload,
    no_default_token,
    no_plain_secrets,
    restricted_pods,
)
from ml_policies.serving import (
    bounded_concurrency,
    bounded_replicas,
    canary_share,
    disruption_budget,
    enough_replicas,
    model_source,
    pinned_model,
    request_timeout,
)
from ml_policies.supply_chain import (
    bundle_digest,
    image_by_digest,
    image_registry,
    no_latest_image,
    no_opaque_installers,
)

GROUPS: Mapping[ModuleType, Sequence[Policy]] = {
    supply_chain: (
        image_by_digest.POLICY,
        no_latest_image.POLICY,
        image_registry.POLICY,
        bundle_digest.POLICY,
        no_opaque_installers.POLICY,
    ),
    pods: (
        known_workload.POLICY,
        restricted_pods.POLICY,
        host_access.POLICY,
        bounded_resources.POLICY,
        no_plain_secrets.POLICY,
        no_default_token.POLICY,
    ),
    access: (
        no_wildcard_rights.POLICY,
        no_cluster_admin.POLICY,
        no_cloud_admin.POLICY,
        edge_tls.POLICY,
        trusted_edge.POLICY,
        edge_authentication.POLICY,
        private_buckets.POLICY,
        encrypted_buckets.POLICY,
        versioned_buckets.POLICY,
        api_server_access.POLICY,
    ),
    serving: (
        bounded_replicas.POLICY,
        enough_replicas.POLICY,
        disruption_budget.POLICY,
        bounded_concurrency.POLICY,
        request_timeout.POLICY,
        pinned_model.POLICY,
        model_source.POLICY,
        canary_share.POLICY,
    ),
    jobs: (bounded_size.POLICY, bounded_time.POLICY, bounded_retries.POLICY, no_time_to_live.POLICY),
    money: (
        node_ceiling.POLICY,
        gpus_where_allowed.POLICY,
        spot_where_asked.POLICY,
        monthly_cost.POLICY,
        known_cost.POLICY,
    ),
    operations: (
        ownership_labels.POLICY,
        protected_data.POLICY,
        deprecated_apis.POLICY,
        bounded_namespaces.POLICY,
    ),
}
"""By the package that they are in, whose docstring is the heading."""

POLICIES: Sequence[Policy] = [policy for policies in GROUPS.values() for policy in policies]
