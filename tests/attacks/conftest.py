from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged, which would only clutter the report."""
    with capture_logs() as said:
        yield said
