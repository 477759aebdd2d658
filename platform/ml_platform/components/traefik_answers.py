"""Traefik's own answers: a 404 that lists the hosts which are served, and MLflow at the bare address of one machine.

The bare address serves Python clients, which resolve no name below localhost. Both answers are in Traefik's file
provider: an Ingress has neither a fixed answer nor an address as its host. The 404 is a plugin in Go, which Traefik
interprets.
"""

import json
from collections.abc import Sequence
from typing import Any

from ml_platform.components.gateway import unserved
from ml_platform.settings import GatewaySettings

PLUGIN = "answers"
FOLDER = f"/plugins-local/src/{PLUGIN}"
"""The folder of the plugin's source, which Traefik finds below its working directory /."""
ROUTES = "routes.yml"
FLAGS = (
    f"--experimental.localplugins.{PLUGIN}.modulename={PLUGIN}",
    f"--providers.file.filename={FOLDER}/{ROUTES}",
    "--providers.file.watch=false",
)
_MANIFEST = {
    "displayName": PLUGIN, "type": "middleware", "import": PLUGIN, "summary": "names what is served", "testData": {},
}  # fmt: skip
_SOURCE = """\
// Package answers is for requests to hosts that nobody serves.
package answers

import (
	"context"
	"net/http"
	"strings"
)

type Config struct {
	Text string `json:"text"`
}

func CreateConfig() *Config { return &Config{} }

func New(_ context.Context, _ http.Handler, config *Config, _ string) (http.Handler, error) {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		http.Error(answer, strings.ReplaceAll(config.Text, "{host}", request.Host), http.StatusNotFound)
	}), nil
}
"""


def files(settings: GatewaySettings, services: Sequence[str], tracking_uri: str) -> dict[str, str]:
    """The files of FOLDER, by name; `services` are the platform's own hosts, below the domain."""
    return {
        ".traefik.yml": json.dumps(_MANIFEST),
        f"{PLUGIN}.go": _SOURCE,
        ROUTES: json.dumps({"http": _routes(settings, services, tracking_uri)}, indent=2),
    }


def _routes(settings: GatewaySettings, services: Sequence[str], tracking_uri: str) -> dict[str, Any]:
    last = {"rule": "PathPrefix(`/`)", "priority": 1, "middlewares": [PLUGIN], "service": "noop@internal"}
    found = {
        "middlewares": {PLUGIN: {"plugin": {PLUGIN: {"text": unserved(settings, services, "{host}")}}}},
        "routers": {"nobody": last},
    }
    if not settings.host_port or settings.domain != "localhost":
        return found
    address = {"rule": f"Host(`{settings.bind}`)", "service": "mlflow"}
    return {
        **found,
        "routers": {"nobody": last, "address": address},
        "services": {"mlflow": {"loadBalancer": {"servers": [{"url": tracking_uri}]}}},
    }
