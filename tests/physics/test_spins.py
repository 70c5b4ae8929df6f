"""Spin correlations of fermion pairs against explicit spinors, tau -> pi nu on both sides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from darkbelle.gen.decays.spins import (
    FermionPair,
    Siblings,
    from_pseudoscalar,
    from_scalar,
    from_unpolarised_vector,
    from_virtual_photon,
)
from darkbelle.gen.kinematics import boost, dot, to_rest_frame
from darkbelle.gen.particles import MASS_TAU, PION, species
from tests.physics.spinors import (
    GAMMA,
    GAMMA5,
    METRIC,
    adjoint,
    antispinors,
    boosted,
    current,
    momentum,
    random_directions,
    slash,
    spinors,
    two_bodies,
    vector_polarisations,
)

N = 200
RNG = np.random.default_rng(5)
"""Asked for, but not used."""
MASS_PION = species(PION).mass
LEFT = (np.eye(4) - GAMMA5) / 2


class Event:
    """Pairs of one energy that decay to pi nu on both sides, seen from a moving frame."""

    def __init__(self, root_s: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.total = momentum(root_s, rng.normal(size=(3, N)))
        self.electron, self.positron = two_bodies(
            self.total, root_s, 0.0, 0.0, random_directions(N, rng)
        )
        self.taus = two_bodies(self.total, root_s, MASS_TAU, MASS_TAU, random_directions(N, rng))
        self.decays = [
            two_bodies(tau, MASS_TAU, MASS_PION, 0.0, random_directions(N, rng))
            for tau in self.taus
        ]

    def squared(self, source: Callable[[Event], list[np.ndarray]]) -> np.ndarray:
        """Of nubar pi P_L (tau + m) S (antitau - m) pi P_L nu, summed over spins and sources S."""
        (pion, nu), (antipion, antinu) = self.decays
        minus, plus = self.taus
        first = slash(pion) @ LEFT @ (slash(minus) + MASS_TAU * np.eye(4))
        last = (slash(plus) - MASS_TAU * np.eye(4)) @ slash(antipion) @ LEFT
        chains = [first @ matrix @ last for matrix in source(self)]
        return sum(
            np.abs(np.einsum("ni,nij,nj->n", adjoint(u), chain, v)) ** 2
            for chain in chains
            for u in spinors(nu, 0.0)
            for v in antispinors(antinu, 0.0)
        )

    def polarimeters(self) -> list[np.ndarray]:
        """+ and - the direction of the pion in the rest frame, as four-vectors."""
        found = []
        for tau, (pion, _), sign in zip(self.taus, self.decays, (1, -1), strict=True):
            flight = to_rest_frame(pion, tau)[1:]
            flight = sign * flight / np.linalg.norm(flight, axis=0)
            found.append(boost(np.concatenate([np.zeros((1, N)), flight]), tau))
        return found


def photon(event: Event) -> list[np.ndarray]:
    """The electrons' current, for each of their spins."""
    return [
        np.einsum("mn,mk,kij->nij", current(v, u), METRIC, GAMMA)
        for u in spinors(event.electron, 0.0)
        for v in antispinors(event.positron, 0.0)
    ]


def vector(event: Event) -> list[np.ndarray]:
    """Three polarisations."""
    mass = np.sqrt(dot(event.total, event.total))
    return [slash(e) for e in vector_polarisations(event.total, mass)]


def scalar(_: Event) -> list[np.ndarray]:
    return [np.tile(np.eye(4), (N, 1, 1))]


def pseudoscalar(_: Event) -> list[np.ndarray]:
    return [np.tile(GAMMA5, (N, 1, 1))]


@pytest.mark.parametrize("root_s", [3.6, 5.0, 10.58])
@pytest.mark.parametrize(
    ("source", "correlation"),
    [
        (photon, from_virtual_photon),
        (vector, from_unpolarised_vector),
        (scalar, from_scalar),
        (pseudoscalar, from_pseudoscalar),
    ],
)
def test_correlations_are_those_of_spinors(source, correlation, root_s: float):
    """1 + h'.P(h), and with the photon the angles of the taus besides."""
    event = Event(root_s, seed=3)
    beams = event.electron - event.positron
    h, h_bar = event.polarimeters()
    siblings = Siblings(event.total, np.stack(event.taus), beams)
    pair = FermionPair(0, 1, correlation)
    assert pair(0, siblings, {}, RNG) is None
    spin = pair(1, siblings, {0: h}, RNG)
    turned = pair(0, siblings, {1: h_bar}, RNG)
    assert dot(h_bar, spin) == pytest.approx(dot(h, turned), abs=1e-9)
    expected = 1 - dot(h_bar, spin)
    if source is photon:
        gamma = root_s / (2 * MASS_TAU)
        flight, beam = (to_rest_frame(p, event.total)[1:] for p in (event.taus[0], event.electron))
        cosine = np.sum(flight * beam, axis=0) / np.sqrt(
            np.sum(flight**2, axis=0) * np.sum(beam**2, axis=0)
        )
        expected *= 1 + cosine**2 + (1 - cosine**2) / gamma**2
    ratio = event.squared(source) / expected
    assert ratio == pytest.approx(np.full(N, np.median(ratio)), rel=1e-9)


def test_spins_are_seen_in_their_own_frames():
    event = Event(10.58, seed=4)
    siblings = Siblings(event.total, np.stack(event.taus), event.electron - event.positron)
    h, _ = event.polarimeters()
    spin = FermionPair(0, 1, from_virtual_photon)(1, siblings, {0: h}, RNG)
    assert dot(spin, event.taus[1]) == pytest.approx(np.zeros(N), abs=1e-10)
    assert np.all(-dot(spin, spin) <= 1 + 1e-9)
    assert boosted(to_rest_frame(spin, event.taus[1]), event.taus[1], MASS_TAU) == pytest.approx(
        spin, abs=1e-9
    )
