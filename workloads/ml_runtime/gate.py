"""Decides whether a trained model may become champion: accepted or refused, by which rule and numbers, as data.

Candidate and champion are loaded from MLflow, as a server would load them, and scored in one step on the same held-out
rows, which the candidate's run keeps under the digest of their content. Owns the rules; moves no alias.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ml_runtime import data, store, tracking
from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.spec import AgainstChampion, GateRules, RunSpec

if TYPE_CHECKING:
    from mlflow.entities import Run

ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`rule` is the one that refused, or "accepted"."""

    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Champion:
    """What the deployed model showed on the candidate's held-out rows."""

    version: str
    accuracy: float
    same_signature: bool


def decide(rules: GateRules, accuracy: float, rows: int, champion: Champion | None) -> Judgement:
    """Apply the rules in order; the first that is broken decides."""
    numbers = {"accuracy": accuracy, "minimum_accuracy": rules.minimum_accuracy, "held_out_rows": float(rows)}
    if champion:
        numbers["champion_accuracy"] = champion.accuracy
    against = f"the champion, version {champion.version}," if champion else ""

    def judged(rule: str, reason: str) -> Judgement:
        return Judgement(accepted=rule == ACCEPTED, rule=rule, reason=reason, numbers=numbers)

    if accuracy < rules.minimum_accuracy:
        return judged("minimum-accuracy", f"accuracy {accuracy:.4f} is below {rules.minimum_accuracy}")
    if champion and not (champion.same_signature or rules.allow_signature_change):
        return judged("signature", f"{against} takes or answers other columns; allow_signature_change permits it")
    if champion and rules.champion is AgainstChampion.BETTER and accuracy <= champion.accuracy:
        return judged("champion", f"accuracy {accuracy:.4f} is not better than {against} with {champion.accuracy:.4f}")
    if champion and rules.champion is AgainstChampion.NOT_WORSE and accuracy < champion.accuracy:
        return judged("champion", f"accuracy {accuracy:.4f} is worse than {against} with {champion.accuracy:.4f}")
    return judged(ACCEPTED, f"accuracy {accuracy:.4f} passes all rules")


def judge(spec: RunSpec) -> Judgement:
    """Judge this run's model and note the judgement in its MLflow run.

    A model that is champion already keeps the judgement that made it so: a second try must not refuse it for being no
    better than itself.

    Raises:
        RunError: the run is not there, or MLflow was away for too long.
    """
    limit_client_retries()
    return patiently("MLflow", spec.patience, lambda: _judge(spec))


def _judge(spec: RunSpec) -> Judgement:
    run = tracking.required_run(spec)
    champion = tracking.champion(spec.model)
    if champion and champion.run_id == run.info.run_id and tracking.JUDGEMENT in run.data.tags:
        return Judgement(**json.loads(run.data.tags[tracking.JUDGEMENT]))
    held_out = _held_out(spec, run)
    candidate = _Scored(tracking.model_uri(run), held_out, spec.target)
    deployed = None
    if champion:
        scored = _Scored(f"models:/{spec.model}/{champion.version}", held_out, spec.target)
        same = scored.signature == candidate.signature
        deployed = Champion(version=str(champion.version), accuracy=scored.accuracy, same_signature=same)
    judgement = decide(spec.gate, candidate.accuracy, len(held_out.rows), deployed)
    tracking.client().set_tag(run.info.run_id, tracking.JUDGEMENT, json.dumps(asdict(judgement)))
    return judgement


def _held_out(spec: RunSpec, run: Run) -> data.Table:
    """The rows by digest, as the run keeps them."""
    import mlflow.artifacts

    digest = run.data.tags[tracking.HELD_OUT_DIGEST]
    uri = f"{run.info.artifact_uri}/{tracking.held_out_path(digest)}"
    content = mlflow.artifacts.load_text(uri).encode()
    if store.digest(content) != digest:
        raise RunError(f"{uri} is not what its name says: its sha256 is {store.digest(content)}; somebody replaced it")
    return data.parse(content, spec.columns)


class _Scored:
    """A model's accuracy and signature. One that can't take the rows scores 0: its columns are others."""

    def __init__(self, uri: str, held_out: data.Table, target: str) -> None:
        import pandas
        from mlflow import pyfunc

        try:
            model = pyfunc.load_model(uri)
        except ImportError as unknown:
            raise RunError(f"{uri} can't be loaded here: {unknown}; move the alias to a version that can") from unknown
        signature = model.metadata.signature
        self.signature: Any = signature.to_dict() if signature else None
        features = [name for name in held_out.columns if name != target]
        wanted = signature.inputs.input_names() if signature else features
        if set(wanted) <= set(features):
            frame = pandas.DataFrame(held_out.features(target), columns=features)
            found = [str(answer) for answer in model.predict(frame[wanted])]
            right = sum(a == b for a, b in zip(found, held_out.classes(target), strict=True))
            self.accuracy = right / len(found)
        else:
            self.accuracy = 0.0


def main() -> int:
    """The command."""
    spec = tracking.spec_from_arguments("ml_runtime.gate", __doc__)
    return finish(lambda: print(json.dumps(asdict(judge(spec()))), flush=True))


if __name__ == "__main__":
    sys.exit(main())
