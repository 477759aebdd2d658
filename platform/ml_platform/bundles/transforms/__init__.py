"""Transforms: pure functions from object to object that adapt a release to the settings.

One rendering serves all settings; transforms run after it. A transform never edits its
argument, returns an object that it does not concern as it is, and may put an Output in the place of a value.
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
from ml_platform.bundles.transforms.transform import Transform, compose, derived, merged, missing_targets
from ml_platform.bundles.transforms.webhooks import ca_bundle

__all__ = [
    "Transform",
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
    "missing_targets",
    "pod_annotations",
    "pod_security",
    "pull_secret",
    "resource_sizes",
    "service_type",
]
