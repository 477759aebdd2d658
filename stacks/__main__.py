"""Every stack, as a table of contents: its settings, its cluster, the platform on it, the work on that."""

import pulumi
from ml_platform.clusters import connect
from ml_platform.platform import Platform
from ml_platform.settings import load_cluster, load_platform
from ml_workloads import fit
from ml_workloads.settings import load_workloads
from ml_workloads.workloads import Workloads

config = pulumi.Config()
chosen_cluster = load_cluster(config)
chosen_platform = load_platform(config)
chosen_work = load_workloads(config)
spark = chosen_platform.spark.operator if chosen_platform.spark else None
ray, buckets = chosen_platform.ray is not None, chosen_platform.object_store.buckets
serving, certified = chosen_platform.serving.mode, chosen_platform.gateway.certified_below
fit.check(chosen_work, serving=serving, spark=spark, ray=ray, buckets=buckets, certified=certified)

cluster = connect(chosen_cluster, config)
pulumi.export("cluster", cluster.summary())

if not cluster.alone:
    made = Platform("platform", cluster, chosen_platform, tenants=[chosen_work.namespace])
    platform = made.handle
    workloads = Workloads("workloads", platform, chosen_work)

    pulumi.export("prediction_urls", workloads.prediction_urls)
    pulumi.export("canary_urls", workloads.canary_urls)
    pulumi.export("model_versions", workloads.versions)
    pulumi.export("mlflow_url", platform.outputs.url("mlflow"))
    pulumi.export("object_store_endpoint", platform.outputs.object_store_url)
    pulumi.export("dns", made.dns)
    pulumi.export("certificate_authority", made.authority)
    pulumi.export("namespaces", [*platform.outputs.namespaces, workloads.namespace])
