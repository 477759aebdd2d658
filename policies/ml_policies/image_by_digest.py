"""Images are named by digest: what was tested is what runs, and a registry can't change it afterwards."""

import re
from collections.abc import Iterator

from ml_policies.pods import containers, templates
from ml_policies.policy import Manifest, Policy

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


INJECTED = "inject.istio.io/templates"
"""Annotation of a pod whose image `auto` Istio replaces by that of its own release."""


def check(manifest: Manifest) -> Iterator[str]:
    for template in templates(manifest):
        injected = INJECTED in template.get("metadata", {}).get("annotations", {})
        for container in containers(template):
            image = container["image"]
            if not DIGEST.search(image) and not (injected and image == "auto"):
                yield (
                    f"container {container['name']} runs image {image!r}, which can change under its name; "
                    "name it by digest: <registry>/<image>@sha256:<digest>"
                )


POLICY = Policy(name="image-by-digest", description="Every image is named by its digest.", check=check)
