"""l+ l- X: kinematics, limits of the amplitude, agreement of sampling and quadrature.

Squared amplitudes, cross-sections and moments at 10.58 GeV stand against tables in
``tests/reference/test_production_tables.py``.
"""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.kinematics import boost, dot, invariant_mass, two_body
from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.emission import (
    PSEUDOSCALAR,
    SCALAR,
    VECTOR,
    Coupling,
    Emission,
    FermionPair,
    Invariants,
    Masses,
    cross_section,
    sample,
    squared_amplitude,
)

COUPLINGS = [
    pytest.param(coupling, id=coupling.name) for coupling in (VECTOR, SCALAR, PSEUDOSCALAR)
]
MASSES = [Masses(MASS_MU, 0.01), Masses(MASS_MU, 1.0), Masses(MASS_MU, 9.0), Masses(MASS_TAU, 2.0)]
each_mass = pytest.mark.parametrize("masses", MASSES, ids=lambda m: f"{m.lepton:.1f}-{m.boson:g}")
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS)


def energies(n: int, masses: Masses) -> np.ndarray:
    """Squared energies from 1 % above threshold to 11 GeV."""
    return np.linspace(1.01 * masses.threshold, 11.0, n) ** 2


def hard_events(drawn: Emission, s: np.ndarray) -> HardEvents:
    """The same in the frame of the hard process."""
    beams = np.stack([*np.zeros((3, len(s))), np.sqrt(s)])
    return HardEvents(s, beams, np.stack([drawn.p1, drawn.p2, drawn.k]))


@each_coupling
@each_mass
def test_final_states_are_on_shell_and_balanced(coupling: Coupling, masses: Masses):
    s = energies(2000, masses)
    drawn = sample(coupling, masses, s, np.random.default_rng(31))
    total = drawn.p1 + drawn.p2 + drawn.k
    root_s = np.sqrt(s)
    assert total[0] == pytest.approx(root_s, rel=1e-13)
    assert np.abs(total[1:] / root_s).max() < 1e-13
    for p, mass in ((drawn.p1, masses.lepton), (drawn.p2, masses.lepton), (drawn.k, masses.boson)):
        assert np.abs(dot(p, p) - mass**2).max() < 1e-12 * s.max()
    assert np.all(drawn.weight > 0)


@each_coupling
@each_mass
def test_invariants_are_those_of_the_momenta(coupling: Coupling, masses: Masses):
    s = energies(2000, masses)
    drawn = sample(coupling, masses, s, np.random.default_rng(32))
    at = Invariants.of(hard_events(drawn, s))
    for name in ("d1", "d2", "a", "b"):
        found, expected = getattr(drawn.invariants, name), getattr(at, name)
        assert np.abs(found - expected).max() < 1e-11 * s.max()


@each_coupling
@each_mass
def test_weights_average_to_the_cross_section(coupling: Coupling, masses: Masses):
    """At energies other than those of the tables, one in each third of the range."""
    for fraction in (0.1, 0.5, 0.9):
        root_s = masses.threshold + fraction * (11.0 - masses.threshold)
        s = np.full(40_000, root_s**2)
        weight = sample(coupling, masses, s, np.random.default_rng(33)).weight
        error = weight.std() / 200
        assert error < 0.015 * weight.mean()
        assert abs(weight.mean() - cross_section(coupling, masses, s[:1])[0]) < 5 * error


def test_weights_of_a_light_scalar():
    """The helicity flip has a mixture of its own, which a larger sample tests to 0.5 %."""
    masses, s = Masses(MASS_MU, 0.05), np.full(1_000_000, 10.58**2)
    weight = sample(SCALAR, masses, s, np.random.default_rng(39)).weight
    error = weight.std() / 1000
    assert error < 1e-3 * weight.mean()
    assert abs(weight.mean() - cross_section(SCALAR, masses, s[:1])[0]) < 4.5 * error


@each_coupling
def test_closed_below_threshold(coupling: Coupling):
    masses = Masses(MASS_MU, 3.0)
    s = np.array([1.0, masses.threshold**2, (masses.threshold + 1e-3) ** 2, 100.0])
    total = cross_section(coupling, masses, s)
    assert np.all(total[:2] == 0)
    assert np.all(total[2:] > 0)
    drawn = sample(coupling, masses, s, np.random.default_rng(34))
    assert np.all((drawn.weight > 0) == [False, False, True, True])
    assert np.all(np.isfinite(drawn.p1))


@each_coupling
def test_no_events(coupling: Coupling):
    drawn = sample(coupling, MASSES[0], np.zeros(0), np.random.default_rng(35))
    assert drawn.k.shape == (4, 0)
    assert cross_section(coupling, MASSES[0], np.zeros(0)).shape == (0,)


@each_coupling
def test_amplitude_is_positive_and_symmetric_in_the_leptons(coupling: Coupling):
    masses, s = MASSES[1], np.full(2000, 100.0)
    at = sample(coupling, masses, s, np.random.default_rng(36)).invariants
    amplitude = squared_amplitude(coupling, masses, at)
    exchanged = Invariants(at.s, at.d2, at.d1, at.b, at.a)
    assert np.all(amplitude > 0)
    assert squared_amplitude(coupling, masses, exchanged) == pytest.approx(amplitude, rel=1e-12)


