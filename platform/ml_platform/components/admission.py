"""Admission: rules of the policies that the API server keeps too, in all namespaces of workloads.

This component owns the policies and their bindings. Rules are those of `admission`; what a preview refuses belongs to
the policy pack.
"""

from typing import Annotated

from pydantic import Field

from ml_platform.admission import images, pods, rights
from ml_platform.admission.rule import Level, Rule
from ml_platform.components.add_on import AddOn
from ml_platform.configuration import Settings
from ml_platform.objects import KubernetesObject
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

Registry = Annotated[str, Field(pattern=r"^[A-Za-z0-9.*_-]+(:\d+)?(/[A-Za-z0-9.*_/-]+)?$")]
"""A host as a pattern, or with the beginning of a path."""


class AdmissionSettings(Settings):
    """What is made in namespaces of workloads keeps the rules of the policies, whoever makes it: `kubectl`, a notebook,
    or a controller."""

    level: Level = "mandatory"
    """The answer to what breaks a rule. mandatory: it is refused. advisory: it is made, who asks for it is warned, and
    the audit log has it."""
    registries: tuple[Registry, ...] = ()
    """The registries of images: hosts as patterns (`*.example.com`), or with the beginning of a path
    (`ghcr.io/kserve/*`). Without any, images come from everywhere."""


class Admission(AddOn):
    token = "ml-platform:admission:Admission"  # noqa: S105 - a type token
    block = "admission"
    settings = AdmissionSettings

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        chosen: AdmissionSettings = self.of(site.settings)
        for rule in rules(site.settings):
            opts = self.child(depends_on=site.releases.after)
            policy = KubernetesObject(rule.policy, rule.policy_object(site.labels), opts)
            # A policy without its binding asks nothing: it is made first and goes last.
            bound = self.child(depends_on=[policy])
            KubernetesObject(rule.policy, rule.binding_object(site.labels, chosen.level), bound)
        self.register_outputs({"level": chosen.level})


def rules(settings: PlatformSettings) -> tuple[Rule, ...]:
    """Those that the settings ask for."""
    chosen: AdmissionSettings = Admission.of(settings)
    registries = (images.from_registries(chosen.registries),) if chosen.registries else ()
    always = (
        images.BY_DIGEST,
        images.NOT_LATEST,
        pods.RESOURCES,
        pods.ACCOUNT,
        rights.WILDCARDS,
        rights.ADMINISTRATORS,
    )
    return (*registries, *always)
