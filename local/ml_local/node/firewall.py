"""The node's own firewall table, and what it needs in and leaves out of the tables of others.

Owns one table of nftables, marked rules in the filter tables of iptables, and the removal of what the pods' plugins and
kube-proxy made. Everything else of the host stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_local import debian
from ml_local.command import run
from ml_local.node import iptables
from ml_local.node.host import Record
from ml_local.node.layout import BRIDGE, FIREWALL, NETWORK, POD_RANGE, SERVICE_RANGE

# With the weak host model of Linux, whoever reaches one address of a machine reaches all of them: what is for the node
# comes from itself or its pods, and nothing goes from the bridge to elsewhere. The plugin for host ports opens loopback
# to the bridge; pods are kept from it here.
RULES = f"""
table inet {FIREWALL} {{}}
delete table inet {FIREWALL}
table inet {FIREWALL} {{
  chain prerouting {{
    type filter hook prerouting priority raw; policy accept;
    iifname != {{ "lo", "{BRIDGE}" }} ip daddr {{ {POD_RANGE}, {SERVICE_RANGE} }} drop
    iifname "{BRIDGE}" ip daddr 127.0.0.0/8 drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{BRIDGE}" oifname != "{BRIDGE}" drop
    iifname != "{BRIDGE}" oifname "{BRIDGE}" drop
  }}
}}
"""
PROXY_TABLES = ("table ip kube-proxy", "table ip6 kube-proxy")
NAT_TABLES = ("table ip nat", "table ip6 nat")  # which the plugins fill, and kube-proxy makes by looking into them
MARK = ("-m", "comment", "--comment", NETWORK)
# Traffic of the node alone, by the chain that may drop it.
ADMITTED = {
    "INPUT": ("-i", BRIDGE, "-d", POD_RANGE),
    "FORWARD": ("-i", BRIDGE, "-o", BRIDGE),
    "OUTPUT": ("-o", BRIDGE),
}
DOCKER = "DOCKER-USER"  # what Docker keeps for rules of others, and asks before its own
PORTMAP = "CNI-HOSTPORT-"


def up() -> None:
    """Write the node's own table, and have its traffic admitted where a table of iptables may drop it."""
    run([debian.command("nft"), "-f", "-"], stdin=RULES)
    _withdraw()
    for table in iptables.tables("filter"):
        for chain, words in ADMITTED.items():
            if table.policies.get(chain) == "DROP" or table.within(chain):
                first = DOCKER if chain == "FORWARD" and DOCKER in table.policies else chain
                table.insert(first, *words, *MARK, "-j", "ACCEPT")


def down(before: Record | None) -> None:
    """Remove what is the node's. Without a record kube-proxy's tables and the plugins' shared chains are others'."""
    for table in (f"table inet {FIREWALL}", *(PROXY_TABLES if before else ())):
        if table in iptables.nft_tables():
            _delete(table)
    _withdraw()
    _remove_host_ports()
    if before:
        _remove_shared(before)


def host_port_chains() -> list[str]:
    """The chains that the plugins of all container networks of the machine share."""
    return [chain for table in iptables.tables("nat") for chain in table.policies if chain.startswith(PORTMAP)]


@dataclass(frozen=True)
class Closed:
    """A chain of others that drops what it does not know, and that nothing but nft can change."""

    family: str
    table: str
    name: str
    hook: str

    @property
    def admission(self) -> str:
        """The rule that admits the node's traffic, as a command."""
        match = {
            "input": f'iifname "{BRIDGE}" ip daddr {POD_RANGE}',
            "forward": f'iifname "{BRIDGE}" oifname "{BRIDGE}"',
            "output": f'oifname "{BRIDGE}"',
        }[self.hook]
        return f"nft insert rule {self.family} {self.table} {self.name} {match} accept"


def closed() -> list[Closed]:
    """Such chains, without those where a rule names the bridge."""
    objects = json.loads(run([debian.command("nft"), "-j", "list", "ruleset"]).stdout)["nftables"]
    chains = [each["chain"] for each in objects if each.get("chain", {}).get("hook") in ("input", "forward", "output")]
    rules = [each["rule"] for each in objects if "rule" in each]
    known = {("inet", FIREWALL), *(("ip", table.name) for table in iptables.tables("filter"))}
    return [
        Closed(chain["family"], chain["table"], chain["name"], chain["hook"])
        for chain in chains
        if chain["type"] == "filter" and chain["family"] in ("ip", "inet") and _place(chain) not in known
        if _drops(chain, [rule for rule in rules if _place(rule) == _place(chain) and rule["chain"] == chain["name"]])
        if not any(BRIDGE in json.dumps(rule) for rule in rules if _place(rule) == _place(chain))
    ]


def _withdraw() -> None:
    for table in iptables.tables("filter"):
        for rule in table.rules:
            if rule.of("--comment") == NETWORK and BRIDGE in (rule.of("-i"), rule.of("-o")):
                table.delete(rule)


def _remove_host_ports() -> None:
    """The plugin names the network in each rule that leads to a port's chain."""
    for table in iptables.tables("nat"):
        for rule in table.within(f"{PORTMAP}DNAT"):
            if f'name: "{NETWORK}"' in rule.of("--comment"):
                table.delete(rule)
                table.delete_chain(rule.of("-j"))


def _remove_shared(before: Record) -> None:
    """The chains that were made for our network, unless another uses them now; then a table that only they filled."""
    for table in iptables.tables("nat"):
        made = [chain for chain in table.policies if chain.startswith(PORTMAP) and chain not in before.chains]
        if made and not table.within(f"{PORTMAP}DNAT"):
            for rule in table.rules:
                if rule.of("-j") in made:
                    table.delete(rule)
            for chain in made:
                table.delete_chain(chain)
    for nat in NAT_TABLES:
        if nat in iptables.nft_tables() and nat not in before.tables and _empty(nat):
            _delete(nat)


def _empty(table: str) -> bool:
    """Whether nothing is in it but what iptables makes of itself."""
    objects = json.loads(run([debian.command("nft"), "-j", "list", *table.split()]).stdout)["nftables"]
    chains = [each["chain"] for each in objects if "chain" in each]
    return not any("rule" in each for each in objects) and all(chain.get("policy") == "accept" for chain in chains)


def _delete(table: str) -> None:
    run([debian.command("nft"), "delete", *table.split()], check=False)


def _place(item: Mapping[str, Any]) -> tuple[str, str]:
    """Of a chain or a rule."""
    return str(item["family"]), str(item["table"])


def _drops(chain: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it drops what no rule speaks of: by its policy, or by a last rule for everything."""
    last = [set(part) for part in rules[-1]["expr"]] if rules else []
    for_all = bool(last) and all(part & {"counter", "log", "drop", "reject"} for part in last)
    return chain.get("policy") == "drop" or (for_all and bool(last[-1] & {"drop", "reject"}))
