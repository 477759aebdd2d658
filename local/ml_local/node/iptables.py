"""Tables of iptables, of whichever of its two kinds the host uses: over nftables, or of the kernel's older interface.

Owns reading and single changes. A kind that the host does not use is not asked, since asking alone makes its tables.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_local import debian
from ml_local.command import run

LEGACY_TABLES = Path("/proc/thread-self/net/ip_tables_names")


@dataclass(frozen=True)
class Rule:
    """One rule as iptables-save writes it."""

    chain: str
    words: Sequence[str]

    def of(self, option: str) -> str:
        """The value of an option such as `-j` or `--comment`; empty without it."""
        return self.words[self.words.index(option) + 1] if option in self.words else ""


@dataclass(frozen=True)
class Table:
    """One table of one kind, as it was when it was read. Policies are by chain, `-` for chains that have none."""

    command: Path
    name: str
    policies: Mapping[str, str]
    rules: Sequence[Rule]

    def within(self, chain: str) -> list[Rule]:
        """The rules of one chain."""
        return [rule for rule in self.rules if rule.chain == chain]

    def insert(self, chain: str, *words: str) -> None:
        """Put a rule before all others of a chain."""
        self._change("-I", chain, *words)

    def delete(self, rule: Rule) -> None:
        """Take the rule out."""
        self._change("-D", rule.chain, *rule.words)

    def delete_chain(self, chain: str) -> None:
        """Take a chain out with its rules. A chain that others still go to stays, empty."""
        self._change("-F", chain)
        self._change("-X", chain)

    def _change(self, *words: str) -> None:
        run([self.command, "--wait", "-t", self.name, *words], check=False)


def tables(name: str) -> list[Table]:
    """The tables of that name that are there: none, one, or one of each kind."""
    kinds = {"iptables": f"table ip {name}" in nft_tables(), "iptables-legacy": name in _legacy_tables()}
    found = [_read(kind, name) for kind, used in kinds.items() if used]
    return [table for table in found if table is not None]


def nft_tables() -> list[str]:
    """All tables of nftables, such as `table inet filter`."""
    return run([debian.command("nft"), "list", "tables"]).stdout.splitlines()


def _legacy_tables() -> list[str]:
    return LEGACY_TABLES.read_text().split() if LEGACY_TABLES.exists() else []


def _read(kind: str, name: str) -> Table | None:
    """The table; None where it has what iptables can't show, as one that somebody wrote for nft may."""
    saved = run([debian.command(f"{kind}-save"), "-t", name], check=False).stdout.splitlines()
    if f"*{name}" not in saved:
        return None
    policies = [(line[1:].split()[0], line.split()[1]) for line in saved if line.startswith(":")]
    rules = [shlex.split(line) for line in saved if line.startswith("-A ")]
    return Table(
        command=debian.command(kind),
        name=name,
        policies=dict(policies),
        rules=[Rule(words[1], words[2:]) for words in rules],
    )
