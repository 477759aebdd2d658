"""The command `python -m ml_platform.bundles`: it lists, verifies, renders and mirrors the bundles of the catalog.

This module owns arguments, output and exit codes. Results go to stdout, everything else to stderr.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ml_platform.bundles import catalog, images, pipeline, source
from ml_platform.bundles.catalog import Entry, FileSource, ManifestSource, Part
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import unparse
from ml_platform.bundles.render import describe, manifest


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 1 after an error (its message is on stderr), or 130 after Ctrl-C."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        done: int = options.command(options)
        sys.stdout.flush()
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was rendered so far is in the cache", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the pipe, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml_platform.bundles", description="The bundles of the catalog.")
    parser.add_argument(
        "--mirror", type=Path, metavar="DIR",
        help=f"a folder of renderings, looked into before the network; default: ${source.MIRROR}",
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str, bundles: str | int | None) -> Any:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        if bundles:
            sub.add_argument("bundles", nargs=bundles, metavar="BUNDLE[@VERSION]")
        return sub

    add("list", _list, "bundles with version, licence, what they need and exclude, and source", None).add_argument(
        "--json", action="store_true", help="for machines, with all parts and what is left out"
    )
    add("verify", _verify, "check the digest of each rendering; all of the catalog if none is named", "*")
    add("render", _render, "the objects of a bundle as YAML, after mending and rules", 1)
    add(
        "images", _images, "every image that a bundle uses; the default release of each if none is named", "*"
    ).add_argument("--json", action="store_true", help="for machines, with every place")
    mirror = add("mirror", _mirror, "write the renderings into a folder that --mirror and settings take", None)
    mirror.add_argument("folder", type=Path, metavar="DIR")
    mirror.add_argument("bundles", nargs="*", metavar="BUNDLE[@VERSION]")
    add("lock", _lock, "record the digests of release assets that have none yet", None)
    return parser


def _list(options: argparse.Namespace) -> int:
    rows = [_row(entry, options.mirror) for entry in _all()]
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    _table(
        ["BUNDLE", "VERSION", "LICENCE", "KUBERNETES", "NEEDS", "EXCLUDES", "SOURCE"],
        [
            [row["bundle"], row["version"], row["licence"], row["kubernetes"], ",".join(row["needs"]) or "-",
             ",".join(row["excludes"]) or "-", "; ".join(dict.fromkeys(part["source"] for part in row["parts"]))]
            for row in rows
        ],
    )  # fmt: skip
    for row in rows:
        for title, why in (row["left_out"] or {}).items():
            print(f"{row['bundle']} {row['version']} leaves out {title}: {why}", file=sys.stderr)
    return 0


def _row(entry: Entry, mirror: Path | None) -> dict[str, Any]:
    """The row of `list` for a release; `left_out` is None if finding it out would take the network."""
    known = all(source.available_offline(part, mirror) for part in entry.parts)
    left_out = {each.title: each.why for each in pipeline.read(entry, mirror).left_out} if known else None
    parts = [
        {"name": part.name, "version": part.version, "sha256": part.sha256, "source": describe(part.source)}
        for part in entry.parts
    ]
    return {
        "bundle": entry.name, "version": entry.version, "licence": entry.licence, "kubernetes": entry.kubernetes,
        "namespace": entry.namespace, "needs": list(entry.needs), "excludes": list(entry.excludes), "parts": parts,
        "left_out": left_out,
    }  # fmt: skip


def _verify(options: argparse.Namespace) -> int:
    def verified(entry: Entry, part: Part) -> str:
        return source.resolve(entry, part, options.mirror).origin

    return _each_part(_chosen(options.bundles) or _all(), verified)


def _render(options: argparse.Namespace) -> int:
    (entry,) = _chosen(options.bundles)
    release = pipeline.read(entry, options.mirror)
    for each in release.left_out:
        print(f"left out: {each.title} ({each.why})", file=sys.stderr)
    print(unparse(release.objects), end="")
    return 0


def _images(options: argparse.Namespace) -> int:
    entries = _chosen(options.bundles) or [releases[0] for releases in catalog.releases().values()]
    rows = images.summary(
        use for entry in entries for use in images.uses(entry, pipeline.load(entry, options.mirror))
    )  # fmt: skip
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        notes = [
            note for note, true in (("run time only", row["run_time_only"]), ("unpinned", not row["pinned"])) if true
        ]
        print("  ".join([row["image"], *(f"({note})" for note in notes)]))
    return 0


def _mirror(options: argparse.Namespace) -> int:
    def mirrored(entry: Entry, part: Part) -> str:
        path = source.mirrored(part, options.folder)
        if isinstance(part.source, FileSource):
            return "is in this repository"
        source.write(path, source.resolve(entry, part, options.mirror).text)
        return str(path)

    return _each_part(_chosen(options.bundles) or _all(), mirrored)


def _lock(_: argparse.Namespace) -> int:
    missing = {
        manifest.key(part): part.source
        for entry in _all()
        for part in entry.parts
        if isinstance(part.source, ManifestSource) and manifest.recorded(part, part.source) is None
    }
    for key, asset in missing.items():
        manifest.record({key: manifest.digest(asset)})
        print(f"recorded  {key}  {asset.url}")
    if not missing:
        print("every release asset in the catalog has its digest")
    return 0


def _each_part(entries: Sequence[Entry], work: Callable[[Entry, Part], str]) -> int:
    """Calls `work` for every part and prints a line for each, failures included; returns 1 if any failed, else 0."""
    failures = 0
    for entry in entries:
        for part in entry.parts:
            try:
                line = f"ok  {entry.title}: {part.name} {part.version}  {work(entry, part)}"
            except BundleError as error:
                failures += 1
                line = f"no  {error}"
            if isinstance(part.source, ManifestSource) and manifest.recorded(part, part.source) is None:
                line += "  (no digest of the asset is recorded: `lock` records it)"
            print(line, flush=True)
    if failures:
        print(f"error: {failures} of {sum(len(entry.parts) for entry in entries)} parts failed", file=sys.stderr)
    return 1 if failures else 0


def _chosen(words: Sequence[str]) -> list[Entry]:
    pairs = (word.partition("@") for word in words)
    return [catalog.entry(name, version or None) for name, _, version in pairs]


def _all() -> list[Entry]:
    return [entry for releases in catalog.releases().values() for entry in releases]


def _table(header: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header) - 1)]
    for row in [header, *rows]:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))


if __name__ == "__main__":
    sys.exit(main())
