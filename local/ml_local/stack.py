"""The stack `local`: its backend, passphrase and salt in the state folder, and `pulumi` run on it.

The CLI keeps a stack's salt in the stack's file. So that the checkout stays clean, `make up` puts this machine's salt
there and a filter of the checkout's own git configuration hides that one line; `make down` takes both away.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import stat
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from ml_platform.kube import Client

from ml_local import engine, environment, paths, recovery, toolchains
from ml_local.command import run
from ml_local.console import Say, line
from ml_local.engine_output import show
from ml_local.environment import STACK
from ml_local.errors import LocalError
from ml_local.node.layout import Layout
from ml_local.private import write_private

SALT_KEY = "encryptionsalt: "
FILTER = "ml-platform-local"
FOR_STACKS = ("cluster", "kubeconfig", "object_store_secret_key", "platform")  # outputs that no person asks for
ITERATIONS = 1_000_000  # the CLI's own number for its passphrase keys


def prepare(layout: Layout) -> None:
    """Make the backend, the plugins' folder, the passphrase and the stack; do only what is missing."""
    folder = layout.state / "pulumi"
    (folder / "backend").mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "home").mkdir(exist_ok=True)
    passphrase = folder / "passphrase"
    if not passphrase.exists():
        write_private(passphrase, secrets.token_hex(32))
    salt = folder / "salt"
    if not salt.exists():
        write_private(salt, new_salt(passphrase.read_text()))
    show_salt(salt.read_text())
    commands = toolchains.binary("pulumi").parent
    engine.install(commands, folder / "home", commands / engine.EXEC, official=Path.home() / ".pulumi")
    _cancel_dead_lock(layout)
    if not _checkpoint(layout).exists():
        _pulumi(layout, "stack", "init", STACK, "--no-select")


def up(layout: Layout, say: Say, config: Path | None = None) -> None:
    """`pulumi up`, with the settings of another stack file if given; after one that was cut short, what that one left
    is found first and what nothing declares is removed afterwards.

    What it waits for goes to `say`, what a person must read is printed, all of it goes to a file.

    Raises:
        LocalError: it failed; what it said stands above.
    """
    flags = ["--stack", STACK, "--yes", "--skip-preview", "--non-interactive", "--color=never", "--suppress-outputs"]
    flags += ["--config-file", str(with_salt(layout, config))] if config else []
    unended = layout.state / "pulumi" / "unended"  # until an update comes to its end, whatever becomes of this one
    if recovery.unsettled(_deployment(layout)):
        unended.touch()
    if unended.exists():
        _recover(layout, say, flags)
        unended.unlink()
        return
    try:
        _follow(layout, ["up", *flags], say)
    except KeyboardInterrupt:
        unended.touch()  # what was asked for at that moment may be done, though the state has heard of no answer
        raise


def with_salt(layout: Layout, config: Path) -> Path:
    """A copy of another stack file with this machine's salt, in the state folder; the file itself stays as it is."""
    folder = layout.state / "pulumi"
    copy = folder / "settings.yaml"
    write_private(copy, f"{_without_salt(config)}{SALT_KEY}{(folder / 'salt').read_text()}\n")
    return copy


def outputs(layout: Layout) -> dict[str, Any]:
    """The stack's outputs, without secrets."""
    text = _pulumi(layout, "stack", "output", "--stack", STACK, "--json").stdout
    return dict(json.loads(text or "{}"))


def shown(outputs: Mapping[str, Any]) -> dict[str, str]:
    """Those that say something, and not to another stack alone, as people read them."""
    return {name: _shown(value) for name, value in outputs.items() if value and name not in FOR_STACKS}


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if "\n" not in text else "`pulumi stack output` has its text"


def forget() -> None:
    """Take this machine's salt, and the filter that hides it, out of the checkout."""
    _write_stack_file(_without_salt(stack_file()))
    if _in_git():
        run(["git", "config", "--remove-section", f"filter.{FILTER}"], cwd=paths.checkout(), check=False)


def show_salt(salt: str) -> None:
    """Put the salt into the stack's file, and hide that line from git."""
    if _in_git():
        clean = f"sed -e '/^{SALT_KEY.strip()}/d'"
        run(["git", "config", f"filter.{FILTER}.clean", clean], cwd=paths.checkout())
    _write_stack_file(f"{_without_salt(stack_file())}{SALT_KEY}{salt}\n")


def stack_file() -> Path:
    """The stack's settings."""
    return paths.checkout() / "stacks" / f"Pulumi.{STACK}.yaml"


