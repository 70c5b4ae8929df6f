"""Muons in the muon system: who gets there, how far, and what is seen of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.energy_loss import momentum_with_range, stopping_path
from darkbelle.detsim.klm import KlmResponse
from darkbelle.detsim.klm_flight import fly_to_iron
from darkbelle.detsim.klm_layers import pass_layers
from darkbelle.gen.events import Outcome
from darkbelle.gen.particles import MASS_MU, MUON, PION, charges, masses
from darkbelle.geometry import Experiment, all_surfaces, load
from darkbelle.geometry.klm import KlmSection
from darkbelle.units import CURVATURE, C, MeV
from tests.detsim.klm_gun import arrive, share, shoot

FloatArray = npt.NDArray[np.float64]

PERFECT = ("klm.hits.layer_efficiency=1.0", "klm.hits.overlap_factor=1.0")
EXACT = (
    *PERFECT,
    "klm.hits.position_resolution_cm=1e-9",
    "klm.hits.rpc_time_ns=1e-9",
    "klm.hits.scintillator_time_ns=1e-9",
)

# Momentum of a muon in iron [MeV] and its range [g/cm2]: tables of the PDG's form and constants
# (Groom, Mokhov, Striganov, At. Data Nucl. Data Tables 78 (2001) 183), with density effect:
# github.com/niess/pumas-materials, dedx/muon/iron.txt, PUMAS v1.00.
IRON = [
    (176.4, 43.77),
    (286.8, 109.8),
    (391.7, 178.5),
    (596.4, 314.8),
    (798.7, 447.3),
    (1101.0, 640.1),
    (1502.0, 888.5),
]
IRON_DENSITY = 7.874


@cache
def card(*overrides: str, name: str = "belle2") -> Experiment:
    return load(name, overrides)


def mu(p: float, theta: float = 90.0, *overrides: str, n: int = 2000) -> KlmResponse:
    return shoot(card(*overrides), MUON, p, theta, n=n)[1]


def least_pt(experiment: Experiment, theta: float = 90.0) -> float:
    """Transverse momentum at the face above which muons leave a cluster [GeV]."""
    low, high = 0.3, 1.2
    while high - low > 1e-4:
        pt = (low + high) / 2
        p = pt / np.sin(np.deg2rad(theta))
        seen = share(shoot(experiment, MUON, p, theta, n=1)[1])
        low, high = (low, pt) if seen else (pt, high)
    return high


def at_birth(p: float, experiment: Experiment) -> float:
    """Momentum before the losses in what the card has of the tracking volume, at 90 degrees."""
    crossed = [s.material.mip_loss for s in all_surfaces(experiment) if s.material]
    path = stopping_path(np.array([p]), np.array([MASS_MU])) + sum(crossed)
    return float(momentum_with_range(path, np.array([MASS_MU]))[0])


# ---- who gets there ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["belle2", "belle"])
def test_least_pt_that_enters_the_barrel(name: str) -> None:
    """0.60 GeV within 5 %: check value 25 of the Belle II handbook; 0.6 in NIM A 491 (2002) 69.

    Both for what meets the first layer and for what meets the two of which a cluster is made.
    """
    for min_layers in (1, 2):
        experiment = card(*PERFECT, f"klm.hits.min_layers={min_layers}", name=name)
        pt = at_birth(least_pt(experiment), experiment)
        assert pt == pytest.approx(0.60, rel=0.05)


def test_bending_matters_for_the_least_pt() -> None:
    """Without field the range alone decides: material of 0.28 GeV, 0.37 GeV of momentum."""
    free = least_pt(card(*PERFECT, "klm.hits.min_layers=1", "solenoid.field_t=0.0"))
    klm = card().klm
    loss = (klm.calorimeter.mip_loss_mev + klm.coil.mip_loss_mev) * MeV
    expected = momentum_with_range(np.array([loss]), np.array([MASS_MU]))[0]
    assert free == pytest.approx(expected, abs=2e-4)
    assert free < 0.75 * least_pt(card(*PERFECT, "klm.hits.min_layers=1"))


def slowly_flown(arrivals: Arrivals, experiment: Experiment) -> dict[str, FloatArray]:
    """The way to the iron in steps of 0.5 mm: an independent integration of the same material."""
    klm, n = experiment.klm, len(arrivals)
    x, u = arrivals.point[:3].copy(), arrivals.momentum[1:].copy()
    p0 = np.sqrt((u**2).sum(axis=0))
    u /= p0
    mass, charge = masses(arrivals.pdg_id), charges(arrivals.pdg_id).astype(float)
    left = stopping_path(p0, mass)
    depth, time_, flies = np.zeros(n), arrivals.point[3].copy(), np.ones(n, bool)
    step = 0.05
    for _ in range(12_000):
        p = np.maximum(momentum_with_range(left, mass), 1e-3)
        angle = -charge * CURVATURE * experiment.solenoid.field_t / p * step * flies
        cos, sin = np.cos(angle), np.sin(angle)
        u[0], u[1] = cos * u[0] - sin * u[1], sin * u[0] + cos * u[1]
        x += u * step * flies
        time_ += step / C * np.hypot(p, mass) / p * flies
        cosine = (u * x).sum(axis=0) / np.sqrt((x**2).sum(axis=0))
        inside = (depth < klm.calorimeter.depth_cm) & flies
        left -= inside * step * klm.calorimeter.mip_loss_mev * MeV / klm.calorimeter.depth_cm
        depth += inside * cosine * step
        flies &= np.hypot(x[0], x[1]) < klm.coil.radius_cm
        flies &= (x[2] < klm.forward.face_cm) & (x[2] > klm.backward.face_cm)
    return {"x": x[0], "y": x[1], "z": x[2], "dx": u[0], "dy": u[1], "t": time_, "left": left}


def test_way_to_the_iron_against_small_steps() -> None:
    """Four steps through the crystals and one behind them: within 4 mm, 10 mrad, 3 MeV."""
    rng, n, experiment = np.random.default_rng(5), 300, card()
    code = rng.choice(np.array([MUON, -MUON, PION, -321], np.int32), n)
    theta = np.arccos(rng.uniform(-0.85, 0.93, n))
    arrivals = arrive(code, rng.uniform(0.8, 4.0, n), theta, rng.uniform(-3, 3, n))
    line = fly_to_iron(
        arrivals.point, arrivals.momentum, charges(code), masses(code), experiment.klm, 1.5
    )
    slow = slowly_flown(arrivals, experiment)
    assert line.arrives.mean() > 0.9
    good = line.arrives
    for axis in "xyz":
        np.testing.assert_allclose(getattr(line, axis)[good], slow[axis][good], atol=0.4)
    for axis in ("dx", "dy"):
        np.testing.assert_allclose(getattr(line, axis)[good], slow[axis][good], atol=0.01)
    np.testing.assert_allclose(line.t[good], slow["t"][good], atol=0.05)
    lost_last = slow["left"] - line.range_left
    klm, radius = experiment.klm, np.hypot(line.x, line.y)
    at_coil = good & (radius > klm.coil.radius_cm - 0.1) & (line.z < 260) & (line.z > -170)
    cosine = (line.x * line.dx + line.y * line.dy) / radius
    expected = np.where(at_coil, klm.coil.mip_loss_mev / cosine, 0.0) * MeV
    np.testing.assert_allclose(lost_last[at_coil], expected[at_coil], atol=3 * MeV)
    at_face = good & (radius < klm.coil.radius_cm - 0.1)
    expected = klm.endcap_services.mip_loss_mev / np.abs(line.dz) * MeV
    np.testing.assert_allclose(lost_last[at_face], expected[at_face], atol=3 * MeV)
    assert at_coil.sum() > 50 < at_face.sum()


# ---- how far they get ----------------------------------------------------------------------------


@pytest.mark.parametrize(("p_mev", "grammes"), IRON)
def test_range_in_iron(p_mev: float, grammes: float) -> None:
    """Plates to the end of the range against CSDA ranges, within 5 %."""
    path = stopping_path(np.array([p_mev * MeV]), np.array([MASS_MU]))[0]
    plates = path / (card().klm.plate.mip_loss_mev * MeV)
    assert plates * 4.7 == pytest.approx(grammes / IRON_DENSITY, rel=0.05)


@pytest.mark.parametrize(("p", "expected"), [(0.7, 4), (0.8, 6), (1.0, 10), (1.5, 15)])
def test_layers_against_momentum(p: float, expected: int) -> None:
    """Layers at 90 degrees: those whose iron is thinner than the CSDA range left at the first.

    The first layer stands before any iron, so n plates on the way are n + 1 layers. Momentum there
    from the loss before it, times one over the cosine of incidence.
    """
    arrivals, response = shoot(card(*PERFECT), MUON, p, n=200)
    code = arrivals.pdg_id
    line = fly_to_iron(
        arrivals.point, arrivals.momentum, charges(code), masses(code), card().klm, 1.5
    )
    left = momentum_with_range(line.range_left, masses(code))[0] / MeV
    momenta, grammes = np.array(IRON).T
    range_cm = np.interp(left, momenta, grammes) / IRON_DENSITY
    cosine = (line.x * line.dx + line.y * line.dy)[0] / np.hypot(line.x, line.y)[0]
    crossed = 1 + range_cm * cosine / 4.7  # incidence gets steeper on the way: at least so many
    assert set(response.n_layers) == {expected}
    assert min(crossed, 15) - 0.5 <= expected <= min(15, 1 + range_cm * 1.05 / 4.7)


@pytest.mark.parametrize(
    ("p", "outcome"), [(0.7, Outcome.STOPPED), (1.0, Outcome.STOPPED), (2.0, Outcome.ESCAPED)]
)
def test_outcome_of_muons(p: float, outcome: Outcome) -> None:
    assert set(mu(p).outcome) == {outcome}


def test_outcome_of_those_that_never_get_there() -> None:
    """At 90 degrees 0.45 GeV turns back in the field, 0.3 GeV along z stops in the crystals."""
    assert set(mu(0.45).outcome) <= {Outcome.UNDETERMINED, Outcome.STOPPED}
    assert len(mu(0.45).source) == 0
    assert set(mu(0.30, 15.0).outcome) == {Outcome.STOPPED}


def straight(theta_deg: float) -> tuple[list[float], list[float]]:
    """Layers that a straight line from the origin meets: radii in the barrel, z of the endcap."""
    klm, slope = card().klm, np.tan(np.deg2rad(theta_deg))
    radii = [r for r in klm.barrel.positions_cm if -175 < r / slope < 269]
    endcap = klm.forward if slope > 0 else klm.backward
    planes = [z for z in endcap.positions_cm if 130.5 < abs(z * slope) < 332]
    return radii, planes


@pytest.mark.parametrize(
    "theta", [19, 23, 30, 36, 38, 42, 46, 60, 90, 121, 124, 128, 132, 145, 154]
)
def test_layers_of_straight_lines(theta: float) -> None:
    """Without field fast muons meet what a line through barrel and endcap meets."""
    response = mu(10.0, theta, *EXACT, "solenoid.field_t=0.0", n=50)
    radii, planes = straight(theta)
    assert set(response.n_layers) == {len(radii) + len(planes)}
    assert set(response.innermost_layer) == ({1} if radii else {1 + skipped(theta)})
    if radii:
        assert set(response.section) == {KlmSection.BARREL}
        np.testing.assert_allclose(np.hypot(response.x, response.y), radii[0], atol=1e-6)
    else:
        side = KlmSection.FORWARD if theta < 90 else KlmSection.BACKWARD
        assert set(response.section) == {side}
        np.testing.assert_allclose(response.z, planes[0], atol=1e-6)
    np.testing.assert_allclose(response.theta, np.deg2rad(theta), atol=1e-9)


def skipped(theta: float) -> int:
    """Planes of an endcap that a line passes through its bore."""
    klm = card().klm
    endcap = klm.forward if theta < 90 else klm.backward
    reach = np.abs(np.array(endcap.positions_cm) * np.tan(np.deg2rad(theta)))
    return int((reach < 130.5).sum())


def test_transition_region_needs_its_own_iron() -> None:
    """At 42 degrees the plates of the barrel come before those of the endcap."""
    arrivals = arrive(
        np.full(1, MUON, np.int32), np.full(1, 9.0), np.full(1, np.deg2rad(42.0)), np.zeros(1), 0.0
    )
    line = fly_to_iron(
        arrivals.point, arrivals.momentum, np.zeros(1, np.int8), np.ones(1), card().klm, 0.0
    )
    depth = pass_layers(line, card().klm).depth[:, 0]
    radii, planes = straight(42.0)
    expected = [i / np.sin(np.deg2rad(42)) for i in range(len(radii))]
    radius_of_plate = radii[-1] + 4.55
    plates = len(radii) - 1 + (radius_of_plate / np.tan(np.deg2rad(42)) < 269)
    behind = plates / np.sin(np.deg2rad(42))
    expected += [behind + (i + 1) / np.cos(np.deg2rad(42)) for i in range(len(planes))]
    np.testing.assert_allclose(depth[np.isfinite(depth)], expected)


# ---- what is seen --------------------------------------------------------------------------------


def test_plateau_of_the_efficiency() -> None:
    """With 15 layers of 95 % two hits are certain."""
    assert share(mu(2.0, 90.0, n=50_000)) > 0.9999


def test_hits_are_as_many_as_the_layers_are_efficient() -> None:
    response = mu(2.0, 90.0, n=50_000)
    assert response.n_layers.mean() == pytest.approx(15 * 0.95, abs=4 * 0.844 / np.sqrt(50_000))
    assert (response.innermost_layer == 1).mean() == pytest.approx(0.95, abs=0.005)
    assert (response.innermost_layer == 2).mean() == pytest.approx(0.95 * 0.05, abs=0.005)


@pytest.mark.parametrize("theta", [40.0, 45.0, 125.0])
def test_overlap_of_barrel_and_endcap(theta: float) -> None:
    n = 20_000
    seen = share(mu(4.0, theta, n=n))
    assert seen == pytest.approx(0.85, abs=4 * np.sqrt(0.85 * 0.15 / n))
    for beyond in (30.0, 60.0, 135.0):
        assert share(mu(4.0, beyond)) > 0.999


@pytest.mark.parametrize(
    ("theta", "sigma_t"), [(90.0, 1.0), (30.0, 1.0), (140.0, 1.0)], ids=["barrel", "fwd", "bwd"]
)
def test_position_and_time(theta: float, sigma_t: float) -> None:
    """Residuals to the hit without errors: 1.4 cm across the line of sight, 1 ns."""
    first = ("klm.hits.layer_efficiency=1.0", "solenoid.field_t=0.0")
    exact, seen = mu(4.0, theta, *EXACT, *first), mu(4.0, theta, *first)
    residual = np.stack([getattr(seen, axis) - getattr(exact, axis) for axis in "xyz"])
    n = len(seen.source)
    line = np.stack([exact.x, exact.y, exact.z])
    line /= np.sqrt((line**2).sum(axis=0))
    np.testing.assert_allclose((residual * line).sum(axis=0), 0, atol=1e-6)
    assert np.sqrt((residual**2).sum() / (2 * n)) == pytest.approx(1.4, rel=4 / np.sqrt(4 * n))
    assert np.std(seen.time - exact.time) == pytest.approx(sigma_t, rel=4 / np.sqrt(2 * n))
    flight = np.sqrt(exact.x**2 + exact.y**2 + exact.z**2) / C
    np.testing.assert_allclose(exact.time, flight, rtol=0.002)


def test_time_of_rpcs() -> None:
    """Belle has no scintillators: 4 ns."""
    response = shoot(load("belle"), MUON, 4.0, 90.0, n=5000)[1]
    assert np.std(response.time) == pytest.approx(4.0, rel=4 / np.sqrt(10_000))
