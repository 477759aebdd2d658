"""What the kept requests of served models, and the looks at deployed models, need of the rest of the workloads.

Plain values: by what a model is asked, which metric its quality has, and what is refused by its key.
"""

from typing import TYPE_CHECKING

from ml_platform.configuration import MisfitError

from ml_workloads import metrics
from ml_workloads.data_settings import Task
from ml_workloads.metrics import METRICS, PROBABILITIES
from ml_workloads.recorded import COLLECTOR

if TYPE_CHECKING:
    from ml_workloads.monitor_settings import QualitySettings
    from ml_workloads.settings import WorkloadsSettings


def asked_by(settings: "WorkloadsSettings", model: str) -> list[str]:
    """The blocks of `serving` whose requests to a registered model are kept, by name."""
    return [name for name, each in settings.registered.items() if each.model == model and each.requests]


def metric_of(settings: "WorkloadsSettings", model: str, quality: "QualitySettings") -> str:
    """The metric of a deployed model's quality: the one that is named, the gate's, or the first of its task."""
    known = METRICS[_task(settings, model) or "classification"]
    named = settings.models[model].gate.metric
    usable = named if named in known and named not in PROBABILITIES else None
    return quality.metric or usable or known[0]


def check(settings: "WorkloadsSettings") -> None:
    """Raises MisfitError where nothing says where requests lie, nobody keeps those that a look wants, or a name is that
    of the collector."""
    for name in settings.kept if settings.requests is None else ():
        rule = "nothing says where they lie; name a prefix by `requests.uri` of the workloads, or remove it"
        raise MisfitError(f"serving.{name}.requests", rule, remove=True)
    made = {f"serving.{name}": [name] for name in settings.serving}
    made |= {f"runs.{name}.services": [*each.services] for name, each in settings.pipelines.items()}
    for path in (path for path, names in made.items() if settings.kept and COLLECTOR in names):
        raise MisfitError(path, f"the collector of requests is called {COLLECTOR}; choose another name")
    for model, monitor in settings.monitored.items():
        path = f"models.{model}.monitor"
        task = _task(settings, model)
        if task is None:
            raise MisfitError(path, f"no run leaves a candidate for {model}; remove it", remove=True)
        if not asked_by(settings, model):
            raise MisfitError(path, f"no block of serving keeps requests to {model}: give one `requests`", remove=True)
        for block in asked_by(settings, model):
            if settings.kept[block].days < monitor.days:
                rule = f"serving.{block}.requests.keep is {settings.kept[block].keep}: look no further back"
                raise MisfitError(f"{path}.period", rule, monitor.period)
        if monitor.quality:
            _check_metric(task, metric_of(settings, model, monitor.quality), monitor.quality, f"{path}.quality")


def _check_metric(task: Task, metric: str, quality: "QualitySettings", path: str) -> None:
    if metric not in METRICS[task]:
        allowed = ", ".join(each for each in METRICS[task] if each not in PROBABILITIES)
        raise MisfitError(f"{path}.metric", f"for {task} there are {allowed}", metric)
    if misfit := metrics.misfit(metric, quality.at_least, quality.at_most):
        raise misfit.below(path)


def _task(settings: "WorkloadsSettings", model: str) -> Task | None:
    """What the runs that leave candidates for a model learn; None where there are none."""
    return next((settings.learned(str(run.data)).task for run in settings.judged.values() if run.model == model), None)
