"""Makes an account's own buckets in the object store; those that are there stay as they are."""

from __future__ import annotations

import argparse
import sys

from ml_runtime import store
from ml_runtime.command import finish
from ml_runtime.patience import patiently


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.buckets", description=__doc__)
    parser.add_argument("buckets", nargs="+", metavar="BUCKET")
    parser.add_argument("--patience", type=float, default=120, help="seconds to go on trying while the store is away")
    options = parser.parse_args()

    def work() -> None:
        for bucket in options.buckets:
            made = patiently("the object store", options.patience, lambda name=bucket: store.make_bucket(name))  # type: ignore[misc]
            print(f"bucket {bucket}: {'made' if made else 'was there'}", flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
