"""What a run has made: a fitted object that is saved here, or a model that a program has saved already.

Both become a folder of MLflow with the signature of the data's columns. What is logged of it is the business of
ml_runtime.candidate.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Protocol

from ml_runtime import flavours, libraries
from ml_runtime.errors import RunError
from ml_runtime.fitting import Program
from ml_runtime.libraries import Saving
from ml_runtime.own_code import NONE, OwnCode

DESCRIBED = "MLmodel"


class Made(Protocol):
    """A model, however it came to be."""

    @property
    def named(self) -> Mapping[str, str]:
        """What made it, as a parameter of its MLflow run."""

    @property
    def code(self) -> OwnCode:
        """The files of a user's own that asking it may run."""

    @property
    def ran(self) -> Mapping[str, bytes]:
        """The files of what made it, as far as they are here."""

    @property
    def estimator(self) -> Any:
        """What can be asked as it is, with a DataFrame; None where that is nothing."""

    def save(self, folder: Path, saving: Saving) -> None:
        """The model as a folder of MLflow.

        Raises:
            RunError: it can't be saved.
        """


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted object, and the program that has fitted it."""

    model: Any
    program: Program
    by: str | None
    """The name of the estimator, if it has one."""

    @property
    def named(self) -> Mapping[str, str]:
        return {"estimator": self.by or type(self.model).__name__}

    @property
    def code(self) -> OwnCode:
        return self.program.code

    @property
    def ran(self) -> Mapping[str, bytes]:
        installed = {f"{each.name}=={each.version}" for each in distributions()}
        return {
            **{name: path.read_bytes() for name, path in self.code.named.items()},
            "requirements.txt": "\n".join(sorted(installed, key=str.lower)).encode(),
        }

    @property
    def estimator(self) -> Any:
        return self.model if libraries.is_estimator(self.model) else None

    def save(self, folder: Path, saving: Saving) -> None:
        libraries.save(self.model, folder, replace(saving, code=self.code, trusted=self.program.trusted))


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A model in a folder, as a program has saved it in the format of MLflow."""

    folder: Path
    by: str
    """What has saved it, for messages: the program of the image, for example."""
    place: str
    """What the folder is to whoever has written that program."""
    named: Mapping[str, str]
    ran: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def code(self) -> OwnCode:
        return NONE

    @property
    def estimator(self) -> Any:
        return None

    def save(self, folder: Path, saving: Saving) -> None:
        from mlflow.models import Model

        self._check()
        shutil.copytree(self.folder, folder)
        described = Model.load(str(folder))
        if described.signature is None:
            described.signature = libraries.signature(saving.features, saving.task)
            described.save(str(folder / DESCRIBED))

    def _check(self) -> None:
        """Raises RunError if there is no model, or one that no server may load."""
        if not (self.folder / DESCRIBED).is_file():
            found = sorted(each.name for each in self.folder.glob("*"))
            raise RunError(
                f"{self.by} has saved no model: {self.place}, {self.folder}, has no {DESCRIBED}, only "
                f"{', '.join(found[:10]) or 'nothing'}; save one there by save_model of a flavour of MLflow"
            )
        whole = self.folder.resolve()
        for each in self.folder.rglob("*"):
            if each.is_symlink() and not each.resolve().is_relative_to(whole):
                raise RunError(f"the model has a link to a file that is no part of it: {each.name}; save the file")
        if refused := flavours.refusal(self.folder, tuple(libraries.LIBRARIES)):
            raise RunError(f"{self.by} has saved a model that no server can ask: {refused}")
