"""What a registry has, asked in the distribution protocol with the user's own login.

It writes nothing: images are pushed by the tool that builds them.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from ml_local.errors import LocalError

from ml_images import login

NAME = re.compile(
    r"(?P<host>(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:))(?::\d+)?)(?P<path>(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
)
LOOPBACK = re.compile(r"(localhost|127(?:\.\d+){3})(:\d+)?")
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
TRUST = ("~/.config/containers/certs.d", "/etc/containers/certs.d", "/etc/docker/certs.d")
RETRIES = urllib3.Retry(connect=3, read=2, redirect=3, status=0, backoff_factor=0.2)


@dataclass(frozen=True)
class Registry:
    """A folder of a registry: `host[:port]` and the path below which images lie."""

    host: str
    path: str

    @classmethod
    def parse(cls, name: str) -> Registry:
        """From <host>[/<path>].

        Raises:
            LocalError: it is none.
        """
        found = NAME.fullmatch(name)
        if not found:
            raise LocalError(
                f"REGISTRY is {name!r}; it is <host>[:<port>][/<path>] in lower case, without https:// and without a "
                "tag, as in REGISTRY=registry.example.com/ml"
            )
        return cls(found["host"], found["path"].strip("/"))

    def __str__(self) -> str:
        return "/".join(filter(None, (self.host, self.path)))

    @property
    def plain(self) -> bool:
        """Whether it is spoken to without TLS, as container tools do on loopback."""
        return LOOPBACK.fullmatch(self.host) is not None

    def repository(self, image: str) -> str:
        """The path of an image on its host."""
        return "/".join(filter(None, (self.path, image)))

    def has(self, reference: str) -> bool:
        """Whether there is the manifest of a whole reference by digest, on whichever registry that is."""
        name, _, digest = reference.partition("@")
        host, _, repository = name.partition("/")
        return Registry(host, "").digest(repository, digest) is not None

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest of the manifest under a tag or digest of `repository`; None if there is none.

        Raises:
            LocalError: the registry does not answer, or refuses the login.
        """
        answer = self._request("HEAD", repository, f"manifests/{tag}", "pull")
        if answer.status == 404:
            return None
        return answer.headers.get("Docker-Content-Digest") or None

    def check_push(self, repository: str) -> None:
        """Begin an upload and give it up: who may not push is told before anything is built.

        Raises:
            LocalError: the registry does not answer, refuses the login, or has no such repository.
        """
        answer = self._request("POST", repository, "blobs/uploads/", "pull,push")
        if answer.status == 404:
            raise LocalError(
                f"the registry {self.host} has no repository {repository}, and makes none by itself. Make it first"
            )
        if place := answer.headers.get("Location"):
            self._send("DELETE", urllib3.util.parse_url(place).request_uri, {})

    def _request(self, method: str, repository: str, what: str, scope: str) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": MANIFESTS, "Content-Length": "0"}
        path = f"/v2/{repository}/{what}"
        answer = self._send(method, path, headers)
        if answer.status == 401:
            headers |= self._authorization(answer, repository, scope)
            answer = self._send(method, path, headers)
        if answer.status in (401, 403):
            known = "the login that there is may not" if self._login(repository) else "there is no login"
            raise LocalError(
                f"the registry {self.host} refused to {scope.replace(',', ' and ')} {repository} ({answer.status}): "
                f"{known}. Log in with the tool that builds, as in `docker login {self.host}`, then run the same "
                "command again"
            )
        if answer.status >= 400 and answer.status != 404:
            raise LocalError(
                f"the registry {self.host} answered {answer.status} to {method} {path}: {_text(answer)}. What is "
                "pushed stays: run the same command again when it is well"
            )
        return answer

    def _login(self, repository: str) -> login.Login | None:
        return login.of(self.host, repository)

    def _authorization(self, refused: urllib3.BaseHTTPResponse, repository: str, scope: str) -> dict[str, str]:
        """What proves the user, in the way that the registry asks for; nothing if there is no login."""
        scheme, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
        asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        known = self._login(repository)
        basic = urllib3.make_headers(basic_auth=f"{known.user}:{known.password}") if known else {}
        if scheme.lower() != "bearer" or "realm" not in asked:
            return basic
        what = {"service": asked.get("service", ""), "scope": f"repository:{repository}:{scope}"}
        if known and known.identity:
            form = {**what, "grant_type": "refresh_token", "refresh_token": known.password, "client_id": "ml-platform"}
            answer = _pool(self.host).request("POST", asked["realm"], fields=form, encode_multipart=False)
        else:
            answer = _pool(self.host).request("GET", f"{asked['realm']}?{urlencode(what)}", headers=basic)
        if answer.status != 200:
            return basic
        token = answer.json()
        return {"Authorization": f"Bearer {token.get('token') or token.get('access_token')}"}

    def _send(self, method: str, path: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        host = "registry-1.docker.io" if self.host == login.HUB else self.host
        try:
            return _pool(self.host).request(
                method, f"{'http' if self.plain else 'https'}://{host}{path}", headers=headers
            )
        except urllib3.exceptions.HTTPError as away:
            raise LocalError(
                f"the registry {self.host} does not answer: {_reason(away)}. What is pushed stays: run the same "
                "command again when it does"
            ) from away


@cache
def _pool(host: str) -> urllib3.PoolManager:
    """Connections that trust what container tools are told to trust on this host."""
    context = ssl.create_default_context()
    for folder in TRUST:
        for authority in (Path(folder).expanduser() / host).glob("*.crt"):
            context.load_verify_locations(authority)
    timeout = urllib3.Timeout(connect=5, read=60)
    return urllib3.PoolManager(ssl_context=context, retries=RETRIES, timeout=timeout)


def _reason(away: BaseException) -> str:
    return str(getattr(away, "reason", None) or away)


def _text(answer: urllib3.BaseHTTPResponse) -> str:
    return answer.data.decode(errors="replace").strip()[:300] or "nothing more"
