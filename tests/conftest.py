"""What all tests share."""

import gc

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Twenty thousand collected tests stay to the end: collecting garbage need not go through them each time."""
    gc.collect()
    gc.freeze()
