"""The report of a load: one HTML file with its numbers and pictures, which needs nothing beside it."""

from __future__ import annotations

import html
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_load.figures import PERCENTILES, Asked, against, numbers, percentile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRETCHES = 60
"""So many points of time are drawn at most."""
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.3rem .8rem;border-bottom:1px solid #ddd;"
    "text-align:right}td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}code{background:#f3f3f3}"
)


def write(path: Path, targets: Sequence[Asked], settings: Mapping[str, str]) -> None:
    """Writes the page, and its numbers beside it as JSON."""
    found: dict[str, Any] = {"settings": dict(settings), "targets": {each.name: numbers(each) for each in targets}}
    if len(targets) > 1:
        found["ratio"] = against(*targets)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    path.write_text(page(targets, settings))


def page(targets: Sequence[Asked], settings: Mapping[str, str]) -> str:
    """The whole page."""
    title = f"Load of {' and '.join(each.name for each in targets)}"
    parts = [f"<h1>{html.escape(title)}</h1>", _rows([("", "")], settings.items()), _summary(targets)]
    parts += [f"<h2>{html.escape(name)}</h2>{_drawn(draw, targets)}" for name, draw in PICTURES.items()]
    parts += [_faults(each) for each in targets if each.problems]
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _summary(targets: Sequence[Asked]) -> str:
    columns = [numbers(each) for each in targets]
    head = ["", *(each.name for each in targets)]
    ratio = against(*targets) if len(targets) > 1 else {}
    rows = [[name, *(_number(column[name]) for column in columns)] for name in columns[0]]
    if ratio:
        head.append("ratio, median of the turns")
        rows = [[*row, _number(ratio[row[0]]) if row[0] in ratio else ""] for row in rows]
    rows += [
        [
            "versions",
            *(", ".join(f"{version}: {count}" for version, count in each.versions.items()) for each in targets),
        ]
    ]
    return _rows([tuple(head)], rows)


def _faults(asked: Asked) -> str:
    rows = [(problem, str(count)) for problem, count in asked.problems]
    return f"<h2>{html.escape(asked.name)}: not answered</h2>{_rows([('what was said', 'requests')], rows)}"


def _rows(head: Sequence[Sequence[str]], rows: Any) -> str:
    def row(cells: Sequence[str], cell: str) -> str:
        return f"<tr>{''.join(f'<{cell}>{html.escape(str(each))}</{cell}>' for each in cells)}</tr>"

    return f"<table>{''.join(row(each, 'th') for each in head)}{''.join(row(each, 'td') for each in rows)}</table>"


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:g}"


def _drawn(draw: Callable[[Axes, Asked], None], targets: Sequence[Asked]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots()
    for each in targets:
        draw(axes, each)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()[text.getvalue().index("<svg") :]


def _stretches(asked: Asked) -> tuple[float, dict[int, list[Any]]]:
    """How long a stretch is, and the outcomes that were due in each."""
    width = max((each.due for each in asked.outcomes), default=0.0) / STRETCHES or 1.0
    found: dict[int, list[Any]] = {}
    for each in asked.outcomes:
        found.setdefault(int(each.due / width), []).append(each)
    return width, found


def _latency(axes: Axes, asked: Asked) -> None:
    width, stretches = _stretches(asked)
    for percent in (50, 99):
        points = []
        for at, outcomes in sorted(stretches.items()):
            times = sorted(1000 * each.seconds for each in outcomes if not each.problem)
            points.append((at * width, percentile(times, percent)))
        axes.plot([at for at, _ in points], [time for _, time in points], label=f"{asked.name}, p{percent}")
    axes.set(xlabel="seconds", ylabel="milliseconds")


def _percentiles(axes: Axes, asked: Asked) -> None:
    times, percents = asked.whole.milliseconds, [*range(1, 100), 99.5, 99.9, 100]
    axes.plot(percents, [percentile(times, each) for each in percents], label=asked.name)
    for percent in PERCENTILES:
        axes.axvline(percent, color="0.85", linewidth=0.8)
    axes.set(xlabel="percent of the requests", ylabel="milliseconds at most")


def _rates(axes: Axes, asked: Asked) -> None:
    width, stretches = _stretches(asked)
    times = [at * width for at in sorted(stretches)]
    answered = [sum(not each.problem for each in stretches[at]) / width for at in sorted(stretches)]
    failed = [sum(bool(each.problem) for each in stretches[at]) / width for at in sorted(stretches)]
    axes.plot(times, answered, label=f"{asked.name}, answered")
    if any(failed):
        axes.plot(times, failed, label=f"{asked.name}, not answered", linestyle="--")
    axes.set(xlabel="seconds", ylabel="requests a second")


def _replicas(axes: Axes, asked: Asked) -> None:
    axes.step([at for at, _ in asked.replicas], [count for _, count in asked.replicas], where="post", label=asked.name)
    axes.set(xlabel="seconds", ylabel="replicas that are ready")


PICTURES: Mapping[str, Callable[[Axes, Asked], None]] = {
    "Latency over time": _latency,
    "Percentiles": _percentiles,
    "Requests a second": _rates,
    "Replicas": _replicas,
}
