"""Kubeflow: which of its parts are there, and what each needs of the others."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, MisfitError, Name, Quantity, Quota, Settings

PAGES = ("dashboard", "notebooks", "tensorboards", "volumes", "katib")
"""The parts with a page that believes the gateway about who somebody is."""
THROUGH_ISTIO = ("profiles", *PAGES)
"""The parts that make routes of Istio, or rules for them."""
IN_PROFILES = {
    "dashboard": "it shows people the profiles that they are in",
    "notebooks": "notebooks run in profiles, and people get their rights there",
    "tensorboards": "TensorBoards run in profiles, and people get their rights there",
    "volumes": "volumes are those of profiles, and people get their rights there",
    "poddefaults": "they change pods in profiles alone",
}
"""Why each of these parts needs profiles."""
HOST = "kubeflow"
"""The host of all pages, below the domain."""
USER_HEADER = "kubeflow-userid"
"""The header by which the gateway tells a page who somebody is."""


class PipelinesSettings(Settings):
    """Kubeflow Pipelines for one team. Runs are pods beside Kubeflow's own and may use any of its accounts: whoever
    reaches the page or the API is trusted with all of Kubeflow."""

    bucket: BucketName | None = None
    """The bucket of the artifacts, one of object_store.buckets; without it, the first of these."""
    storage: Quantity = "20Gi"
    """The size of the volume of its database. A larger size is an update where the storage class allows expansion; a
    smaller one is refused."""


class ProfileSettings(Settings):
    """A profile: a namespace of its name, whose owner works there and lets others in."""

    owner: Annotated[str, Field(pattern=r"^\S+$")]
    """The owner's name, as tokens have it in the claim `user_claim`."""
    quota: Quota = Quota()


class KubeflowSettings(Settings):
    """Kubeflow, part by part. A part that needs another one, or Istio, is refused without it."""

    pipelines: PipelinesSettings | None = None
    """Pipelines as pods, on Argo Workflows. The page is there where the gateway asks for tokens."""
    notebooks: bool = False
    """Whether people start notebooks: JupyterLab, VS Code or RStudio."""
    dashboard: bool = False
    """Whether there is the Central Dashboard, which has the pages of all parts in one."""
    profiles: dict[Name, ProfileSettings] | None = None
    """Profiles by name, each a namespace that the platform makes; {} is the controller alone."""
    katib: bool = False
    """Whether there is Katib, which searches for hyperparameters."""
    poddefaults: bool = False
    """Whether PodDefaults change the pods that are started in profiles."""
    tensorboards: bool = False
    """Whether people start TensorBoards."""
    volumes: bool = False
    """Whether people see their volumes, and the files in them."""
    user_claim: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")] = "email"
    """The claim of tokens that names a person; Kubeflow knows people by it."""

    def chosen(self, *parts: str) -> tuple[str, ...]:
        """Those of `parts` that the settings ask for."""
        return tuple(part for part in parts if getattr(self, part) not in (None, False))

    @property
    def pages(self) -> tuple[str, ...]:
        """The chosen parts with pages that believe the gateway about who somebody is."""
        return self.chosen(*PAGES)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.chosen("pipelines", "poddefaults", *THROUGH_ISTIO):
            raise MisfitError("profiles", "the block installs nothing: choose a part, or remove the block")
        for part in self.chosen(*IN_PROFILES):
            if self.profiles is None:
                rule = (
                    f"kubeflow.{part} needs it, since {IN_PROFILES[part]}: set it, if only to {{}}, or leave {part} out"
                )
                raise MisfitError("profiles", rule)
        return self
