"""`make load`: ask a served model for a while, by so many clients or at a rate, and write a report with pictures.

Owns what the words of the command mean. With AGAINST, two served models, or a model and its canary, take turns, so that
what else the machine does burdens both: two settings are compared by two blocks of `serving` that differ in them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_local import console, entry, predict, request, served
from ml_local.errors import LocalError
from ml_local.node import node
from ml_local.node.layout import Layout, layout
from ml_local.predict import Model
from ml_platform.kube import KubeError

from ml_load import report
from ml_load.figures import Asked, against, numbers
from ml_load.load import CLIENTS
from ml_load.run import Plan, Replicas, run

CANARY = "canary"
LONGEST, MOST_CLIENTS, MOST_A_SECOND = 3600.0, 256, 10_000.0
AT_A_RATE = 64
"""So many requests are on their way at most; those that are due meanwhile wait, and their wait counts."""
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, and give the number that it ends with."""
    parser = argparse.ArgumentParser(prog="ml_load", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="FILE | COLUMN=VALUE", help="the rows; default: one iris flower")
    parser.add_argument("--model", help="the block of `serving`, where several models take such columns")
    parser.add_argument("--against", help=f"another block of `serving`, or `{CANARY}`: the model's own")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--clients", type=_clients, help=f"each asks again when it is answered; default: {CLIENTS}")
    how.add_argument("--rate", type=_rate, help="requests a second, whether those before are answered or not")
    parser.add_argument("--for", dest="seconds", type=_seconds, default=30.0, help="30s, 5m, at most 1h")
    parser.add_argument("--report", type=Path, default=Path("load.html"), help="where the report goes")
    options = parser.parse_args(argv)
    return entry.run(lambda: load(layout(), options), kept="nothing was changed")


def load(layout: Layout, options: argparse.Namespace) -> None:
    """Ask, print, and write the report.

    Raises:
        LocalError: no such model is served, it does not take the rows, or requests were not answered.
    """
    targets = _targets(layout, options)
    clients = options.clients or (AT_A_RATE if options.rate else CLIENTS)
    plan = Plan(seconds=options.seconds, clients=clients, rate=options.rate)
    with console.step(f"{' and '.join(model.name for model, _ in targets)} asked") as say:
        found = run(targets, plan, _replicas(layout), say)
    report.write(options.report, found, _settings(plan, found))
    _show(found)
    console.line(f"  report: {options.report}, its numbers: {options.report.with_suffix('.json')}")
    if failed := sum(each.failed for each in found):
        said = next(each.problems[0][0] for each in found if each.problems)
        raise LocalError(f"{failed} requests were not answered; the most frequent reason: {said}")


def _targets(layout: Layout, options: argparse.Namespace) -> list[tuple[Model, dict[str, Any]]]:
    rows = request.read(options.words) if options.words else predict.example()
    there = predict.served(layout)
    models = [predict.choose(there, rows, options.model)]
    if options.against == CANARY:
        canary = predict.choose(predict.served(layout, canary=True), rows, models[0].name)
        models.append(Model(f"{canary.name}-{CANARY}", canary.url, canary.authority))
    elif options.against:
        models.append(predict.choose(there, rows, options.against))
    return [(model, model.body(rows)) for model in models]


def _replicas(layout: Layout) -> Replicas:
    client = node.client(layout)

    def ready(name: str) -> int:
        try:
            return served.ready(client, name)
        except KubeError:
            return 0

    return ready


def _settings(plan: Plan, found: Sequence[Asked]) -> dict[str, str]:
    how = f"{plan.rate:g} requests a second" if plan.rate else f"{plan.clients} clients"
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {platform.system()} {platform.release()}"
    return {
        **{each.name: each.url for each in found},
        "asked by": how,
        "for": f"{plan.seconds:g} s",
        "machine": machine,
    }


def _show(found: Sequence[Asked]) -> None:
    for each in found:
        console.line(f"  {each.name}: {', '.join(f'{name} {value:g}' for name, value in numbers(each).items())}")
    if len(found) > 1:
        ratio = ", ".join(f"{name} x {value:g}" for name, value in against(*found).items())
        console.line(f"  {found[1].name} against {found[0].name}: {ratio}")


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 1 <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} must be from 1s to 1h: a number, and s, m or h")
    return seconds


def _clients(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CLIENTS:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to {MOST_CLIENTS}")
    return int(text)


def _rate(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0 < float(text) <= MOST_A_SECOND:
        raise argparse.ArgumentTypeError(f"{text!r} must be above 0 and at most {MOST_A_SECOND:g} requests a second")
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
