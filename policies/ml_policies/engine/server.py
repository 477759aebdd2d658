# ruff: noqa: ARG002, N802 - names and signatures are the protocol's
"""The engine's Analyzer protocol, on which Pulumi's own PolicyPack stands as well.

That one reads every resource again for each policy, takes what is unknown for a remark, never learns which stack it
judges, and passes over settings of policies that there are not. Here a resource is read once for all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent import futures
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from ml_policies.engine import environments, report
from ml_policies.engine.environments import Settings
from ml_policies.engine.exemptions import SettingsError
from ml_policies.engine.judge import Finding, Judge
from ml_policies.engine.policy import Policy, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import read

PACK, VERSION = "ml-platform", "1.0.0"
LARGEST_MESSAGE = 400 * 1024 * 1024  # as in the engine
LEVELS: Mapping[str, Any] = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
}
NAMES = {number: name for name, number in LEVELS.items()}

Context = grpc.ServicerContext


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers for one stack: the engine says which, asks what there is, configures that, and sends the resources."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._declared: dict[str, Resource] = {}

    def Handshake(self, request: Any, context: Context) -> Any:
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def ConfigureStack(self, request: Any, context: Context) -> Any:
        self._judge.stack = request.stack
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, request: Any, context: Context) -> Any:
        info = analyzer_pb2.AnalyzerInfo(name=PACK, version=VERSION, supportsConfig=True)
        info.policies.extend(_described(policy) for policy in self._judge.policies.values())
        info.policies.append(
            analyzer_pb2.PolicyInfo(name=report.NAME, description=report.TITLE, enforcementLevel=analyzer_pb2.ADVISORY)
        )
        try:
            for name, settings in environments.load(self._judge.stack).items():
                info.initialConfig[name].CopyFrom(_initial(settings, self._judge, name))
        except SettingsError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return info

    def Configure(self, request: Any, context: Context) -> Any:
        try:
            for name, given in request.policyConfig.items():
                if name not in ("all", report.NAME):
                    settings = json_format.MessageToDict(given.properties)
                    self._judge.configure(name, NAMES.get(given.enforcementLevel), _whole(settings))
        except SettingsError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return empty_pb2.Empty()

    def Analyze(self, request: Any, context: Context) -> Any:
        resource = self._declared[request.urn] = _resource(request)
        return _response(self._judge.judge(resource))

    def AnalyzeStack(self, request: Any, context: Context) -> Any:
        # As declared: what comes here are outputs, of which a preview knows none where the cluster is yet to be made.
        resources = [_whole_of(each, self._declared.get(each.urn) or _resource(each)) for each in request.resources]
        response = _response(self._judge.stack_findings(resources))
        text = report.text(self._judge, resources)
        response.diagnostics.append(_diagnostic(report.NAME, report.TITLE, f"{report.TITLE}\n{text}", "advisory"))
        return response

    def Remediate(self, request: Any, context: Context) -> Any:
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: Context) -> Any:
        return empty_pb2.Empty()


def serve(build: Callable[[], Judge]) -> None:
    """Serves until the engine ends this process; tells it the port. Settings that are none end it at once."""
    try:
        judge = build()
    except SettingsError as error:
        sys.exit(f"error: {error}")
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=1),  # rules are pure Python: more threads would only take turns
        options=[("grpc.max_receive_message_length", LARGEST_MESSAGE)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(judge), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _resource(message: Any) -> Resource:
    return Resource(
        type=message.type,
        name=message.name,
        props=read(message.properties),
        urn=message.urn,
        parent=message.options.parent,
        protect=message.options.protect,
    )


def _whole_of(message: Any, declared: Resource) -> Resource:
    """With what only the whole stack tells."""
    depends = {name: frozenset(each.urns) for name, each in message.propertyDependencies.items() if each.urns}
    return replace(declared, depends=depends) if depends else declared


def _response(findings: Iterable[Finding]) -> Any:
    return analyzer_pb2.AnalyzeResponse(
        diagnostics=[
            _diagnostic(
                found.policy.name,
                found.policy.asks,
                f"{found.policy.asks} {found.policy.why}\n{found.message}",
                found.level,
                found.resource.urn if found.resource else "",
            )
            for found in findings
        ]
    )


def _diagnostic(policy: str, description: str, message: str, level: str, urn: str = "") -> Any:
    return analyzer_pb2.AnalyzeDiagnostic(
        policyName=policy,
        policyPackName=PACK,
        policyPackVersion=VERSION,
        description=description,
        message=message,
        enforcementLevel=LEVELS[level],
        urn=urn,
    )


def _described(policy: Policy) -> Any:
    of_stack = isinstance(policy, StackPolicy)
    info = analyzer_pb2.PolicyInfo(
        name=policy.name,
        description=policy.asks,
        enforcementLevel=LEVELS[policy.level],
        policy_type=analyzer_pb2.POLICY_TYPE_STACK if of_stack else analyzer_pb2.POLICY_TYPE_RESOURCE,
    )
    schema = policy.parameters.model_json_schema()
    info.configSchema.properties.update(schema.get("properties", {}))
    return info


def _initial(settings: Settings, judge: Judge, name: str) -> Any:
    """What an environment's file says; the level of the policy itself where it names none."""
    level, known = settings.level, judge.policies.get(name)
    if level is not None and level not in LEVELS:
        raise SettingsError(f"{name}: {level!r} is no enforcement level; there are {', '.join(LEVELS)}")
    config = analyzer_pb2.PolicyConfig(enforcementLevel=LEVELS[level or (known.level if known else "mandatory")])
    config.properties.update(settings.parameters)
    return config


def _whole(value: Any) -> Any:
    """Numbers of JSON as Python's own: a limit of 3.0 is 3."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
