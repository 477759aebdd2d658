"""The tiers of tests: a folder is a tier. What each needs, and in which order and stream they run.

Owns no test and no result. There are two streams side by side: the tiers that share this machine's node, in their
order, and all others file by file.
"""

from __future__ import annotations

import os
from pathlib import Path

from ml_local import paths
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parents[1]
APART = ("unit", "golden", "host", "engine", "acceptance")
ON_THE_NODE = ("e2e", "faults", "environments", "upstream")
TIERS = (*APART, *ON_THE_NODE)
NEED_BUILD = ("engine", "acceptance", *ON_THE_NODE)
NEED_ROOT = ("host", *NEED_BUILD)
LONG = ("environments", "upstream")
"""Each brings up a node of its own, so they go with the long tests."""


class Streams(LoadScopeScheduling):
    """What a worker gets at a time: all tests on the node, or one file of the others."""

    def _split_scope(self, nodeid: str) -> str:
        return "the node" if of_nodeid(nodeid) in ON_THE_NODE else nodeid.partition("::")[0]


def of(path: Path) -> str:
    """The tier of a test file or its folder; what lies in none is as quick as a unit test."""
    parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return parts[0] if parts and parts[0] in TIERS else "unit"


def of_nodeid(nodeid: str) -> str:
    """The same by what pytest calls a test, relative to the checkout."""
    return of(TESTS.parent / nodeid.partition("::")[0])


def place(path: Path) -> tuple[bool, int]:
    """Where a test file stands in a run: the node's stream starts first, since it takes longest."""
    tier = of(path)
    return tier not in ON_THE_NODE, TIERS.index(tier)


def left_out(everything: bool) -> dict[str, str]:
    """The tiers that don't run, each with the reason; `everything` asks for the long tests too."""
    out = {} if everything else dict.fromkeys(LONG, "`make test-all` runs it")
    return out if os.geteuid() == 0 else out | dict.fromkeys(NEED_ROOT, "it needs root")


def without_mirror() -> list[Path]:
    """What can't be collected for want of a mirror of upstream releases: a tier, and modules of others."""
    return [] if paths.mirror() else [TESTS / "upstream", *sorted(TESTS.glob("[!u]*/test_*upstream*.py"))]
