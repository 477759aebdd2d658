"""Somebody's registry, which asks whoever pulls or pushes for a login, and the Buildah that they push with.

It is a second server on the blobs of the node, so what that has need not be copied. Buildah is of the private root, as
a user would have it installed: with a home, storage, a policy and a login of its own.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from ml_local import debian, image_builder
from ml_local.node import layout as names
from ml_local.node.layout import layout
from support.until import until

ADDRESS = (names.ADDRESS, 5443)
HOST = f"{ADDRESS[0]}:{ADDRESS[1]}"
USER, PASSWORD = "somebody", "right"
# bcrypt, as `htpasswd -B` writes it, of that password.
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n"
LOGIN = {"auths": {HOST: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}
BUILDAH = """#!/bin/sh
export HOME={home} TMPDIR={home}/tmp BUILDAH_ISOLATION=chroot CONTAINERS_CONF={home}/containers.conf
exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc sh -ec '{enter}' \\
  sh {root} {home}/lib /usr/bin/buildah --storage-driver overlay --runroot {home}/run "$@"
"""


@contextmanager
def running(home: Path) -> Iterator[None]:
    """The registry serves, and the node's container runtime trusts its certificate."""
    authority = layout().pki / "registry-ca.crt"
    trust = layout().config / "certs.d" / HOST / "hosts.toml"
    trust.parent.mkdir(parents=True, exist_ok=True)
    trust.write_text(f'[host."https://{HOST}"]\ncapabilities = ["pull", "resolve"]\nca = "{authority}"\n')
    (home / "htpasswd").write_text(HTPASSWD)
    (home / "registry.yaml").write_text(yaml.safe_dump(_settings(home)))
    with (home / "registry.log").open("w") as log:
        command = [str(debian.command("docker-registry")), "serve", str(home / "registry.yaml")]
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        until(_listens, "somebody's registry does not listen")
        yield
    finally:
        server.terminate()
        server.wait()


def tool(home: Path) -> dict[str, str]:
    """The environment in which somebody has Buildah, and has logged in."""
    for folder in ("bin", "lib", "run", "tmp", ".docker", f".config/containers/certs.d/{HOST}"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    buildah = home / "bin" / "buildah"
    buildah.write_text(BUILDAH.format(home=home, root=debian.root() / "root", enter=image_builder.ENTER))
    buildah.chmod(0o755)
    (home / "containers.conf").write_text('[containers]\nnetns = "host"\n')
    policy = {"default": [{"type": "insecureAcceptAnything"}]}
    (home / ".config/containers/policy.json").write_text(json.dumps(policy))
    (home / ".config/containers/certs.d" / HOST / "ca.crt").write_text((layout().pki / "registry-ca.crt").read_text())
    (home / ".docker/config.json").write_text(json.dumps(LOGIN))
    return {"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(home / "run")}


def _settings(home: Path) -> dict[str, object]:
    tls = {"certificate": str(layout().pki / "registry.crt"), "key": str(layout().pki / "registry.key")}
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(layout().data / "registry")}},
        "http": {"addr": HOST, "tls": tls},
        "auth": {"htpasswd": {"realm": "somebody's", "path": str(home / "htpasswd")}},
    }


def _listens() -> bool:
    with socket.create_connection(ADDRESS, timeout=1):
        return True
