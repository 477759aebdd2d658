"""What depends on settings, as pure functions from object to object.

A bundle is rendered once and for all; these run after it. A transform leaves alone what it does not concern, never
edits its argument, and may put an Output where a value goes.
"""

from ml_platform.bundles.transforms.config import config_data, config_json, config_yaml
from ml_platform.bundles.transforms.images import image_map
from ml_platform.bundles.transforms.metadata import annotated, labels, pod_security
from ml_platform.bundles.transforms.pods import (
    arguments,
    environment,
    host_port,
    pod_annotations,
    pull_secret,
    resource_sizes,
)
from ml_platform.bundles.transforms.services import service_type
from ml_platform.bundles.transforms.transform import Transform, aimless, compose, derived, merged
from ml_platform.bundles.transforms.webhooks import ca_bundle

__all__ = [
    "Transform",
    "aimless",
    "annotated",
    "arguments",
    "ca_bundle",
    "compose",
    "config_data",
    "config_json",
    "config_yaml",
    "derived",
    "environment",
    "host_port",
    "image_map",
    "labels",
    "merged",
    "pod_annotations",
    "pod_security",
    "pull_secret",
    "resource_sizes",
    "service_type",
]
