"""Programs of one's own: files beside Pulumi.yaml that come with a run."""

from pathlib import Path

import pulumi
from ml_platform.configuration import PROJECT, SettingsError


def text(setting: str, path: str) -> str:
    """The program at `path`, which `setting` of the workloads names.

    Raises:
        SettingsError: there is no such file, or it is no text.
    """
    try:
        return Path(pulumi.get_root_directory(), path).read_text()
    except (OSError, UnicodeDecodeError) as unreadable:
        reason = getattr(unreadable, "strerror", None) or str(unreadable)
        key = f"{PROJECT}:workloads.{setting}"
        raise SettingsError(
            f"{key} is {path!r}, which can't be read: {reason}. It is a path from the folder of Pulumi.yaml; set it "
            f"with:\n  pulumi config set --path '{key}' <path>"
        ) from unreadable
