"""Derived passwords: the same on every run, another for each purpose, version and seed."""

from __future__ import annotations

from ml_platform.passwords import password


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
