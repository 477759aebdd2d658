"""What an InferenceService serves, one class for each kind of source: its part of the manifest, and how it is asked."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods

from ml_workloads.formats import FORMATS
from ml_workloads.protocol import READY, Protocol, asked_path, ready_path
from ml_workloads.recorded import Recorded
from ml_workloads.serving_settings import ProbeSettings, ServingSettings
from ml_workloads.source_settings import ImageSettings, RegisteredSettings, StoredSettings, account_of
from ml_workloads.workspace import MODEL

CONTAINER = "kserve-container"
"""KServe's name for the container that is asked."""
PORT = 8080
"""Where the model servers of runtimes listen."""
TMP = {"tmp": "/tmp"}  # noqa: S108 - the container's own
STORAGE_URI = "STORAGE_URI"
"""The variable by which KServe knows what to put below /mnt/models; the server finds that path in it."""
ORIGINS = "ML_ORIGINS"
"""The variable by which a server of the platform's knows the web pages that may ask it: ml_runtime.origins."""
SILENCE = 120
"""Seconds without an answer after which a server gets no more requests, where the settings don't say."""
HELD = {
    "runAsNonRoot": True,
    "runAsUser": pods.USER,
    "runAsGroup": pods.USER,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""All that the restricted standard asks for, in the container: Knative takes nothing of it for the pod."""


class Source(ABC):
    """One thing that answers requests."""

    settings: ServingSettings
    read: Sequence[pulumi.Output[str]] = ()
    """What its pods read at their start: another one needs other pods."""
    recorded: Recorded | None = None
    """Its requests, where they are kept."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that its server has for the model."""

    @property
    @abstractmethod
    def served(self) -> pulumi.Output[str]:
        """What answers, in a word: the URI of a model, or an image."""

    @property
    def protocol(self) -> Protocol:
        """By which it is asked."""
        return "v2"

    @property
    def asked(self) -> str:
        """The path of requests."""
        return asked_path(self.protocol, self.name)

    @property
    def ready(self) -> str:
        """The path that is answered when it can be asked."""
        return ready_path(self.protocol, self.name)

    @property
    def speaks_v1(self) -> bool:
        """Whether it answers protocol v1, maybe beside the one that `asked` is of."""
        return True

    @property
    def account(self) -> str:
        """The service account of its pods."""
        return MODEL

    @property
    def listens(self) -> Mapping[str, Any] | None:
        """Where it listens, and the paths of other protocols that tell when it is ready, where the settings say so."""
        return None

    @abstractmethod
    def server(self) -> Mapping[str, Any]:
        """Its server as plain values: another one needs other pods."""

    @abstractmethod
    def predictor(self) -> Mapping[str, Any]:
        """Its part of the InferenceService's predictor."""


@dataclass(frozen=True, kw_only=True)
class Registered(Source):
    """A version of a registered model, on the platform's own model server."""

    settings: RegisteredSettings
    version: pulumi.Input[str]
    registry: pulumi.Output[str]
    """It is waited for, though its address is not in the URI: the version is downloaded from there."""
    image: str | None
    """The image that has the model's own packages; None is the one of the runtime."""
    recorded: Recorded | None

    @property
    def name(self) -> str:
        return self.settings.model

    @property
    def served(self) -> pulumi.Output[str]:
        uri = pulumi.Output.concat("mlflow://", self.name, "/", self.version)
        return pulumi.Output.all(uri, self.registry).apply(lambda values: str(values[0]))

    def server(self) -> Mapping[str, Any]:
        settings = self.settings
        return {
            "modelFormat": {"name": "mlflow", "version": "3"},
            "protocolVersion": "v2",
            "runtime": "mlserver",
            "resources": pods.resource_sizes(settings.resources),
            **({"image": self.image} if self.image else {}),
            **of_own_server(settings, self.recorded),
            **probes(settings, PORT, self.ready, "/v2/health/live"),
        }

    def predictor(self) -> Mapping[str, Any]:
        # Each answer says which version it is of.
        version, server = pods.variables({"MLSERVER_MODEL_VERSION": self.version}), self.server()
        model = {**server, "storageUri": self.served, "env": [*version, *server.get("env", [])]}
        return {"model": model, **spooled(self.recorded)}


@dataclass(frozen=True, kw_only=True)
class Named(Source):
    """What the settings of a block say where it is."""

    block: str
    settings: StoredSettings | ImageSettings
    read: Sequence[pulumi.Output[str]]

    @property
    def name(self) -> str:
        return self.settings.model_name or self.block

    @property
    def account(self) -> str:
        return account_of(self.block) if self.settings.locked else MODEL


@dataclass(frozen=True, kw_only=True)
class Stored(Named):
    """Files of a model, on the platform's own model server or on one of KServe's runtimes."""

    settings: StoredSettings
    uri: str
    recorded: Recorded | None

    @property
    def served(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self.uri)

    @property
    def protocol(self) -> Protocol:
        return FORMATS[self.settings.format].protocol

    @property
    def speaks_v1(self) -> bool:
        served = FORMATS[self.settings.format]
        return served.own or served.protocol == "v1"

    def server(self) -> Mapping[str, Any]:
        settings, served = self.settings, FORMATS[self.settings.format]
        own = of_own_server(settings, self.recorded, pods.digest(self.uri), ML_FORMAT=settings.format)
        named = {"args": [f"--model_name={self.name}"]}  # a canary's own name is another one
        return {
            "modelFormat": {"name": settings.format},
            "protocolVersion": served.protocol,
            "resources": pods.resource_sizes(settings.resources),
            **({"runtime": "mlserver", **own} if served.own else {}),
            **(named if served.named else {}),
            **probes(settings, PORT, self.ready, "/v2/health/live" if served.own else self.ready),
        }

    def predictor(self) -> Mapping[str, Any]:
        return {"model": {**self.server(), "storageUri": self.uri}, **spooled(self.recorded)}


@dataclass(frozen=True, kw_only=True)
class Custom(Named):
    """An image that is a model server by itself."""

    settings: ImageSettings
    image: str
    exported: pulumi.Output[str] | None = None
    """Where the files are that a run leaves for it."""

    @property
    def served(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self.image)

    @property
    def protocol(self) -> Protocol:
        return self.settings.protocol

    @property
    def ready(self) -> str:
        return self.settings.ready or super().ready

    @property
    def speaks_v1(self) -> bool:
        return self.settings.protocol == "v1"

    @property
    def listens(self) -> Mapping[str, Any] | None:
        others = {each: path.format(self.name) for each, path in READY.items() if each != self.settings.protocol}
        return {"port": self.settings.port, "others": others}

    def server(self) -> Mapping[str, Any]:
        settings = self.settings
        secrets = {name: pods.secret_key(secret_of(self.block), name) for name in settings.secrets}
        files = {STORAGE_URI: settings.files} if settings.files else {}
        asked = {"readinessProbe": pods.probe(settings.port, self.ready, failureThreshold=SILENCE)}
        return pods.container(
            CONTAINER,
            self.image,
            settings.resources,
            env={"HOME": TMP["tmp"], **settings.env, **secrets, **files},
            mounts=TMP,
            ports=[{"containerPort": settings.port, "protocol": "TCP"}],
            securityContext=HELD,
            terminationMessagePolicy="FallbackToLogsOnError",
            **{**asked, **probes(settings, settings.port, self.ready, self.ready)},
            **({"command": [*settings.command]} if settings.command else {}),
            **({"args": [*settings.args]} if settings.args else {}),
        )

    def predictor(self) -> Mapping[str, Any]:
        server = self.server()
        if self.exported is not None:
            server = {**server, "env": [*server["env"], *pods.variables({STORAGE_URI: self.exported})]}
        return {"containers": [server], "volumes": [pods.scratch("tmp", self.settings.scratch)]}


def of_own_server(
    settings: ServingSettings, recorded: Recorded | None, version: str | None = None, **told: str
) -> dict[str, Any]:
    """The part of the platform's model server that says which pages may ask it, and where it hands its requests on;
    `version` is what they are of, where no registry has one."""
    env = pods.variables({**told, **asked_from(settings)})
    if recorded is None:
        return {"env": env} if env else {}
    return {"env": [*env, *recorded.variable(version)], "volumeMounts": [recorded.mount]}


def asked_from(settings: ServingSettings) -> dict[str, str]:
    """The variable by which a server of the platform's knows the web pages that may ask it."""
    return {ORIGINS: " ".join(settings.origins)} if settings.origins else {}


def spooled(recorded: Recorded | None) -> dict[str, Any]:
    """The part of the pod that has the disk for them."""
    return {"volumes": [recorded.volume]} if recorded else {}


def secret_of(block: str) -> str:
    """The name of the Secret with the secrets of a block."""
    return f"{block}-secrets"


def probes(settings: ServingSettings, port: int, ready: str, live: str) -> dict[str, Any]:
    """The probes that the settings ask for. While a server starts, its silence is no reason to start it again."""
    found: dict[str, Any] = {}
    if settings.readiness:
        found["readinessProbe"] = _probe(port, ready, settings.readiness)
    if settings.liveness:
        found["livenessProbe"] = _probe(port, live, settings.liveness)
        found["startupProbe"] = pods.probe(port, live, failureThreshold=settings.timeout)
    return found


def _probe(port: int, path: str, settings: ProbeSettings) -> dict[str, Any]:
    times = {"periodSeconds": settings.period, "timeoutSeconds": settings.timeout}
    return pods.probe(port, path, **times, failureThreshold=settings.failures)
