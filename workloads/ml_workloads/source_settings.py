"""Settings of what answers requests: a registered model, files of a model, or an image of one's own. Each block of
`serving` has one.

A block is of the kind whose key it has, and has all settings of serving_settings.py besides.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from ml_platform.configuration import MisfitError, Name, Quantity, one_rule
from pydantic import Discriminator, Field, Tag, model_validator

from ml_workloads.fields import Command, OwnImage, Version
from ml_workloads.formats import FORMATS, Format
from ml_workloads.protocol import Protocol
from ml_workloads.serving_settings import CanarySettings, ServingSettings

KINDS = {"model": "registered", "uri": "stored", "image": "custom"}
"""The keys of which a block of `serving` has exactly one, each with the tag of its kind."""
SET_FOR_IT = ("HOME", "STORAGE_URI", "PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
"""Variables of an image's environment that the platform, KServe and Knative set."""

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
FilesUri = Annotated[
    str,
    Field(
        pattern=r"^(s3|gs|pvc|https|hf)://[^\s/]+(/\S*)?$",
        description="s3://<bucket>/<key>, gs://<bucket>/<key>, pvc://<claim>/<path>, https://<host>/<path>, "
        "hf://<owner>/<model>. A version or a digest as the last part of the path pins it.",
    ),
]
RunFiles = Annotated[
    str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?\.files$", description="What a run of operator export leaves.")
]
UNKEPT = MisfitError(
    "requests",
    "requests are kept by the platform's own model server, which serves registered models and files of the formats "
    f"{', '.join(name for name, each in FORMATS.items() if each.own)}; remove it",
    remove=True,
)
Arguments = Annotated[tuple[str, ...], Field(strict=False), one_rule("it is a list of texts")]


class SourceSettings(ServingSettings):
    """A block of `serving`, of whichever kind."""

    varies: ClassVar[str]  # the key that a canary has as well, with another value
    canary: CanarySettings | None = None

    @property
    def exported(self) -> str | None:
        """The run that leaves its files, where one does."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _has_one_source(cls, given: Any) -> Any:
        named = [key for key in KINDS if isinstance(given, dict) and given.get(key) is not None]
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


class FilesSettings(SourceSettings):
    """A block whose files somebody has put somewhere."""

    secret: SecretName | None = None
    """What opens the place of the files: for gs:// the key of a service account as JSON, for hf:// a token. The
    platform's own buckets need none."""

    files_key: ClassVar[str]  # the key that says where they are

    @property
    def files(self) -> str | None:
        """Where they are."""
        found: str | None = getattr(self, self.files_key)
        return found

    @property
    def scheme(self) -> str:
        """How they are reached; an empty one where there are none."""
        return (self.files or "").partition("://")[0]

    @property
    def locked(self) -> bool:
        """Whether a key is needed to read them."""
        return self.scheme == "s3" or self.secret is not None

    @model_validator(mode="after")
    def _opens_what_is_locked(self) -> Self:
        if self.secret and self.scheme not in ("gs", "hf"):
            raise MisfitError("secret", "it opens gs:// and hf://, and the files are at neither", remove=True)
        return self


class StoredCanary(CanarySettings):
    """Other files of the same format, tried on a part of the requests."""

    uri: FilesUri


class StoredSettings(FilesSettings):
    """A model from its files, which no gate of this stack has judged, at one URL whatever is changed here."""

    varies = files_key = "uri"

    uri: FilesUri
    """Where they are: a folder, or one file."""
    format: Format
    """What they are. mlflow, sklearn, xgboost and lightgbm are served by the platform's own model server, the others by
    KServe's runtimes where its release has them."""
    model_name: Name | None = None
    """The name of the model in the paths of requests. Without it, the name of the block; a format whose files name the
    model (onnx, pytorch, triton) has theirs."""
    canary: StoredCanary | None = None

    @property
    def own_server(self) -> bool:
        return FORMATS[self.format].own

    @model_validator(mode="after")
    def _tried_at_the_same_place(self) -> Self:
        if self.requests and not self.own_server:
            raise UNKEPT
        if self.canary and self.canary.uri.partition("://")[0] != self.scheme:
            raise MisfitError("canary.uri", f"it must begin with {self.scheme}:// too, as `uri` does")
        return self


class ImageCanary(CanarySettings):
    """Another image, tried on a part of the requests with the settings of the block."""

    image: OwnImage


class ImageSettings(FilesSettings):
    """A model server of one's own, at one URL whatever is changed here. It runs as the user 65532 and writes below
    /tmp."""

    varies = "image"
    files_key = "model_files"

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
    model_files: FilesUri | RunFiles | None = None
    """Files that are there, read only, below /mnt/models before it starts: a URI, or <run>.files, the version that
    a run has exported last."""
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

    @property
    def own_server(self) -> bool:
        return False

    @property
    def exported(self) -> str | None:
        found = self.model_files
        return found.removesuffix(".files") if found and "://" not in found else None

    @property
    def files(self) -> str | None:
        """Where they are, where the settings say so: those of a run are on a volume."""
        return None if self.exported else self.model_files

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.requests:
            raise UNKEPT
        if self.protocol == "other" and self.ready is None:
            raise MisfitError("ready", "no protocol says where it is told that the server is ready: name the path")
        if self.protocol == "other" and self.transformer and self.transformer.script:
            raise MisfitError("transformer.script", "it asks by protocol v1 or v2, and the image speaks neither")
        for name in self.secrets:
            if name in self.env:
                raise MisfitError(f"secrets.{name}", "`env` has it as well; keep one of them", remove=True)
        for key, names in (("env", self.env), ("secrets", self.secrets)):
            for name in (each for each in SET_FOR_IT if each in names):
                raise MisfitError(f"{key}.{name}", "the platform sets it; remove it", remove=True)
        return self


def account_of(block: str) -> str:
    """The name of the service account that may read the files of a block, and of the Secret with its key."""
    return f"{block}-storage"


def _kind(block: Any) -> str:
    """The first that the block has the key of; of a block without any, the one of a registered model."""
    given = block if isinstance(block, dict) else vars(block)
    return next((kind for key, kind in KINDS.items() if given.get(key) is not None), "registered")


AnySource = RegisteredSettings | StoredSettings | ImageSettings
ServedSettings = Annotated[
    Annotated[RegisteredSettings, Tag("registered")]
    | Annotated[StoredSettings, Tag("stored")]
    | Annotated[ImageSettings, Tag("custom")],
    Discriminator(_kind),
]
