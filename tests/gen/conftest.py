"""What the tests of the generators share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from darkbelle.geometry import Collider, load

settings.register_profile("seeded", derandomize=True, database=None, deadline=None)
settings.load_profile("seeded")


@pytest.fixture(scope="session")
def collider() -> Collider:
    """Belle II with the spread of the beam energies."""
    return load("belle2").collider


@pytest.fixture(scope="session")
def sharp_collider() -> Collider:
    """Belle II at one energy."""
    return load("belle2", ["collider.beam_spread=false"]).collider
