"""Files of DVC beside Pulumi.yaml: the digest of data whose bytes are in a remote."""

from typing import Any

import yaml
from ml_platform.configuration import PROJECT, SettingsError

from ml_workloads import script
from ml_workloads.data_settings import DvcSettings


def read(setting: str, settings: DvcSettings) -> dict[str, str]:
    """The digest in the file, and the remote that has the bytes, as a run is told.

    Raises:
        SettingsError: there is no such file, or it is none of DVC for one file or folder.
    """
    text = script.text(f"{setting}.file", settings.file)
    try:
        found: Any = yaml.safe_load(text)
        (kept,) = found["outs"]
        return {"md5": str(kept["md5"]), "remote": settings.remote.removesuffix("/")}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as broken:
        key = f"{PROJECT}:workloads.{setting}.file"
        raise SettingsError(
            f"{key} is {settings.file!r}, which is no file of DVC for one file or folder: its outs have no one md5. "
            f"`dvc add <data>` makes one; set it with:\n  pulumi config set --path '{key}' <path>.dvc"
        ) from broken
