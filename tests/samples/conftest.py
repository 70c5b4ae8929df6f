"""What the tests of samples share."""

from __future__ import annotations

import pytest

from tests.samples.triggered import Triggered, produce


@pytest.fixture(scope="session")
def triggered(tmp_path_factory: pytest.TempPathFactory) -> Triggered:
    """A sample with known decisions of the trigger."""
    return produce(tmp_path_factory.mktemp("triggered") / "x.h5")
