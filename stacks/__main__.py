"""Every stack, as a table of contents: its settings, its cluster, the platform on it, the work on that."""

import pulumi
from ml_platform import placement, shared, store, zones
from ml_platform.clusters import connect
from ml_platform.platform import Platform
from ml_platform.settings import SharedPlatform, begin, load_cluster, load_ownership, load_platform
from ml_workloads import fit
from ml_workloads.settings import load_workloads
from ml_workloads.workloads import Workloads

config = begin()
chosen_cluster, chosen_platform = load_cluster(config), load_platform(config)
chosen_work, ownership = load_workloads(config), load_ownership(config)
labels, tenants, pools = ownership.labels, chosen_work.namespaces, placement.of_cluster(chosen_cluster)
spark = chosen_platform.spark.operator if chosen_platform.spark else None
ray, buckets, users = chosen_platform.ray is not None, chosen_platform.object_store.buckets, chosen_work.accounts
serving, certified, images = chosen_platform.serving.mode, chosen_platform.certified_below, chosen_work.images(spark)
fit.check(chosen_work, serving=serving, spark=spark, ray=ray, buckets=buckets, certified=certified, pools=pools)
zones.check(chosen_cluster, chosen_platform)
accounts = store.of_cluster(chosen_cluster, chosen_platform, users)
cluster = connect(chosen_cluster, config, ownership, accounts)
pulumi.export("cluster", cluster.summary())
pulumi.export("kubeconfig", cluster.kubeconfig)
if not cluster.alone:
    if isinstance(chosen_platform, SharedPlatform):
        platform = shared.handle(cluster, chosen_platform, tenants=tenants, pools=pools, accounts=users, images=images)
    else:
        own = Platform("platform", cluster, chosen_platform, labels=labels, tenants=tenants, pools=pools, images=images)
        platform = own.handle
        for name, value in own.exports().items():
            pulumi.export(name, value)
    pulumi.export("mlflow_url", platform.outputs.url("mlflow"))
    pulumi.export("object_store_endpoint", platform.outputs.object_store_url)
    if tenants:
        workloads = Workloads("workloads", platform, chosen_work, labels)
        pulumi.export("prediction_urls", workloads.prediction_urls)
        pulumi.export("canary_urls", workloads.canary_urls)
        pulumi.export("model_versions", workloads.versions)
