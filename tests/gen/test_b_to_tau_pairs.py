"""B -> K S, S -> tau tau: what the spins of the taus tell of scalars and pseudoscalars."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.gen import BToKScalar
from darkbelle.gen.kinematics import to_rest_frame
from darkbelle.gen.particles import PION, TAU
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    SCALARS_FROM_SCALAR,
)

COLLIDER = geometry.load("belle2").collider
N = 60_000


@cache
def pions(couples_like: str, kaon: str) -> tuple[np.ndarray, np.ndarray]:
    """Directions of pi- and pi+ of tau -> pi nu in the frames of their taus, shape (2, 3, n).

    And their parts along the flight of the tau-, shape (2, n). The axes are common: the frames of
    the taus are reached from that of S.
    """
    process = BToKScalar(
        mass=4.0 if kaon == "K+" else 3.7,
        decay="tautau",
        couples_like=couples_like,
        kaon=kaon,
        isr=False,
        fsr=False,
    )
    truth = process.generate(COLLIDER, N, np.random.default_rng(1))
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    children = np.flatnonzero(p.parent >= 0)
    n_children = np.bincount(truth.parents(children), minlength=len(p))
    found = []
    for sign in (1, -1):
        rows = np.flatnonzero((p.pdg_id == -sign * PION) & (p.parent >= 0))
        taus = truth.parents(rows)
        alone = (p.pdg_id[taus] == sign * TAU) & (n_children[taus] == 2)
        found.append((truth.event_index()[rows[alone]], rows[alone], taus[alone]))
    (event, *minus), (other, *plus) = found
    _, first, second = np.intersect1d(event, other, return_indices=True)
    (pion_minus, tau_minus), (pion_plus, tau_plus) = (
        [rows[chosen] for rows in of_one] for of_one, chosen in ((minus, first), (plus, second))
    )
    boson = own[:, truth.parents(tau_minus)]
    directions = []
    for pion, tau in ((pion_minus, tau_minus), (pion_plus, tau_plus)):
        frame = to_rest_frame(own[:, tau], boson)
        momentum = to_rest_frame(to_rest_frame(own[:, pion], boson), frame)[1:]
        directions.append(momentum / np.linalg.norm(momentum, axis=0))
    flight = to_rest_frame(own[:, tau_minus], boson)[1:]
    flight /= np.linalg.norm(flight, axis=0)
    both = np.stack(directions)
    return both, np.sum(both * flight, axis=1)


@pytest.mark.parametrize(
    ("couples_like", "across", "kaon"),
    [
        ("higgs", -2 / 9, "K+"),
        pytest.param("higgs", -2 / 9, "K*0", marks=pytest.mark.validation),
        pytest.param("alp", 2 / 9, "K+", marks=pytest.mark.validation),
        ("alp", 2 / 9, "K*0"),
    ],
)
def test_pions_know_the_parity_of_what_made_the_taus(couples_like: str, across: float, kaon: str):
    """Singlets make the density 1 + n.n', the triplet of a scalar turns what is across around.

    Spins of the singlet are opposite, pi- go along that of their tau and pi+ against. So of n.n'
    the part along the flight is 1/9 in the mean, that across is 2/9, with the sign of the parity.
    """
    directions, along = pions(couples_like, kaon)
    n = along.shape[1]
    assert n > 400
    product = along[0] * along[1]
    assert product.mean() == pytest.approx(1 / 9, abs=4 * product.std() / np.sqrt(n))
    transverse = np.sum(directions[0] * directions[1], axis=0) - product
    error = transverse.std() / np.sqrt(n)
    assert transverse.mean() == pytest.approx(across, abs=4 * error)
    assert abs(across) > 8 * error


@pytest.mark.parametrize(
    ("couples_like", "decay", "kernel"),
    [
        ("higgs", "mumu", FERMIONS_FROM_SCALAR),
        ("alp", "mumu", FERMIONS_FROM_PSEUDOSCALAR),
        ("higgs", "tautau", FERMIONS_FROM_SCALAR),
        ("alp", "tautau", FERMIONS_FROM_PSEUDOSCALAR),
        ("higgs", "pipi", SCALARS_FROM_SCALAR),
    ],
)
def test_pairs_radiate_as_their_spins_want(couples_like: str, decay: str, kernel):
    mass = 4.0 if decay == "tautau" else 1.0
    emitted = BToKScalar(mass=mass, decay=decay, couples_like=couples_like).emitted()
    assert {mode.pair.kernel.name for mode in emitted.decay.modes if mode.pair} == {kernel.name}
