"""Katib, which searches for hyperparameters: its bundle, and the database that its measurements are in.

Experiments belong to people and to the workloads.
"""

from typing import Any

from ml_platform import network, pods
from ml_platform.bundles.transforms import Transform, environment, pod_annotations
from ml_platform.components import postgres
from ml_platform.components.foreign import Foreign
from ml_platform.components.kubeflow import NAMESPACE, Kubeflow
from ml_platform.components.postgres import Postgres, PostgresArgs
from ml_platform.needs import Needs
from ml_platform.passwords import fingerprint
from ml_platform.settings.platform import PlatformSettings

HOME = "katib"
"""The namespace of its database."""
DATABASE, SECRET, MANAGER = "katib-postgres", "katib-database", "katib-db-manager"


class Katib(Foreign):
    token = "ml-platform:kubeflow:Katib"  # noqa: S105 - a type token

    def __init__(self, name: str, kubeflow: Kubeflow) -> None:
        site = kubeflow.site
        super().__init__(name, site)
        client = {"podSelector": {"matchLabels": {"katib.kubeflow.org/component": "db-manager"}}}
        clients = [{**network.from_namespace(NAMESPACE), **client}]
        args = PostgresArgs(namespace=site.namespace(HOME), database=name, clients=clients)
        database = Postgres(DATABASE, site, args)
        secret = pods.secret({"name": SECRET, "namespace": NAMESPACE}, {"password": database.password})
        transforms = [environment("Deployment", MANAGER, _variables(database, name)), _restarted(database)]
        after = [*kubeflow.made, database.server]
        self.install("katib", name=name, transforms=transforms, extra=[secret], after=after)
        self.register_outputs({})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.kubeflow is not None and settings.kubeflow.katib

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        own = Needs(bundles=("katib",), namespaces=(HOME,))
        return own + postgres.needs(DATABASE, HOME, settings)


def _variables(database: Postgres, name: str) -> dict[str, Any]:
    return {
        "DB_NAME": "postgres",
        "DB_USER": name,
        "DB_PASSWORD": pods.secret_key(SECRET, "password"),
        "KATIB_POSTGRESQL_DB_HOST": database.host,
        "KATIB_POSTGRESQL_DB_PORT": str(postgres.PORT),
        "KATIB_POSTGRESQL_DB_DATABASE": name,
    }


def _restarted(database: Postgres) -> Transform:
    """The manager reads the password at its start only."""
    mark = fingerprint(database.site.seed, database.password)
    return pod_annotations("Deployment", MANAGER, pods.restarted_by(mark)["annotations"])
