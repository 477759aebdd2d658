"""Which Helm renders: the one by which the catalog's digests were made."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.render import helm


def installed(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    command = folder / "helm"
    command.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo {version}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return command


@pytest.mark.parametrize("version", ["v3.20.1", "v4.0.0", "v3.2.1"])
def test_another_helm_is_refused_before_a_digest_is_not_the_recorded_one(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = installed(tmp_path, version, monkeypatch)
    with pytest.raises(BundleError, match=rf"{command} is Helm {version}, and releases are rendered by Helm 3\.21"):
        helm.command()


def test_any_patch_of_the_right_helm_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = installed(tmp_path, "v3.21.9", monkeypatch)
    assert helm.command() == str(command)
