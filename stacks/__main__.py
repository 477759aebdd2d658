"""Every stack, as a table of contents: its settings, its cluster, the platform on it, the work on that."""

import pulumi
from ml_platform.clusters import connect
from ml_platform.provide import provide
from ml_workloads.stack_settings import StackSettings
from ml_workloads.workloads import Workloads

settings = StackSettings.load()
cluster = connect(settings.cluster, settings.ownership)
exports = cluster.exports()
if settings.platform:
    platform = provide(cluster, settings.platform, settings.tenancy)
    exports |= platform.exports
    if settings.work.namespaces:
        work = Workloads("workloads", platform, settings.work, settings.ownership.labels)
        exports |= work.exports()
for name, value in exports.items():
    pulumi.export(name, value)
