"""How particles slow down, against tables of stopping power and against integrals of the loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from darkbelle.detsim.energy_loss import momentum_after, relative_loss, stopping_path
from darkbelle.geometry import load
from darkbelle.units import MeV

ELECTRON, MUON, PION, KAON, PROTON = 0.000511, 0.10565839, 0.13957, 0.49368, 0.93827
masses = st.sampled_from([ELECTRON, MUON, PION, KAON, PROTON])
momenta = st.floats(0.02, 12.0)
paths = st.floats(0.0, 0.05)

# Momentum of a muon [MeV], its ionisation loss [MeV cm2/g] and its range [g/cm2]. Tables of the
# PDG's form and constants (Groom, Mokhov, Striganov, At. Data Nucl. Data Tables 78 (2001) 183),
# with density effect: github.com/niess/pumas-materials, dedx/muon, PUMAS v1.00.
SILICON = [
    (20.66, 22.36, 0.04850),
    (29.35, 12.92, 0.1714),
    (51.77, 5.576, 1.221),
    (100.3, 2.608, 9.468),
    (152.7, 1.965, 27.68),
    (221.8, 1.737, 60.59),
    (391.7, 1.665, 155.7),
]
GRAPHITE = [
    (20.66, 25.72, 0.04174),
    (29.35, 14.64, 0.1495),
    (51.77, 6.212, 1.086),
    (100.3, 2.860, 8.566),
    (152.7, 2.124, 25.31),
    (221.8, 1.851, 55.98),
    (391.7, 1.742, 146.2),
]
MATERIALS = pytest.mark.parametrize(
    ("table", "minimum"), [(SILICON, 1.664), (GRAPHITE, 1.742)], ids=["silicon", "graphite"]
)


def slowed(momentum: float, mass: float, path: float) -> float:
    """Momentum of one particle after a path."""
    return float(momentum_after(np.array([momentum]), np.array([mass]), np.array([path]))[0])


def kinetic(momentum: float, mass: float) -> float:
    """Accurate also for slow particles."""
    return momentum**2 / (math.hypot(momentum, mass) + mass)


@MATERIALS
def test_loss_against_tables(table: list[tuple[float, float, float]], minimum: float) -> None:
    """From beta gamma = 0.2 to the minimum, one curve lies within 6 % of both materials."""
    momentum, loss, _ = np.array(table).T
    found = relative_loss(momentum * MeV / MUON)
    np.testing.assert_allclose(found, loss / minimum, rtol=0.06)


def test_loss_lies_between_silicon_and_graphite() -> None:
    """The excitation energy is between theirs, where slow particles feel it."""
    momentum, in_silicon, _ = np.array(SILICON)[:5].T
    in_graphite = np.array(GRAPHITE)[:5, 1]
    found = relative_loss(momentum * MeV / MUON)
    assert (found > in_silicon / 1.664 * 0.99).all()
    assert (found < in_graphite / 1.742).all()


@MATERIALS
def test_ranges_against_tables(table: list[tuple[float, float, float]], minimum: float) -> None:
    """A range adds up the losses; 10 %, as shell corrections are left out."""
    momentum, _, length = np.array(table).T
    found = stopping_path(momentum * MeV, np.full_like(momentum, MUON))
    np.testing.assert_allclose(found, length * minimum * MeV, rtol=0.10)


def test_range_of_a_proton() -> None:
    """10 MeV: about 0.71 mm of silicon, as every table has it."""
    mip_loss = 1.664 * MeV * 2.329  # GeV/cm
    momentum = np.sqrt((PROTON + 10 * MeV) ** 2 - PROTON**2)
    found = stopping_path(np.array([momentum]), np.array([PROTON]))[0]
    assert found / mip_loss == pytest.approx(0.071, rel=0.10)


def test_least_loss() -> None:
    """One at the minimum and above it, and nowhere visibly less."""
    assert relative_loss(np.array([3.5, 10.0, 1e4])) == pytest.approx(1)
    beta_gamma = np.geomspace(1e-3, 1e5, 2000)
    found = relative_loss(beta_gamma)
    assert found.min() == pytest.approx(1, abs=1e-3)
    assert (np.diff(found[beta_gamma < 3.2]) < 0).all()


@pytest.mark.parametrize("mass", [MUON, PION, KAON, PROTON])
@pytest.mark.parametrize(("momentum", "target"), [(0.06, 0.01), (0.3, 0.05), (0.3, 0.29), (2, 1)])
def test_path_between_two_momenta(mass: float, momentum: float, target: float) -> None:
    """The integral of dT over the loss there."""

    def per_momentum(p: float) -> float:
        return p / math.hypot(p, mass) / float(relative_loss(np.array(p / mass)))

    kink = min(max(3.5 * mass, target), momentum)
    path, _ = quad(per_momentum, target, momentum, points=[kink], epsabs=0, epsrel=1e-8)
    ranges = stopping_path(np.array([momentum, target]), np.full(2, mass))
    assert ranges[0] - ranges[1] == pytest.approx(path, rel=3e-4)
    assert slowed(momentum, mass, path) == pytest.approx(target, rel=1e-2)


@given(momentum=momenta, mass=masses, path=paths, share=st.floats(0, 1))
def test_paths_add_up(momentum: float, mass: float, path: float, share: float) -> None:
    """Two stretches slow a particle as much as one of their length."""
    between = slowed(momentum, mass, share * path)
    left = stopping_path(np.array([momentum]), np.array([mass]))[0] - path
    if abs(left) < 1e-6:  # the last micrometre decides
        return
    expected = slowed(momentum, mass, path)
    assert slowed(between, mass, (1 - share) * path) == pytest.approx(expected, rel=1e-5, abs=1e-9)


@given(momentum=momenta, mass=masses, path=paths)
def test_a_loss_is_at_least_the_minimum(momentum: float, mass: float, path: float) -> None:
    """Also for what is fast: an electron of GeV loses what a minimum-ionising particle does."""
    after = slowed(momentum, mass, path)
    assert 0 <= after <= momentum
    lost = kinetic(momentum, mass) - kinetic(after, mass)
    assert after == 0 or lost >= path * 0.999 - 1e-8
    if after > 3.5 * mass:
        assert lost == pytest.approx(path, rel=1e-3, abs=1e-8)


@given(momentum=momenta, mass=masses, path=paths, more=st.floats(1.0, 1.5))
def test_after_is_monotonic(momentum: float, mass: float, path: float, more: float) -> None:
    """In the momentum before, and against the path."""
    after = slowed(momentum, mass, path)
    assert slowed(more * momentum, mass, path) >= after * (1 - 1e-12)
    assert slowed(momentum, mass, more * path) <= after * (1 + 1e-12)


@given(momentum=st.floats(1e-3, 12.0), mass=masses)
def test_no_path_changes_nothing(momentum: float, mass: float) -> None:
    assert slowed(momentum, mass, 0.0) == pytest.approx(momentum, rel=1e-12)


@given(momentum=st.floats(1e-3, 12.0), mass=masses, beyond=st.floats(1.0001, 100))
def test_nothing_is_left_beyond_the_range(momentum: float, mass: float, beyond: float) -> None:
    full = float(stopping_path(np.array([momentum]), np.array([mass]))[0])
    assert slowed(momentum, mass, beyond * full) == 0
    assert slowed(momentum, mass, 0.999 * full) > 0


@pytest.mark.parametrize(
    ("momentum", "mass", "stops"),
    [(0.1, KAON, True), (0.15, KAON, False), (0.15, PROTON, True), (0.1, PION, False)],
)
def test_what_stops_in_the_beam_pipe(momentum: float, mass: float, stops: bool) -> None:
    """A kaon of 0.1 GeV has 10 MeV, and loses more than 13 times the minimum of 0.51 MeV."""
    pipe = load("belle2").passive["beam_pipe"].mip_loss_mev * MeV
    assert pipe == pytest.approx(0.51 * MeV)
    assert (slowed(momentum, mass, pipe) == 0) == stops


def test_no_particles() -> None:
    nothing = np.empty(0)
    assert momentum_after(nothing, nothing, nothing).shape == (0,)
    assert stopping_path(nothing, nothing).shape == relative_loss(nothing).shape == (0,)
