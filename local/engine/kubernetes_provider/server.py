# ruff: noqa: ARG002, N802 - names and signatures are the protocol's
"""The engine's ResourceProvider protocol in front of `Objects`: messages in, messages out, errors with reasons."""

import functools
import json
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from ml_platform.kube import KubeconfigError, KubeError, Unreachable
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from kubernetes_provider import VERSION, check, settings
from kubernetes_provider.diff import Change, Kind
from kubernetes_provider.messages import Messages
from kubernetes_provider.objects import Objects, Saved
from kubernetes_provider.session import Session
from kubernetes_provider.values import decode, encode, is_unknown, reveal

Context = grpc.ServicerContext

ELSEWHERE = (
    "{what} is not served by this stand-in for the Kubernetes provider: it takes the official plugin, "
    "`pulumi plugin install resource kubernetes " + VERSION + "`"
)
_REMOVE = " If the cluster was deleted, set PULUMI_K8S_DELETE_UNREACHABLE=true to drop its resources from the state."
_UNHANDLED = ("helm.sh/", "kustomize:", "kustomize/", "yaml:", "yaml/")


def _answered(method: Callable[[Any, Any, Context], Any]) -> Callable[[Any, Any, Context], Any]:
    """Errors that we foresee become the engine's error message, under the resource that they are about."""

    @functools.wraps(method)
    def call(self: Any, request: Any, context: Context) -> Any:
        try:
            with self.messages.about(getattr(request, "urn", "")):
                return method(self, request, context)
        except (KubeError, KubeconfigError, check.Refused, ValueError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return call


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider instance of the engine."""

    def __init__(self, engine_address: str) -> None:
        self.messages = Messages(engine_address)
        self._open(settings.Settings(unusable="the provider is not configured"))

    def Handshake(self, request: Any, context: Context) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: Any, context: Context) -> Any:
        self.messages = self.session.messages = Messages(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Context) -> Any:
        default = request.urn.rpartition("::")[2].startswith("default")
        refused = settings.refusals(reveal(decode(request.news)), default_provider=default)
        failures = [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in refused]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @_answered
    def DiffConfig(self, request: Any, context: Context) -> Any:
        olds, news = reveal(decode(request.olds)), reveal(decode(request.news))
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=_new_cluster(olds, news, changed))

    @_answered
    def Configure(self, request: Any, context: Context) -> Any:
        self._open(settings.Settings.parse(request.variables))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @_answered
    def Check(self, request: Any, context: Context) -> Any:
        token = _token(request)
        if token.partition(":")[2].startswith(_UNHANDLED):
            raise check.Refused(ELSEWHERE.format(what=token))
        if self.session.settings.skip_update_unreachable and (why := self.session.unreachable()):
            self.messages.warning(f"cluster is unreachable, kept as it was (skipUpdateUnreachable): {why}")
            return provider_pb2.CheckResponse(inputs=request.olds)
        autonaming = request.autonaming
        disabled = autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.Mode.DISABLE
        checked = self.objects.check(
            check.Request(
                token=token,
                resource_name=request.name or request.urn.rpartition("::")[2],
                news=decode(request.news),
                olds=decode(request.olds),
                proposal=check.Proposal(seed=request.randomSeed, name=autonaming.proposed_name, disabled=disabled),
            )
        )
        return provider_pb2.CheckResponse(inputs=encode(checked))

    @_answered
    def Diff(self, request: Any, context: Context) -> Any:
        found = self.objects.diff(
            _token(request),
            decode(request.olds),
            decode(request.old_inputs),
            decode(request.news),
            list(request.ignoreChanges),
        )
        some = bool(found.changes or found.replaces)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if some else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_first,
            detailedDiff={change.name: _property_diff(change) for change in found.changes},
            hasDetailedDiff=True,
        )

    @_answered
    def Create(self, request: Any, context: Context) -> Any:
        token, properties = _token(request), decode(request.properties)
        saved = self.objects.create(token, properties, request.timeout, preview=request.preview)
        self._complete(context, saved)
        return provider_pb2.CreateResponse(id=saved.id, properties=encode(saved.state))

    @_answered
    def Update(self, request: Any, context: Context) -> Any:
        saved = self.objects.update(
            _token(request),
            decode(request.olds),
            decode(request.news),
            request.timeout,
            list(request.ignoreChanges),
            preview=request.preview,
        )
        self._complete(context, saved)
        return provider_pb2.UpdateResponse(properties=encode(saved.state))

    @_answered
    def Read(self, request: Any, context: Context) -> Any:
        state, inputs = decode(request.properties), decode(request.inputs)
        try:
            saved = self.objects.read(_token(request), request.id, state, inputs)
        except Unreachable as error:
            if self.session.settings.delete_unreachable:
                self.messages.warning(f"unreachable, dropped from the state (deleteUnreachable): {error}")
                return provider_pb2.ReadResponse()
            if self.session.settings.skip_update_unreachable:
                self.messages.warning(f"unreachable, kept as it was (skipUpdateUnreachable): {error}")
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            return context.abort(grpc.StatusCode.UNKNOWN, f"{error}.{_REMOVE}")
        if saved is None:
            return provider_pb2.ReadResponse()
        self._complete(context, saved)
        return provider_pb2.ReadResponse(id=saved.id, properties=encode(saved.state), inputs=encode(saved.inputs))

    @_answered
    def Delete(self, request: Any, context: Context) -> Any:
        token, state = _token(request), decode(request.properties)
        try:
            left = self.objects.delete(token, request.id, state, request.timeout)
        except Unreachable as error:
            if not self.session.settings.delete_unreachable:
                return context.abort(grpc.StatusCode.UNKNOWN, f"{error}.{_REMOVE}")
            self.messages.warning(f"unreachable, dropped from the state (deleteUnreachable): {error}")
            left = None
        if left is not None:
            self._complete(context, left)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Context) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, ELSEWHERE.format(what=f"the function {request.tok}"))

    def Call(self, request: Any, context: Context) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, ELSEWHERE.format(what=f"the method {request.tok}"))

    def Construct(self, request: Any, context: Context) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, ELSEWHERE.format(what=f"the component {request.type}"))

    def GetSchema(self, request: Any, context: Context) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, ELSEWHERE.format(what="the schema"))

    def Cancel(self, request: Any, context: Context) -> Any:
        self.session.cancelled.set()
        return empty_pb2.Empty()

    def _open(self, given: settings.Settings) -> None:
        self.session = Session(given, self.messages)
        self.objects = Objects(self.session)

    def _complete(self, context: Context, saved: Saved) -> None:
        """An object that is there but not ready is kept in the state, with the reasons, and tried again."""
        if not saved.reasons:
            return
        detail = provider_pb2.ErrorResourceInitFailed(
            id=saved.id,
            properties=encode(saved.state),
            reasons=saved.reasons,
            inputs=encode(saved.inputs) if saved.inputs else None,
        )
        packed = any_pb2.Any()
        packed.Pack(detail)
        code = grpc.StatusCode.UNKNOWN
        status = status_pb2.Status(code=code.value[0], message=saved.reasons[0], details=[packed])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, saved.reasons[0])


def _token(request: Any) -> str:
    """The resource's type; older engines send it in the URN alone, behind the types of its parents."""
    return str(request.type or request.urn.split("::")[2].rpartition("$")[2])


def _property_diff(change: Change) -> Any:
    kind = change.kind.value + ("_REPLACE" if change.replaces else "")
    return provider_pb2.PropertyDiff(
        kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=change.kind is Kind.DELETE
    )


def _new_cluster(olds: dict[str, Any], news: dict[str, Any], changed: list[str]) -> list[str]:
    """The properties by which the provider, and all that lives in it, moves to another cluster."""
    identifier = (olds.get("clusterIdentifier"), news.get("clusterIdentifier"))
    if all(identifier):
        return ["clusterIdentifier"] if identifier[0] != identifier[1] else []
    keys = [key for key in ("kubeconfig", "context", "cluster") if key in changed]
    if any(is_unknown(news.get(key)) for key in keys):
        return keys
    return keys if _cluster(olds) != _cluster(news) and _cluster(olds) and _cluster(news) else []


def _cluster(given: dict[str, Any]) -> str:
    if not given.get("kubeconfig"):
        return ""
    try:
        return json.dumps(settings.connection_of(given).cluster, sort_keys=True)
    except (KubeconfigError, OSError, ValueError):
        return ""
