"""`make supply DO=...`: what must not be in this repository, and what it is made of."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from ml_local import console, images, paths
from ml_local.errors import LocalError

from ml_supply import accepted, advisories, bom, leaks, licences, reproduction, vulnerabilities


def main(words: list[str] | None = None) -> int:
    """0: nothing is wrong. 1: something was found, each in a line of its own. 2: it could not be looked for."""
    parser = argparse.ArgumentParser(prog="make supply DO=...", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    secrets = commands.add_parser("secrets", help="secrets in the files and in the whole history of this repository")
    secrets.add_argument("folder", nargs="?", type=Path, default=paths.checkout(), help="of another repository")
    secrets.add_argument(
        "--since", metavar="COMMIT", help="what is no secret is what this commit accepts, whatever later ones say"
    )
    secrets.set_defaults(do=_secrets)
    by_licence = commands.add_parser("licences", help="of each dependency, and whether licences.toml has it")
    by_licence.set_defaults(do=_licences)
    bill = commands.add_parser(
        "bom", help="bills of materials: of the Python packages, and of each image that is built"
    )
    bill.add_argument("--output", required=True, type=Path, help="folder for python.cdx.json and <image>.cdx.json")
    bill.set_defaults(do=_bom)
    known = commands.add_parser("vulnerabilities", help="known ones of the Python packages and of what images hold")
    known.add_argument(
        "--database", default=advisories.PUBLIC, help="OSV records: a folder, a zip file, a URL; %(default)s"
    )
    known.set_defaults(do=_vulnerabilities)
    again = commands.add_parser("reproduce", help="build images again, and compare them with those that are built")
    again.add_argument("images", nargs="*", metavar="IMAGE", help="those that fetch nothing, which takes seconds each")
    again.add_argument("--all", action="store_true", help="all that are built")
    again.set_defaults(do=_reproduce)
    options = parser.parse_args(words)
    try:
        return int(options.do(options))
    except LocalError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2


def _secrets(options: argparse.Namespace) -> int:
    found = leaks.scan(options.folder, options.since)
    for finding in found:
        console.line(finding)
    if found:
        print(
            "Take each out of use where it was issued: who has a clone has it. What is no secret is named in "
            ".gitleaks.toml"
            + (f", by a change of its own before this one: of {options.since}" if options.since else ""),
            file=sys.stderr,
        )
        return 1
    console.line("no secret in the files and in the whole history")
    return 0


def _licences(_: argparse.Namespace) -> int:
    bills = [bom.python(), *bom.built()]
    packages = {(str(each.purl), licences.of(each)): each for bill in bills for each in bill.components}
    components = [each for each in packages.values() if each.purl and each.purl.type in licences.KINDS]
    for line in licences.listed(components):
        console.line(line)
    found = licences.refused(components)
    for finding in found:
        console.line(f"refused: {finding}")
    if found:
        print(f"Take another package, or say in {licences.FILE} why this one will do.", file=sys.stderr)
    return 1 if found else 0


def _bom(options: argparse.Namespace) -> int:
    for bill in (bom.python(), *bom.built()):
        console.line(f"{bom.write(bill, options.output)}: {len(bill.components)} packages")
    if missing := sorted(set(images.table()) - set(images.built())):
        print(
            f"not built here, so without a bill: {', '.join(missing)}; `make build` builds a stack's", file=sys.stderr
        )
    return 0


def _vulnerabilities(options: argparse.Namespace) -> int:
    entries, today = accepted.read(), datetime.now(UTC).date()
    known = advisories.read(options.database)
    first = next(known)  # that there is no database is told before images are read, which takes a minute
    bills = [bom.python(), *bom.built()]
    packages = vulnerabilities.packages(bills)
    found = vulnerabilities.found(packages, chain([first], known))
    failing = accepted.left(found, entries, today)
    for finding in failing:
        console.line(finding.line)
    seen = {each.purl for each in packages} if set(images.table()) - set(images.built()) else None
    outdated = list(accepted.outdated(found, entries, seen, today))
    for line in outdated:
        console.line(line)
    if unknown := vulnerabilities.unknown(bills):
        print(f"{len(unknown)} jars don't tell who publishes them, so no advisory is looked up", file=sys.stderr)
    counted = f"{len(failing)} found, {len(found) - len(failing)} accepted"
    print(f"{counted} in {', '.join(map(bom.title, bills))}", file=sys.stderr)
    return 1 if failing or outdated else 0


def _reproduce(options: argparse.Namespace) -> int:
    differ = 0
    for name, differences in reproduction.compared(reproduction.names(options.images, options.all)):
        console.line(f"{name}: {'differs' if differences else 'the same'}")
        for line in differences:
            console.line(f"{name}: {line}")
        differ += bool(differences)
    if differ:
        print("What differs is no input: fix it where the image is built, in workloads/images.", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
