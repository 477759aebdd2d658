"""Settings of what answers requests: a registered model, or an image of one's own. Each block of `serving` has one.

A block is of the kind whose key it has, and has all settings of serving_settings.py besides.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from ml_platform.configuration import MisfitError, Name, Quantity, one_rule
from pydantic import Discriminator, Field, Tag, model_validator

from ml_workloads.fields import Command, OwnImage, Version
from ml_workloads.protocol import Protocol
from ml_workloads.serving_settings import CanarySettings, ServingSettings

SOURCES = ("model", "image")
"""The keys of which a block of `serving` has exactly one."""
SET_FOR_IT = ("HOME", "PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
"""Variables of an image's environment that the platform and Knative set."""

Path = Annotated[str, Field(pattern=r"^/\S*$", description="A path of a URL.")]
Variable = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200, description="A variable of the environment.")
]
SecretName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=63,
        description="A secret of the stack, by its name after ml-platform: in `pulumi config set --secret`.",
    ),
]
Arguments = Annotated[tuple[str, ...], Field(strict=False), one_rule("it is a list of texts")]


class SourceSettings(ServingSettings):
    """A block of `serving`, of whichever kind."""

    varies: ClassVar[str]  # the key that a canary has as well, with another value
    canary: CanarySettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_one_source(cls, given: Any) -> Any:
        named = [key for key in SOURCES if isinstance(given, dict) and given.get(key) is not None]
        for other in named[1:]:
            raise MisfitError(
                other, f"the block has {named[0]!r} as well, and one thing answers: keep one", remove=True
            )
        return given

    @model_validator(mode="after")
    def _tries_another(self) -> Self:
        if self.canary and getattr(self.canary, self.varies) == getattr(self, self.varies):
            raise MisfitError(f"canary.{self.varies}", f"it must be another {self.varies} than `{self.varies}`")
        return self


class RegisteredCanary(CanarySettings):
    """Another version of the same model, tried on a part of the requests."""

    version: Annotated[int, Field(ge=1)]


class RegisteredSettings(SourceSettings):
    """A model of the registry, at one URL whatever is changed here."""

    varies = "version"

    model: Name
    """The registered model; for its champion, a block of `models`."""
    version: Version = "champion"
    """champion: the version that the gate has accepted last. A number: that one, whatever the gate says of others."""
    canary: RegisteredCanary | None = None


class ImageCanary(CanarySettings):
    """Another image, tried on a part of the requests with the settings of the block."""

    image: OwnImage


class ImageSettings(SourceSettings):
    """A model server of one's own, at one URL whatever is changed here. It runs as the user 65532 and writes below
    /tmp."""

    varies = "image"

    image: OwnImage
    """Its image; another digest is a new revision."""
    command: Command | None = None
    """What runs in the image; without it, the image's own entrypoint."""
    args: Arguments = ()
    """What it is told. Without any, the image's own arguments."""
    env: Mapping[Variable, str] = Field(default_factory=dict)
    """Variables of its environment."""
    secrets: Mapping[Variable, SecretName] = Field(default_factory=dict)
    """Variables that hold a secret of the stack, each by the secret's name. Another value is a new revision."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8080
    """Where it listens, at all addresses of its pod."""
    protocol: Protocol = "v2"
    """What it speaks. v1 and v2 say under which path it is asked, and where it says that it is ready."""
    model_name: Name | None = None
    """Its own name for the model, which is in these paths. Without it, the name of the block."""
    ready: Path | None = None
    """The path that is answered by a code below 400 when it can be asked. Without it, that of the protocol."""
    scratch: Quantity = "256Mi"
    """What it may write below /tmp."""
    canary: ImageCanary | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.protocol == "other" and self.ready is None:
            raise MisfitError("ready", "no protocol says where it is told that the server is ready: name the path")
        for name in self.secrets:
            if name in self.env:
                raise MisfitError(f"secrets.{name}", "`env` has it as well; keep one of them", remove=True)
        for key, names in (("env", self.env), ("secrets", self.secrets)):
            for name in (each for each in SET_FOR_IT if each in names):
                raise MisfitError(f"{key}.{name}", "the platform sets it; remove it", remove=True)
        return self


def _kind(block: Any) -> Literal["registered", "custom"]:
    image = block.get("image") if isinstance(block, dict) else getattr(block, "image", None)
    model = block.get("model") if isinstance(block, dict) else getattr(block, "model", None)
    return "custom" if image is not None and model is None else "registered"


AnySource = RegisteredSettings | ImageSettings
ServedSettings = Annotated[
    Annotated[RegisteredSettings, Tag("registered")] | Annotated[ImageSettings, Tag("custom")], Discriminator(_kind)
]
