"""What the tests of several modules of the runtime stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import s3


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Store]:
    """An object store that is asked by this process."""
    with s3.store(monkeypatch) as server:
        yield server
