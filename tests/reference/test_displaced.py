"""Displaced tracks against published figures."""

from __future__ import annotations

import numpy as np

from darkbelle.detsim.tracking import ChargedParticles, measure
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import MASS_MU
from darkbelle.geometry import load
from darkbelle.geometry.card import Detector


def test_half_of_the_tracks_born_within_a_metre_are_found() -> None:
    """Check 21: 52.2 % (arXiv:2411.13596) and 48.0 % (arXiv:2602.10897), 3 % absolute.

    Of those with seven hits in the chamber, from particles "in the GeV-range" that decay uniformly
    along their flight: 0.5 to 1.5 GeV and 1 to 5 GeV of momentum here. The share falls with the
    mass, to 43 % for 0.5 to 3 GeV with momenta from 0.5 GeV, and the studies do not tell theirs.
    """
    n, rng = 30_000, np.random.default_rng(21)
    mass, p = rng.uniform(0.5, 1.5, n), rng.uniform(1, 5, n)
    cosine = rng.uniform(*np.cos(np.radians([150, 17])), n)
    azimuth, sine = rng.uniform(-np.pi, np.pi, n), np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    parent = np.stack([np.hypot(p, mass), *(p * direction)])
    angles = rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)
    start = (direction * rng.uniform(0, 100, n)).T
    findable, found = [], []
    for charge, muon in zip((1, -1), two_body(mass, MASS_MU, MASS_MU, *angles), strict=True):
        momentum = boost(muon, parent)[1:].T
        charges, masses = np.full(n, charge, np.int8), np.full(n, MASS_MU)
        tracks = measure(ChargedParticles(start, momentum, charges, masses), load("belle2"), rng)
        findable.append(tracks.n_hits[Detector.CDC] >= 7)
        found.append(tracks.found)
    share = np.concatenate(found)[np.concatenate(findable)].mean()
    assert 0.48 - 0.03 < share < 0.52 + 0.03
