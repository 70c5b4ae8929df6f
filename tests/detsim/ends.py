"""Where the particles of a simulated record ended."""

from __future__ import annotations

import numpy as np

from darkbelle.gen.events import Outcome, Particles

EXIT_RADIUS, EXIT_BACKWARD, EXIT_FORWARD = 125.0, -102.0, 196.0
"""The faces of the calorimeter, behind which nothing is tracked."""


def leaves_tracker(particles: Particles) -> np.ndarray:
    """Whether each particle meets the calorimeter, or escapes through the holes for the beams."""
    radius, z = np.hypot(particles.decay_x, particles.decay_y), particles.decay_z
    beyond = (radius > EXIT_RADIUS - 1e-6) | (z > EXIT_FORWARD - 1e-6) | (z < EXIT_BACKWARD + 1e-6)
    return beyond | (particles.outcome == Outcome.ESCAPED)
