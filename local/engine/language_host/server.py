# ruff: noqa: ARG002, N802 - names and signatures are the protocol's
"""The engine's LanguageRuntime protocol: a program, a policy pack or a plugin in its own process."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from language_host import VERSION, packages
from language_host.interpreter import Interpreter, NoInterpreter, choose
from language_host.process import Processes, stream

Context = grpc.ServicerContext

# The exec script has shown what went wrong.
SHOWN = 32

_MODULES = {"analyzer": "pulumi.policy", "resource": "pulumi.run.plugin"}


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """One host a `pulumi` command; it may run a program and several packs at once."""

    def __init__(self, engine_address: str, exec_script: str) -> None:
        self._engine = engine_address
        self._exec_script = exec_script
        self.processes = Processes()

    def Handshake(self, request: Any, context: Context) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetRequiredPackages(self, request: Any, context: Context) -> Any:
        found = packages.plugins(self._interpreter(request.info, context))
        return language_pb2.GetRequiredPackagesResponse(packages=[_dependency(each) for each in found])

    def GetRequiredPlugins(self, request: Any, context: Context) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Context) -> Any:
        found = packages.installed(self._interpreter(request.info, context))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        )

    def About(self, request: Any, context: Context) -> Any:
        import platform

        python = self._interpreter(request.info, context).python
        return language_pb2.AboutResponse(executable=python, version=platform.python_version())

    def RuntimeOptionsPrompts(self, request: Any, context: Context) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Context) -> Any:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "installing packages is not served by this stand-in for the Python language host: "
            "run `python -m pip install -r requirements.txt` in the project's environment",
        )

    def Cancel(self, request: Any, context: Context) -> Any:
        self.processes.stop()
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Context) -> Any:
        try:
            interpreter = _choose(request.info)
        except NoInterpreter as error:
            return language_pb2.RunResponse(error=str(error))
        environment = {
            **os.environ,
            **interpreter.environment,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = self.processes.start(
            [interpreter.python, "-u", *self._program(request)],
            folder=request.pwd,
            environment=environment,
            piped=False,
        )
        context.add_callback(lambda: self.processes.end(process))
        code = self.processes.wait(process)
        if code in (0, SHOWN) or self.processes.stopped:
            return language_pb2.RunResponse(bail=code != 0)
        how = f"was killed by signal {-code}" if code < 0 else f"exited with non-zero exit code: {code}"
        return language_pb2.RunResponse(error=f"Program {how}")

    def RunPlugin(self, request: Any, context: Context) -> Iterator[Any]:
        module = _MODULES.get(request.kind)
        if module is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"a plugin of kind {request.kind!r} is not served by this stand-in, only {', '.join(_MODULES)}",
            )
            return
        interpreter = self._interpreter(request.info, context)
        folder = request.info.program_directory
        given = dict(entry.split("=", 1) for entry in request.env if "=" in entry)
        process = self.processes.start(
            [interpreter.python, "-u", "-m", module, *request.args, folder],
            folder=folder if request.kind == "analyzer" else request.pwd or folder,
            environment={**os.environ, **given, **interpreter.environment},
            piped=True,
        )
        context.add_callback(lambda: self.processes.end(process))
        for name, data in stream(process):
            yield (
                language_pb2.RunPluginResponse(stdout=data)
                if name == "stdout"
                else language_pb2.RunPluginResponse(stderr=data)
            )
        yield language_pb2.RunPluginResponse(exitcode=self.processes.wait(process))

    def _interpreter(self, info: Any, context: Context) -> Interpreter:
        try:
            return _choose(info)
        except NoInterpreter as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise

    def _program(self, request: Any) -> list[str]:
        info = request.info
        program = Path(info.program_directory)
        if info.entry_point not in ("", "."):
            program /= info.entry_point
        flags = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root_directory": info.root_directory,
            "organization": request.organization,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
        }
        given = [part for name, value in flags.items() if value for part in (f"--{name}", value)]
        return [self._exec_script, *given, str(program), *request.args]


def _choose(info: Any) -> Interpreter:
    return choose(json_format.MessageToDict(info.options), info.root_directory)


def _dependency(described: dict[str, Any]) -> Any:
    version = str(described["version"])
    return plugin_pb2.PackageDependency(
        name=described["name"],
        kind="resource",
        version=version if not version or version.startswith("v") else f"v{version}",
        server=described.get("server", ""),
    )
