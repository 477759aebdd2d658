"""Kubeflow: its namespace, in which the training operator is too, the entry to its pages, and the parts without data.

profiles.py, katib.py and pipelines.py own the parts with data or namespaces of their own. No pod has a sidecar: network
policies let the gateway alone reach the pages, and the gateway says in a header who somebody is.
"""

from collections.abc import Sequence
from typing import Any

import pulumi

from ml_platform.bundles.declared import SharedNamespace
from ml_platform.bundles.transforms import Transform, config_json, environment
from ml_platform.bundles.transforms.metadata import ENFORCE
from ml_platform.components.certificate import SECRET
from ml_platform.components.foreign import Foreign
from ml_platform.components.gateway import Gateway
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.settings.kubeflow import HOST, THROUGH_ISTIO, KubeflowSettings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = "kubeflow"
ENTRY = "kubeflow-gateway"
"""The name of Istio's Gateway, which the releases know."""
ISTIO = "networking.istio.io/v1"
BUNDLES = {
    "poddefaults": "poddefaults",
    "notebooks": "notebooks",
    "tensorboards": "tensorboards",
    "volumes": "volumes",
    "dashboard": "central-dashboard",
}
"""The bundle of each part that is only a bundle."""
WITH_COOKIES = {
    "notebooks": "jupyter-web-app-deployment",
    "tensorboards": "tensorboards-web-app-deployment",
    "volumes": "volumes-web-app-deployment",
}
"""The Deployment of each page that sets cookies."""
LINKS = {
    "notebooks": ("Notebooks", "/jupyter/", "book"),
    "tensorboards": ("TensorBoards", "/tensorboards/", "assessment"),
    "volumes": ("Volumes", "/volumes/", "device:storage"),
    "katib": ("Katib Experiments", "/katib/", "kubeflow:katib"),
    "pipelines": ("Pipelines", "/pipeline/#/pipelines", "kubeflow:pipeline-centered"),
}
"""The entry of each part in the dashboard's menu: its words, its page, its icon."""


def _shared(settings: PlatformSettings) -> bool:
    """Whether the stack's training operator is in the namespace."""
    training = settings.add_on("training")
    return training is not None and training.v1 and "training-operator" not in settings.bundles.existing


class Kubeflow(Foreign):
    token = "ml-platform:kubeflow:Kubeflow"  # noqa: S105 - a type token

    made: list[pulumi.Resource]
    """The resources that a part waits for: the namespace, and the entry where there is one."""

    def __init__(self, name: str, site: Site, gateway: Gateway) -> None:
        super().__init__(name, site)
        self._gateway = gateway
        self.made = [self._namespace()]
        if site.settings.kubeflow:
            self._parts(site.settings.kubeflow)
        self.register_outputs({"namespace": NAMESPACE})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.kubeflow is not None or _shared(settings)

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        own = Needs(objects=({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},))
        kubeflow = settings.kubeflow
        if kubeflow is None:
            return own
        parts = (BUNDLES[part] for part in kubeflow.chosen(*BUNDLES))
        return own + Needs(bundles=("kubeflow", *parts), hosts=(HOST,) if kubeflow.pages else ())

    def _namespace(self) -> pulumi.Resource:
        """The namespace, which is declared once for all bundles in it: it outlives each of them."""
        labels = dict(self.site.labels)
        args = NamespaceArgs(labels=labels, pod_security="baseline", login=self.site.login)
        made = Namespace(NAMESPACE, args, self.child(depends_on=self.site.releases.after)).resource
        declared = SharedNamespace("kubeflow", {**labels, ENFORCE: "baseline"}, made, retained=False)
        self.site.releases.declared.namespaces[NAMESPACE] = declared
        return made

    def _parts(self, settings: KubeflowSettings) -> None:
        self.install("kubeflow")
        self.made += self.ready
        if settings.chosen(*THROUGH_ISTIO):
            options = self.child(depends_on=[*self.made, *self._gateway.ready])
            self.made.append(KubernetesObject(ENTRY, self._entry(), options))
        for part in settings.chosen(*BUNDLES):
            self.install(BUNDLES[part], transforms=self._transforms(part, settings), after=self.made)

    def _entry(self) -> dict[str, Any]:
        """Istio's Gateway for the host of all pages. With HTTPS, the gateway itself redirects plain HTTP."""
        settings = self.site.settings.gateway
        plain = {"port": {"name": "http", "number": 80, "protocol": "HTTP"}}
        secure = {
            "port": {"name": "https", "number": 443, "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": SECRET},
        }
        server = {"hosts": [f"{HOST}.{settings.domain}"], **(secure if settings.https else plain)}
        meta = {"name": ENTRY, "namespace": NAMESPACE, "labels": dict(self.site.labels)}
        spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
        return {"apiVersion": ISTIO, "kind": "Gateway", "metadata": meta, "spec": spec}

    def _transforms(self, part: str, settings: KubeflowSettings) -> Sequence[Transform]:
        if part == "dashboard":
            return [config_json("dashboard-config", "links", self._links(settings))]
        if part in WITH_COOKIES and self.site.settings.gateway.https is None:
            return [environment("Deployment", WITH_COOKIES[part], {"APP_SECURE_COOKIES": "false"})]
        return []

    def _links(self, settings: KubeflowSettings) -> dict[str, Any]:
        """The dashboard's menu: the parts that there are, and the platform's other pages."""
        parts = [LINKS[part] for part in settings.chosen(*LINKS)]
        others = {"MLflow": "mlflow", **({"Metrics": "metrics"} if "metrics" in self.site.needs.hosts else {})}
        items = [{"type": "item", "text": text, "link": link, "icon": icon} for text, link, icon in parts]
        return {
            "menuLinks": items,
            "quickLinks": [{"text": text, "desc": "Kubeflow", "link": link} for text, link, _ in parts],
            "externalLinks": [
                {
                    "type": "item",
                    "iframe": False,
                    "text": text,
                    "url": self._gateway.url.format(host=host),
                    "icon": "icons:launch",
                }
                for text, host in others.items()
            ],
        }
