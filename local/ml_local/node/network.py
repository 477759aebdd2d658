"""The node's bridge, routes, firewall table and kernel settings.

Owns everything network that is not a pod's. Remembers what the host had before, and puts it back.
Nothing meant for a pod or a service may leave by the machine's own interface: both ranges end at the bridge, with an
unreachable route below for when the bridge is down, and what pods send elsewhere is dropped.
"""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

from ml_local import debian
from ml_local.command import run
from ml_local.node.layout import ADDRESS, BRIDGE, FIREWALL, POD_RANGE, SERVICE_RANGE, Layout

FALLBACK_METRIC = "9999"
SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}
RULES = f"""
table inet {FIREWALL} {{
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{BRIDGE}" oifname != "{BRIDGE}" drop
  }}
}}
"""


def up(layout: Layout) -> None:
    """Make the network, or what is missing of it."""
    _remember(layout.run / "host.json")
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for address_range in (POD_RANGE, SERVICE_RANGE):
        _ip("route", "replace", "unreachable", address_range, "metric", FALLBACK_METRIC)
    _ip("route", "replace", SERVICE_RANGE, "dev", BRIDGE, "src", ADDRESS)
    for name, value in SETTINGS.items():
        Path("/proc/sys", name).write_text(value)
    nft = debian.command("nft")
    run([nft, "delete", "table", "inet", FIREWALL], check=False)
    run([nft, "-f", "-"], stdin=RULES)


def down(layout: Layout) -> None:
    """Remove it, and all rules that kubelet, kube-proxy and the pods' plugins left."""
    memory = layout.run / "host.json"
    before = json.loads(memory.read_text()) if memory.exists() else {"settings": {}, "tables": []}
    for address_range in (POD_RANGE, SERVICE_RANGE):
        _ip("route", "delete", "unreachable", address_range, "metric", FALLBACK_METRIC, check=False)
    _ip("link", "delete", BRIDGE, check=False)
    _remove_rules(set(before["tables"]))
    for name, value in before["settings"].items():
        if Path("/proc/sys", name).exists():
            Path("/proc/sys", name).write_text(value)
    memory.unlink(missing_ok=True)


def leftovers() -> list[str]:
    """What `down` should have removed and is still there, in words."""
    links = [f"interface {BRIDGE}"] if Path(f"/sys/class/net/{BRIDGE}").exists() else []
    routes = [f"route {line}" for line in _ip("route").stdout.splitlines() if line.split()[1:2] == [POD_RANGE]]
    tables = [f"firewall table {t}" for t in _tables() if t.endswith((FIREWALL, "kube-proxy"))]
    return [*links, *routes, *tables]


def _remember(memory: Path) -> None:
    """Note the host's own settings and tables, once, before the first change."""
    if memory.exists():
        return
    settings = {
        name: Path("/proc/sys", name).read_text().strip() for name in SETTINGS if Path("/proc/sys", name).exists()
    }
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"settings": settings, "tables": _tables()}))


def _remove_rules(foreign: set[str]) -> None:
    """Tables that were not there before go; in the others only chains with our components' prefixes do."""
    nft = debian.command("nft")
    for table in _tables():
        if table not in foreign:
            run([nft, "delete", "table", *table.split()], check=False)
    for command, save in (("iptables", "iptables-save"), ("ip6tables", "ip6tables-save")):
        saved = run([debian.command(save)], check=False).stdout
        _remove_chains(str(debian.command(command)), saved)


def _remove_chains(iptables: str, saved: str) -> None:
    table = ""
    chains: list[tuple[str, str]] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":CNI-", ":KUBE-")):
            chains.append((table, line[1:].split()[0]))
        elif line.startswith("-A ") and ("-j CNI-" in line or "-j KUBE-" in line):
            run([iptables, "-t", table, "-D", *line.split()[1:]], check=False)
    for flag in ("-F", "-X"):
        for table, chain in chains:
            run([iptables, "-t", table, flag, chain], check=False)


def _tables() -> list[str]:
    listed = run([debian.command("nft"), "list", "tables"], check=False).stdout
    return [line.removeprefix("table ") for line in listed.splitlines()]


def _ip(*words: str, check: bool = True) -> CompletedProcess[str]:
    return run([debian.command("ip"), *words], check=check)
