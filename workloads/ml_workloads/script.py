"""Files of one's own that the settings name: texts, by their paths from the folder of Pulumi.yaml."""

from pathlib import Path

import pulumi
from ml_platform.configuration import PROJECT, SettingsError


def text(setting: str, path: str, folder: Path | None = None) -> str:
    """The file at `path`, which `setting` of the workloads names.

    Args:
        setting: its key below ml-platform:workloads.
        path: from the folder of Pulumi.yaml.
        folder: that folder, where no program of Pulumi runs.

    Raises:
        SettingsError: there is no such file, or it is no text.
    """
    try:
        return Path(folder or pulumi.get_root_directory(), path).read_text()
    except (OSError, UnicodeDecodeError) as unreadable:
        reason = getattr(unreadable, "strerror", None) or str(unreadable)
        key = f"{PROJECT}:workloads.{setting}"
        raise SettingsError(
            f"{key} is {path!r}, which can't be read: {reason}. It is a path from the folder of Pulumi.yaml; set it "
            f"with:\n  pulumi config set --path '{key}' <path>"
        ) from unreadable
