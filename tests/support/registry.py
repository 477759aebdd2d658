"""A registry of dicts in the place of MLflow, and what each model there answers, for tests of the gate."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import evidence, judged, kept, pictures, register, split
from ml_runtime.answers import Answers
from ml_runtime.gate_spec import GateSpec, parse
from ml_runtime.schema import Column, Kind, Schema
from ml_runtime.split import Sketch

COUNT = 40
FRAME = pandas.DataFrame({"length": numpy.arange(float(COUNT)), "species": ["a", "b"] * (COUNT // 2)})
SCHEMA = Schema((Column("length", Kind.NUMBER), Column("species", Kind.CATEGORY, categories=("a", "b", "c"))))
ROWS = kept.to_csv(FRAME, SCHEMA)
DIGEST = hashlib.sha256(ROWS).hexdigest()
HASHES = split.row_hashes(FRAME, ["length"])
RIGHT = FRAME.species.to_numpy(object)
HALF = numpy.array(["a"] * COUNT, dtype=object)


def described(run: str = "iris-gate-1", candidate: str = "new", **gate: Any) -> GateSpec:
    rules = {"metric": "accuracy", "at_least": 0.9, **gate}
    return parse({"run": run, "candidate": candidate, "model": "iris", "gate": rules, "patience": 0.001})


class Registry:
    """MLflow's runs, versions and aliases, and what each model answers, or why it can't."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.tags: dict[str, dict[str, str]] = {name: self._tags() for name in answers}
        self.artifacts: dict[str, bytes] = {
            f"test/{DIGEST}.csv": ROWS,
            "test/schema.json": SCHEMA.to_json().encode(),
            "test/training-rows.json": Sketch.of(HASHES[:10], ["length"]).to_json().encode(),
            "test/test-rows.json": Sketch.of(HASHES, ["length"]).to_json().encode(),
        }
        self.files: dict[str, str] = {}
        self.flavours: dict[str, str] = {}
        self.signatures: dict[str, str] = {}
        self.versions: list[SimpleNamespace] = []
        self.aliases: dict[str, str] = {}
        self.drawn: list[str] = []

    def _tags(self) -> dict[str, str]:
        return {
            "ml-platform.test.sha256": DIGEST, "ml-platform.target": "species", "ml-platform.task": "classification",
        }  # fmt: skip

    def get_run(self, name: str) -> Any:
        info = SimpleNamespace(run_id=name, artifact_uri=f"mlflow-artifacts:/{name}")
        return SimpleNamespace(info=info, data=SimpleNamespace(tags=dict(self.tags[name])))

    def set_tag(self, name: str, tag: str, value: str) -> None:
        self.tags[name][tag] = value

    def log_figure(self, name: str, _figure: Any, path: str) -> None:
        self.drawn.append(f"{name}/{path}")

    def search_model_versions(self, _filter: str, max_results: int) -> list[Any]:
        return self.versions[::-1][:max_results]

    def set_model_version_tag(self, _name: str, version: str, tag: str, value: str) -> None:
        self.versions[int(version) - 1].tags[tag] = value

    def set_registered_model_alias(self, _name: str, alias: str, version: str) -> None:
        self.aliases[alias] = version

    def version(self, _model: str, alias: str) -> Any:
        return self.versions[int(self.aliases[alias]) - 1] if alias in self.aliases else None

    def get_model_version(self, _model: str, version: str) -> Any:
        return self.versions[int(version) - 1]

    def new_version(self, _spec: GateSpec, run: Any, files: str) -> Any:
        return self.add(run.info.run_id, files)

    def add(self, run: str, files: str) -> Any:
        tags = {"ml-platform.files.sha256": files}
        self.versions.append(SimpleNamespace(version=str(len(self.versions) + 1), run_id=run, tags=tags))
        return self.versions[-1]

    def fetch(self, uri: str, folder: Path, _patience: float) -> dict[str, str]:
        (folder / "name").write_text(uri)
        return {"MLmodel": self.files.get(uri, uri)}

    def read(self, uri: str, _patience: float) -> bytes:
        path = uri.removeprefix("mlflow-artifacts:/").partition("/")[2]
        return self.artifacts[path]

    def names(self, uri: str, _patience: float) -> list[str]:
        below = uri.removeprefix("mlflow-artifacts:/").partition("/")[2] + "/"
        return [path.removeprefix(below) for path in self.artifacts if path.startswith(below)]

    def ask(self, folder: Path, rows: Any, *_: Any) -> Answers:
        assert [*rows.columns] == ["length"]
        name = (folder / "name").read_text()
        self.asked.append(name)
        found = self.answers[name]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Answers) else Answers(labels=found)


def digest(files: dict[str, str]) -> str:
    return f"sha256 of {files['MLmodel']}"


def use(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    def named(folder: Path) -> str:
        return (folder / "name").read_text()

    for name in ("version", "run_of"):
        monkeypatch.setattr(register.tracking, name, getattr(registry, name, lambda v: registry.get_run(v.run_id)))
    monkeypatch.setattr(register.tracking, "client", lambda: registry)
    monkeypatch.setattr(register.tracking, "model_location", lambda run: run.info.run_id)
    monkeypatch.setattr(register, "_new_version", registry.new_version)
    monkeypatch.setattr(pictures, "intervals", lambda *_: None)
    monkeypatch.setattr(evidence.ask, "answers", registry.ask)
    monkeypatch.setattr(evidence.ask, "signature", lambda folder: registry.signatures.get(named(folder), "same"))
    monkeypatch.setattr(
        evidence.flavours, "refusal",
        lambda folder, allowed: None if registry.flavours.get(named(folder), "sklearn") in allowed else "it is code",
    )  # fmt: skip
    monkeypatch.setattr(judged.download, "read", registry.read)
    monkeypatch.setattr(judged.download, "names", registry.names)
    monkeypatch.setattr(evidence.download, "fetch", registry.fetch)
    monkeypatch.setattr(evidence.download, "digest", digest)
    monkeypatch.setattr(
        evidence.download, "location", lambda _name, version, _patience: registry.versions[int(version) - 1].run_id
    )
    monkeypatch.setattr(
        evidence.download, "digest_of",
        lambda _name, version, _patience: registry.versions[int(version) - 1].tags.get("ml-platform.files.sha256"),
    )  # fmt: skip
    return registry


def versions(registry: Registry) -> list[str]:
    return [each.run_id for each in registry.versions]
