"""Derived passwords: the same on every run, another for each purpose, version and seed."""

from __future__ import annotations

import hashlib

import pytest
from ml_platform.passwords import keyed_digest, password


def test_a_password_is_the_same_on_every_run() -> None:
    assert password("seed", "postgres/mlflow", 1) == password("seed", "postgres/mlflow", 1)


def test_it_never_changes_between_releases() -> None:
    # A database that is in use has this one.
    assert password("seed", "postgres/mlflow", 1) == "7cd81903c4e0bc6ea0d0daabf8a8b70ccb66c42ddc05c72d"


def test_purpose_version_and_seed_all_matter() -> None:
    known = {password(seed, purpose, version) for seed in "ab" for purpose in "cd" for version in (1, 2)}
    assert len(known) == 8


def test_it_is_long_and_safe_in_a_url() -> None:
    assert len(password("seed", "x", 1)) == 48
    assert password("seed", "x", 1).isalnum()


@pytest.mark.parametrize("other", [("seed", ["a", "c"]), ("seed", ["ab"]), ("seed", ["b", "a"]), ("deed", ["a", "b"])])
def test_a_fingerprint_changes_with_each_secret_and_with_the_seed(other: tuple[str, list[str]]) -> None:
    assert keyed_digest("seed", ["a", "b"]) == keyed_digest("seed", ["a", "b"])
    assert keyed_digest("seed", ["a", "b"]) != keyed_digest(*other)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("text", ['["short"]', "short"])
def test_without_the_seed_a_short_secret_can_not_be_guessed_at_by_its_fingerprint(algorithm: str, text: str) -> None:
    assert keyed_digest("seed", ["short"]) not in hashlib.new(algorithm, text.encode()).hexdigest()
