"""Puts together what the gate's rules look at: what candidate and champion answer to the candidate's test rows.

It reads MLflow and asks models, each in a process of its own; it decides nothing. What can't be said of the candidate
is a refusal; a champion of which there is nothing to say counts as none, with a note.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ml_runtime import ask, download, flavours, judged, tracking
from ml_runtime.answers import Answers, MetricError
from ml_runtime.apart import FaultError
from ml_runtime.bootstrap import Comparison, Question, compare
from ml_runtime.errors import RunError
from ml_runtime.gate import Champion, Evidence, Refusal
from ml_runtime.gate_spec import GateSpec
from ml_runtime.judged import JudgedRows
from ml_runtime.metrics import METRICS, Metric
from ml_runtime.patience import patiently

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A model that was asked, or could not be."""

    answers: Answers | Refusal
    signature: object
    files: str
    """The digest of its files."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The evidence of one judgement, and the digest of the candidate's files as they were judged."""

    evidence: Evidence
    files: str


@dataclass(frozen=True)
class Gathering:
    """Of one judgement."""

    spec: GateSpec
    metric: Metric
    run: Run
    """The candidate's."""
    deployed: ModelVersion | None
    """The champion, if there is another one than the candidate."""

    def gather(self) -> Found:
        """What there is about the candidate, alone or beside the champion.

        Raises:
            RunError: the run keeps no test rows, or others than it says; the metric is of another task.
            AwayError: MLflow was away, or a model could not be asked here and now.
        """
        patience = self.spec.patience
        rows = judged.of(self.run, patience)
        if self.metric.task not in (None, rows.task):
            others = ", ".join(name for name, each in METRICS.items() if each.task is rows.task)
            raise RunError(
                f"gate.metric is {self.metric.name}, which judges a {self.metric.task}, and the candidate is a "
                f"{rows.task}; take one of {others}"
            )
        location = patiently("MLflow", patience, lambda: tracking.model_location(self.run))
        candidate = self._asked(location, rows)
        deployed = self.deployed
        champion = self._champion(deployed, rows, candidate) if deployed else None
        trained = patiently("MLflow", patience, lambda: tracking.run_of(deployed)) if deployed else None
        evidence = Evidence(
            rows=len(rows.target),
            candidate=self._compared(rows, candidate.answers, champion.answers if champion else None),
            signature=candidate.signature,
            champion=champion.as_evidence if champion else None,
            overlaps=dict(judged.overlaps(self.run, trained, patience)),
            notes=tuple(_notes(self.run, rows, champion, trained)),
        )
        return Found(evidence=evidence, files=candidate.files)

    def _champion(self, version: ModelVersion, rows: JudgedRows, candidate: Asked) -> _Deployed:
        model, number, patience = self.spec.model, str(version.version), self.spec.patience
        location = download.location(model, number, patience)
        if self.spec.gate.versus_champion is None:
            signature = _signature(download.read(f"{location}/MLmodel", patience))
            return _Deployed(Champion(version=number, signature=signature), why="is not compared, as the settings say")
        asked = self._asked(
            location, rows, download.digest_of(model, number, patience) or "none: no gate has judged it"
        )
        champion = Champion(version=number, signature=asked.signature, same=_same(candidate.answers, asked.answers))
        if isinstance(asked.answers, Refusal):
            return _Deployed(champion, why=f"counts as none: {asked.answers.reason}")
        try:
            score = self.metric.of(rows.target, asked.answers, self.spec.gate.positive)
        except MetricError as none:
            return _Deployed(champion, why=f"counts as none: {none}")
        if not isfinite(score):
            return _Deployed(champion, why=f"counts as none: its {self.metric.name} is {score}")
        return _Deployed(champion, asked.answers)

    def _asked(self, location: str, rows: JudgedRows, accepted: str | None = None) -> Asked:
        """The model there. It is not loaded if a gate has accepted other files, or `flavours` forbids it."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = download.digest(download.fetch(location, folder, self.spec.patience))
            if accepted not in (None, files):
                reason = f"its files have the digest {files}, and a gate has accepted {accepted}"
                return Asked(answers=Refusal("files", reason), signature=None, files=files)
            if forbidden := flavours.refusal(folder, self.spec.gate.flavours):
                return Asked(answers=Refusal("flavour", forbidden), signature=None, files=files)
            answers: Answers | Refusal
            try:
                answers = ask.answers(folder, rows.features, rows.task, rows.classes)
            except FaultError as broken:
                answers = Refusal("serving-image", f"the serving image can't use the model: {broken}")
            return Asked(answers=answers, signature=ask.signature(folder), files=files)

    def _compared(
        self, rows: JudgedRows, candidate: Answers | Refusal, champion: Answers | None
    ) -> Comparison | Refusal:
        if isinstance(candidate, Refusal):
            return candidate
        rules = self.spec.gate
        question = Question(
            metric=self.metric,
            digest=rows.digest,
            confidence=rules.confidence,
            positive=rules.positive,
            groups=rows.groups,
        )
        try:
            return compare(question, rows.target, candidate, champion)
        except MetricError as none:
            return Refusal("finite", str(none))


@dataclass(frozen=True)
class _Deployed:
    """The champion, and what it answers; or why it is not compared."""

    as_evidence: Champion
    answers: Answers | None = None
    why: str | None = None


def _signature(content: bytes) -> object:
    """Of a model's file MLmodel."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "MLmodel").write_bytes(content)
        return ask.signature(Path(name))


def _same(one: Answers | Refusal, other: Answers | Refusal) -> bool:
    """Whether these are the same numbers and classes, every one."""
    import numpy

    if isinstance(one, Refusal) or isinstance(other, Refusal):
        return False
    if one.classes != other.classes or not numpy.array_equal(one.labels, other.labels):
        return False
    if one.probabilities is None or other.probabilities is None:
        return one.probabilities is other.probabilities
    return numpy.array_equal(one.probabilities, other.probabilities)


def _notes(run: Run, rows: JudgedRows, champion: _Deployed | None, trained: Run | None) -> Iterator[str]:
    """What a reader should know besides: of rows, of the champion, of the rows that it was judged by."""
    if rows.groups is not None:
        yield f"the test rows are of {int(rows.groups.max()) + 1} groups, which are drawn whole"
    if known := run.data.tags.get(tracking.NOTES):
        yield known
    if champion and champion.why:
        yield f"the champion, version {champion.as_evidence.version}, {champion.why}"
    elif champion and trained:
        same = trained.data.tags.get(tracking.TEST_DIGEST) == rows.digest
        yield (
            "the champion's own run kept the same test rows" if same else "the champion's own run kept other test rows"
        )