def averaged(coupling: Coupling, masses: Masses, s: float, p1, p2, k) -> float:
    """T averaged over the orientation: it is quadratic in it, so three axes are exact."""
    values = []
    for shift in range(3):
        turned = [np.array([[p[0]], *([q] for q in np.roll(p[1:], shift))]) for p in (p1, p2, k)]
        beams = np.array([[0.0], [0.0], [0.0], [np.sqrt(s)]])
        at = Invariants.of(HardEvents(np.array([s]), beams, np.stack(turned)))
        values.append(squared_amplitude(coupling, masses, at)[0])
    return float(np.mean(values))


@pytest.mark.parametrize(
    ("coupling", "expected"),
    [
        (VECTOR, lambda x1, x2, x3: 8 * (x1**2 + x2**2) / ((1 - x1) * (1 - x2))),
        (SCALAR, lambda x1, x2, x3: 4 * x3**2 / ((1 - x1) * (1 - x2))),
        (PSEUDOSCALAR, lambda x1, x2, x3: 4 * x3**2 / ((1 - x1) * (1 - x2))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize(("x1", "x2"), [(0.9, 0.8), (0.5, 0.7), (0.95, 0.2)])
def test_massless_limit(coupling: Coupling, expected, x1: float, x2: float):
    """<T> = (4 s/3) h, h being that of q qbar g, or of q qbar and a Yukawa boson."""
    s, x3 = 100.0, 2 - x1 - x2
    beam = np.sqrt(s) / 2
    cos = (x3**2 - x1**2 - x2**2) / (2 * x1 * x2)
    p1 = beam * x1 * np.array([1.0, 0.0, 0.0, 1.0])
    p2 = beam * x2 * np.array([1.0, np.sqrt(1 - cos**2), 0.0, cos])
    k = np.array([2 * beam, 0, 0, 0]) - p1 - p2
    found = averaged(coupling, Masses(0.0, 0.0), s, p1, p2, k)
    assert found == pytest.approx(4 * s / 3 * expected(x1, x2, x3), rel=1e-9)


def test_soft_vector_factorises():
    """T -> -(p1/p1.k - p2/p2.k)^2 4 s^2 [1 + beta^2 c^2 + 4 m^2/s] for a massless soft vector."""
    s, energy, cos = 100.0, 1e-6, 0.4
    p = np.sqrt(s / 4 - MASS_MU**2)
    direction = np.array([np.sqrt(1 - cos**2), 0.0, cos])
    p1 = np.array([np.sqrt(s) / 2, *(p * direction)])[:, None]
    p2 = np.array([np.sqrt(s) / 2, *(-p * direction)])[:, None]
    k = energy * np.array([1.0, 0.0, 0.6, 0.8])[:, None]
    current = p1 / dot(p1, k) - p2 / dot(p2, k)
    beta2 = 1 - 4 * MASS_MU**2 / s
    expected = -dot(current, current) * 4 * s**2 * (1 + beta2 * cos**2 + 4 * MASS_MU**2 / s)
    at = Invariants(np.array([s]), 2 * dot(p1, k), 2 * dot(p2, k), -10 * p1[3], -10 * p2[3])
    found = squared_amplitude(VECTOR, Masses(MASS_MU, 0.0), at)
    assert found == pytest.approx(expected, rel=1e-5)


# ---- spin correlations ---------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.49])
@each_mass
def test_decay_correlation_is_a_probability(masses: Masses, ratio: float):
    """Within [0, 1], and for every single final state of mean 1 - (1 - 4 m_f^2/M^2)/3.

    T is quadratic in the direction of the decay, so six directions give the exact mean.
    """
    s = np.full(300, 10.58**2)
    drawn = sample(VECTOR, masses, s, np.random.default_rng(37))
    fermion = np.full(300, ratio * masses.boson)
    kept = []
    for cos_theta, phi in ((1.0, 0.0), (0.0, 0.0), (0.0, np.pi / 2)):
        angles = np.full(300, cos_theta), np.full(300, phi)
        first, second = two_body(invariant_mass(drawn.k), fermion, fermion, *angles)
        daughters = np.stack([boost(first, drawn.k), boost(second, drawn.k)])
        kept.append(FermionPair(masses)(hard_events(drawn, s), daughters))
    assert np.min(kept) > -1e-6
    assert np.max(kept) < 1 + 1e-6
    expected = 1 - (1 - 4 * ratio**2) / 3
    assert np.mean(kept, axis=0) == pytest.approx(expected, abs=1e-5)


def test_decay_at_rest_has_no_direction():
    """Fermions that just fit into X carry no spin correlation: every decay is kept."""
    masses = Masses(MASS_MU, 1.0)
    s = np.full(100, 100.0)
    drawn = sample(VECTOR, masses, s, np.random.default_rng(38))
    kept = FermionPair(masses)(hard_events(drawn, s), np.stack([drawn.k / 2, drawn.k / 2]))
    assert kept == pytest.approx(1, abs=1e-12)