def new_salt(passphrase: str) -> str:
    """A salt as the CLI's passphrase manager writes it: itself, and a known word sealed to check the passphrase."""
    salt, nonce = secrets.token_bytes(8), secrets.token_bytes(12)
    key = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=ITERATIONS).derive(passphrase.encode())
    sealed = AESGCM(key).encrypt(nonce, b"pulumi", None)
    return f"v1:{_text(salt)}:v1:{_text(nonce)}:{_text(sealed)}"


def _without_salt(file: Path) -> str:
    return "".join(f"{text}\n" for text in file.read_text().splitlines() if not text.startswith(SALT_KEY))


def _write_stack_file(text: str) -> None:
    path = stack_file()
    if text == path.read_text():
        return
    _rewrite(path.resolve(), text)
    if _in_git():
        name = path.relative_to(paths.checkout()).as_posix()
        known = run(["git", "show", f":{name}"], cwd=paths.checkout(), check=False).stdout
        # Git takes another size for another content before it asks the filter, unless its index has the new size.
        if known == _without_salt(path):
            run(["git", "update-index", "--", name], cwd=paths.checkout())


def _rewrite(path: Path, text: str) -> None:
    """Whole or not at all; whose file it is and who may read it stays."""
    new = path.with_name(f".{path.name}.partial")
    try:
        before = path.stat()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            os.fchown(stream.fileno(), before.st_uid, before.st_gid)
            os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode))
            stream.write(text)
        new.replace(path)
    except OSError as refused:
        raise LocalError(
            f"{path} can't be written: {refused.strerror}. The stack's file holds the salt of this machine while the "
            f"node is up. Make it and its folder writable, or work in a copy: git clone {paths.checkout()} DIRECTORY"
        ) from refused


def _in_git() -> bool:
    return (paths.checkout() / ".git").exists()


def _cancel_dead_lock(layout: Layout) -> None:
    """A killed `pulumi` leaves its lock; it is void when its process is gone from this host."""
    locks = layout.state / "pulumi" / "backend" / ".pulumi" / "locks"
    for path in locks.rglob("*.json"):
        held = json.loads(path.read_text())
        if held.get("hostname") == socket.gethostname() and not _is_pulumi(int(held.get("pid", 0))):
            path.unlink()


def _checkpoint(layout: Layout) -> Path:
    return layout.state / "pulumi" / "backend" / ".pulumi" / "stacks" / "ml-platform" / f"{STACK}.json"


def _deployment(layout: Layout) -> dict[str, Any]:
    """The stack's state; empty before its first update."""
    path = _checkpoint(layout)
    try:
        return json.loads(path.read_text())["checkpoint"].get("latest") or {}
    except ValueError as damaged:
        raise LocalError(
            f"the stack's state {path} is damaged ({damaged}), as by a power failure. The one before is beside it: "
            f"`mv {path}.bak {path}`, then `make up` again"
        ) from damaged


def _recover(layout: Layout, say: Say, flags: list[str]) -> None:
    """An update that looks at the cluster first, and afterwards removes what of the stack nothing declares."""
    line("      an update was cut short: the state is compared with the cluster first")
    client = Client.from_kubeconfig(str(layout.admin_kubeconfig))
    recovery.settle(partial(_pulumi, layout), client, STACK, layout.run, say)
    _follow(layout, ["up", *flags, "--refresh"], say)
    for removed in recovery.prune(_deployment(layout), client, STACK):
        line(f"      {removed} was left over and is removed")


def _follow(layout: Layout, words: list[str], say: Say) -> None:
    """Run a command and show it while it runs. Ctrl-C is passed on to it once: by a second one it would end at once."""
    path = layout.logs / f"pulumi-{words[0]}.log"
    process = subprocess.Popen(
        [str(toolchains.binary("pulumi")), *words],
        cwd=paths.checkout(),
        env={**os.environ, **environment.variables(layout)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    with path.open("w") as log:
        show(process, log, say)
    if process.returncode != 0:
        raise LocalError(
            f"`pulumi {words[0]}` failed; its own words are above, all of them in {path}. Mend the cause, and the next "
            "`make up` goes on from here."
        )


def _is_pulumi(pid: int) -> bool:
    """Whether a live process of that number is a `pulumi`, not its remains and not whoever got the number after it."""
    try:
        name, state = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except OSError:
        return False
    return name.startswith("pulumi") and state.split()[0] != "Z"


def _pulumi(layout: Layout, *words: str) -> subprocess.CompletedProcess[str]:
    return run([toolchains.binary("pulumi"), *words], env=environment.variables(layout), cwd=paths.checkout())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
