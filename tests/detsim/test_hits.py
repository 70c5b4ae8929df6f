"""Where tracks meet surfaces, against a search along the helix on each leg of its first turn."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from darkbelle.detsim.helices import Helices, Place, place_at, radius_at
from darkbelle.detsim.helix import (
    HelixIndex,
    direction_at,
    perigee,
    position_at,
    shift_jacobian,
)
from darkbelle.detsim.hits import (
    MIN_INCIDENCE,
    Crossing,
    draw_hits,
    find_crossing,
    meets_all_parts,
    obliquity,
)
from darkbelle.detsim.legs import Leg, split_into_legs
from darkbelle.detsim.track_fit import lengthened
from darkbelle.detsim.tracking import ChargedParticles, measure
from darkbelle.geometry import Surface, load, tracking_surfaces
from darkbelle.geometry.card import Detector
from darkbelle.geometry.layers import SiliconSensor, Wires
from darkbelle.units import CURVATURE
from tests.grids import spanned

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

BELLE2 = load("belle2")
SURFACES = tracking_surfaces(BELLE2)
CYLINDER = Surface("cylinder", 20.0, -30.0, 50.0)
CONES = [surface for surface in SURFACES if surface.normal_z]
CONE = CONES[-1]
OPENING = replace(CONE, normal_z=-CONE.normal_z)  # wider forward, as no card has it yet
SOME_CONES = spanned([*CONES, OPENING], [CONE, OPENING])
STEREO = [surface for surface in SURFACES if surface.flare]
WIRES = [surface for surface in SURFACES if surface.parts]
LAYERS = [layer for surface in WIRES for layer in surface.parts]
OMEGA_1GEV = 0.0044969
TOLERANCE = 1e-5
"""cm: a hundredth of the best resolution, which ten secant steps reach on a cone."""
FARTHEST = 400.0
"""cm of arc from the perigee, beyond which nothing stands."""
ZEROS = np.zeros(1)


def one(helix: FloatArray, birth: float = 0.0, end: float = math.inf) -> Helices:
    return Helices.from_helix(np.atleast_2d(helix), np.array([birth]), end)


def from_start(
    position: tuple[float, float, float], phi: float, omega: float, tan_lambda: float
) -> tuple[FloatArray, float]:
    """Helix through a point, and the arc length there."""
    helix, arc = perigee(
        np.array([position]), np.array([phi]), np.array([omega]), np.array([tan_lambda])
    )
    return helix, float(arc[0])


def height(helix: FloatArray, surface: Surface, arc: FloatArray | float) -> FloatArray:
    """Distance from the surface along its normal, positive outside."""
    arcs = np.atleast_1d(arc)
    x, y, z = position_at(np.repeat(helix, len(arcs), axis=0), arcs).T
    along = z - surface.z_reference
    radius = np.hypot(surface.radius, surface.flare * along)
    distance: FloatArray = surface.normal_r * (np.hypot(x, y) - radius) + surface.normal_z * along
    return distance


def limits(omega: float, leg: Leg) -> tuple[float, float]:
    """Arc lengths between which a leg lies."""
    turn = 2 * math.pi / max(abs(omega), 1e-9)
    reach = min(turn / 2, FARTHEST)
    return {
        Leg.INWARD: (-reach, 0.0),
        Leg.OUTWARD: (0.0, reach),
        Leg.RETURN: (turn - reach, turn),
    }[leg]


def search(
    helix: FloatArray, surface: Surface, leg: Leg, birth: float = -math.inf, end: float = math.inf
) -> list[float]:
    """Arc lengths of all crossings within the limits of the surface, on the leg."""
    steps = np.linspace(*limits(helix[0, 2], leg), 1601)
    heights = height(helix, surface, steps)
    arcs = []
    for i in np.flatnonzero((heights[:-1] < 0) != (heights[1:] < 0)):
        arc = brentq(
            lambda s: height(helix, surface, s)[0], steps[i], steps[i + 1], xtol=1e-12, rtol=1e-14
        )
        z = position_at(helix, np.array([arc]))[0, 2]
        if surface.z_min < z < surface.z_max and birth < arc < end:
            arcs.append(arc)
    return arcs


def agree(
    helix: FloatArray,
    surface: Surface,
    leg: Leg = Leg.OUTWARD,
    birth: float = 0.0,
    end: float = math.inf,
) -> bool:
    """Whether there is a crossing; the place and the direction must be the right ones."""
    crossing = find_crossing(one(helix, birth, end), surface, leg)
    arcs = search(helix, surface, leg, birth, end)
    assert len(arcs) <= 1
    assert crossing.on[0] == bool(arcs)
    if not arcs:
        return False
    (arc,) = arcs
    assert crossing.arc[0] == pytest.approx(arc, abs=TOLERANCE)
    point, ahead = position_at(np.repeat(helix, 2, axis=0), np.array([arc, arc + 1e-5]))
    foot = position_at(helix, ZEROS)[0]
    chord = math.copysign(math.dist(point[:2], foot[:2]), arc)
    assert crossing.chord[0] == pytest.approx(chord, abs=TOLERANCE)
    assert crossing.half_sin[0] == pytest.approx(math.sin(helix[0, 2] * arc / 2), abs=2e-6)
    assert crossing.half_cos[0] == pytest.approx(math.cos(helix[0, 2] * arc / 2), abs=2e-6)

    # The direction from a difference of positions, with the radius and its azimuth as axes.
    tangent = (ahead - point) / 1e-5
    radial = point[:2] / np.linalg.norm(point[:2])
    along, across = tangent[:2] @ radial, tangent[1] * radial[0] - tangent[0] * radial[1]
    assert crossing.cos_psi[0] == pytest.approx(along, abs=2e-5)
    assert crossing.sin_psi[0] == pytest.approx(across, abs=2e-5)
    slope = (height(helix, surface, arc + 1e-5) - height(helix, surface, arc))[0] / 1e-5
    assert abs(crossing.incidence[0]) == pytest.approx(max(abs(slope), MIN_INCIDENCE), abs=1e-4)
    assert crossing.incidence[0] * slope > 0 or abs(slope) < MIN_INCIDENCE
    return True


class Trace:
    """Many tracks followed along one leg in steps of half a centimetre or less."""

    def __init__(self, tracks: Helices, leg: Leg) -> None:
        turn = 2 * math.pi / np.abs(tracks.omega)
        steps = np.minimum(turn / 2, FARTHEST)[:, None] * np.linspace(0, 1, 801)
        self.arc = {
            Leg.INWARD: -steps[:, ::-1],
            Leg.OUTWARD: steps,
            Leg.RETURN: turn[:, None] - steps[:, ::-1],
        }[leg]
        self.tracks = tracks
        self.helix = helix_of(tracks)
        n_steps = self.arc.shape[1]
        points = position_at(np.repeat(self.helix, n_steps, axis=0), self.arc.ravel())
        x, y, self.z = points.T.reshape(3, *self.arc.shape)
        self.r2 = x**2 + y**2

    def first_zero(self, heights: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Where a quantity changes sign: whether at all, and the arc."""
        across = (heights[:, :-1] < 0) != (heights[:, 1:] < 0)
        i, rows = across.argmax(axis=1), np.arange(len(across))
        met = across.any(axis=1)
        before, after = heights[rows, i], heights[rows, i + 1]
        share = before / np.where(met, before - after, 1.0)
        return met, self.arc[rows, i] + share * (self.arc[rows, i + 1] - self.arc[rows, i])

    def on_hyperboloid(
        self, radius2: float, flare: float, z_reference: float
    ) -> tuple[BoolArray, FloatArray]:
        """Where one is met: whether at all, and the arc."""
        bulge2 = (flare * (self.z - z_reference)) ** 2 if flare else 0.0
        return self.first_zero(self.r2 - (radius2 + bulge2))

    def times_on_cone(self, surface: Surface) -> npt.NDArray[np.intp]:
        """How often each track meets a cone between its ends."""
        along = self.z - surface.z_reference
        heights = surface.normal_r * (np.sqrt(self.r2) - surface.radius) + surface.normal_z * along
        across = (heights[:, :-1] < 0) != (heights[:, 1:] < 0)
        inside = (self.z > surface.z_min) & (self.z < surface.z_max)
        number: npt.NDArray[np.intp] = (across & inside[:, 1:]).sum(axis=1)
        return number

    def z_at(self, arc: FloatArray) -> FloatArray:
        return self.tracks.z0 + self.tracks.tan_lambda * arc


def helix_of(tracks: Helices) -> FloatArray:
    """Columns as an array."""
    return np.stack([tracks.d0, tracks.phi0, tracks.omega, tracks.z0, tracks.tan_lambda], axis=-1)


helices = st.tuples(
    st.floats(-15.0, 15.0),
    st.floats(-3.1, 3.1),
    st.sampled_from([-1, 1]).flatmap(lambda s: st.floats(3e-4, 0.06).map(lambda w: s * w)),
    st.floats(-20, 60),
    st.floats(-3, 3),
).map(lambda columns: np.array([columns]))
legs = st.sampled_from(Leg)


@given(radius=st.floats(1.0, 110.0), helix=helices, leg=legs, born=st.floats(-1, 1))
def test_cylinders(radius: float, helix: FloatArray, leg: Leg, born: float) -> None:
    """On every leg, also of tracks that turn inside or leave through an end."""
    tracks = one(helix)
    assume(helix[0, 2] * helix[0, 0] > -0.9)
    assume(abs(radius - tracks.apex_radius[0]) > 0.1)  # grazing: the search finds what it likes
    assume(abs(radius - abs(helix[0, 0])) > 0.1)
    surface = Surface("cylinder", radius, -60.0, 140.0)
    nearby = find_crossing(tracks, surface, leg)
    z = position_at(helix, nearby.arc)[0, 2]
    birth = born * limits(helix[0, 2], Leg.OUTWARD)[1]
    assume(min(abs(z - surface.z_min), abs(z - surface.z_max), abs(nearby.arc[0] - birth)) > 1e-3)
    agree(helix, surface, leg, birth)


@given(helix=helices, born=st.floats(-1, 1), path=st.floats(0, 100))
def test_births_and_ends(helix: FloatArray, born: float, path: float) -> None:
    """What is met between birth and end is what would be met without, and between them."""
    assume(helix[0, 2] * helix[0, 0] > -0.9)
    birth = born * limits(helix[0, 2], Leg.OUTWARD)[1]
    for leg in Leg:
        free = find_crossing(one(helix, -math.inf), CYLINDER, leg)
        bound = find_crossing(one(helix, birth, birth + path), CYLINDER, leg)
        between = birth < free.arc[0] < birth + path
        assert bound.on[0] == (free.on[0] and between)
        assert bound.arc[0] == free.arc[0]


@pytest.mark.parametrize("surface", [*CONES, OPENING], ids=lambda surface: surface.name)
@pytest.mark.parametrize("omega", [-0.02, -0.004, 0.0, 0.0009, 0.015])
@pytest.mark.parametrize("theta", [14, 15, 17, 20, 23, 26, 28, 32, 40, 55])
def test_cones_from_the_origin(surface: Surface, theta: float, omega: float) -> None:
    helix = np.array([[0.01, 1.0, omega, 0.3, 1 / math.tan(math.radians(theta))]])
    agree(helix, surface)


@pytest.mark.parametrize("surface", CONES, ids=lambda surface: surface.name)
def test_most_of_a_cone_is_met(surface: Surface) -> None:
    """Straight from the origin through its middle, and near both of its ends."""
    for fraction in (0.02, 0.5, 0.98):
        z = surface.z_min + fraction * (surface.z_max - surface.z_min)
        radius = surface.radius - surface.normal_z / surface.normal_r * (z - surface.z_reference)
        helix = np.array([[0, -2.0, 1e-5, 0, z / radius]])
        assert agree(helix, surface)


def through_a_cone(surface: Surface, n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Tracks through points of a cone in all directions, and their arcs there."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(surface.z_min, surface.z_max, n)
    radius = surface.radius - surface.normal_z / surface.normal_r * (z - surface.z_reference)
    azimuth, phi = rng.uniform(-math.pi, math.pi, (2, n))
    omega = rng.choice([-1, 1], n) * OMEGA_1GEV / np.exp(rng.uniform(math.log(0.03), 1.0, n))
    points = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=-1)
    return perigee(points, phi, omega, rng.uniform(-3, 3, n))


@pytest.mark.parametrize("surface", SOME_CONES, ids=lambda surface: surface.name)
def test_cones_on_every_leg(surface: Surface) -> None:
    """Each track is sent through the cone, not along it; what meets it twice is left out."""
    helix, arc = through_a_cone(surface, 120, seed=1)
    turn = 2 * math.pi / np.abs(helix[:, HelixIndex.OMEGA])
    met = dict.fromkeys(Leg, 0)
    for row, s, t in zip(helix[:, None], arc, turn, strict=True):
        if abs(np.diff(height(row, surface, np.array([s, s + 1e-3])))[0]) < 2e-4:
            continue
        for leg, birth in ((Leg.INWARD, s - 1), (Leg.OUTWARD, s - 1), (Leg.RETURN, s + 1)):
            if len(search(row, surface, leg)) < 2:
                met[leg] += agree(row, surface, leg, birth=birth, end=s + t - 1)
    assert met[Leg.INWARD] > 30
    assert met[Leg.OUTWARD] > 30


@pytest.mark.parametrize("surface", SOME_CONES, ids=lambda surface: surface.name)
@pytest.mark.parametrize("leg", Leg)
def test_hardly_any_cone_is_missed(surface: Surface, leg: Leg) -> None:
    """Of isotropic tracks through points of a cone, also of those that graze it.

    The one in twelve that bends through it twice on a leg is not seen at all.
    """
    helix, arc = through_a_cone(surface, 3000, seed=2)
    if leg is Leg.RETURN:
        turn = 2 * math.pi / np.abs(helix[:, HelixIndex.OMEGA])
        helix[:, HelixIndex.Z0] -= helix[:, HelixIndex.TAN_LAMBDA] * turn
        arc = arc + turn
    here = (arc < 0) if leg is not Leg.OUTWARD else (arc > 0)
    if leg is Leg.RETURN:
        here = (arc > turn / 2) & (arc < turn) & (turn < FARTHEST)
    helix, arc = helix[here], arc[here]
    tracks = Helices.from_helix(helix, np.full(len(arc), -math.inf))
    times, crossing = Trace(tracks, leg).times_on_cone(surface), find_crossing(tracks, surface, leg)
    assert here.sum() > 100
    assert (times == 2).mean() < 0.12
    once = times == 1
    off = np.abs(crossing.arc - arc)[once]
    assert (~crossing.on[once]).mean() < 0.01
    assert (off < 0.01).mean() > 0.99
    assert (off < TOLERANCE).mean() > 0.98


def test_a_cone_just_before_the_farthest_point() -> None:
    """Whether the farthest point itself counts as reached is rounding."""
    omega = np.linspace(0.16, 0.17, 300)
    tan_lambda = np.full_like(omega, 0.05)
    z0 = CONE.z_reference - 1.0 - tan_lambda * math.pi / omega
    helix = np.stack([0 * omega, 0 * omega, omega, z0, tan_lambda], axis=-1)
    assert all(len(search(row, CONE, Leg.OUTWARD)) == 1 for row in helix[::50, None])
    assert find_crossing(Helices.from_helix(helix, 0 * omega), CONE).on.all()


def test_radius_of_the_card_s_cone() -> None:
    """The slanted sensor of SVD layer 6 runs from (13.42, 24.62) to (9.00, 36.08) cm."""
    straight = np.array([[0, 0, 0, 0, 30.35 / 11.21]])
    crossing = find_crossing(one(straight), CONE)
    assert crossing.on.all()
    assert crossing.arc[0] == pytest.approx(11.21, abs=1e-6)
    assert crossing.incidence[0] == pytest.approx(
        math.sin(math.atan2(11.21, 30.35) + math.atan2(13.42 - 9.00, 36.08 - 24.62))
        / math.sin(math.atan2(11.21, 30.35)),
        abs=1e-6,
    )


@pytest.mark.parametrize(
    "surface", spanned([CYLINDER, Surface("outer", 80.0, -65, 150), *CONES], [CYLINDER, CONE])
)
@pytest.mark.parametrize("omega", [-0.012, 0.002, 0.012])
@pytest.mark.parametrize("turn", [-2.6, -1.2, 0.3, 2.6])
@pytest.mark.parametrize("radius", [0.5, 6.0, 15.0, 40.0])
def test_displaced_starts(surface: Surface, omega: float, turn: float, radius: float) -> None:
    """Outward or inward first, and from outside the surface."""
    for tan_lambda in (-0.4, 1.5):
        start = (radius * math.cos(0.8), radius * math.sin(0.8), radius * 0.7)
        helix, birth = from_start(start, 0.8 + turn, omega, tan_lambda)
        for leg in Leg:
            agree(helix, surface, leg, birth)


def test_a_particle_does_not_cross_what_lies_behind_its_birth() -> None:
    helix, birth = from_start((25.0, 0.0, 0.0), 0.1, OMEGA_1GEV, 0.0)
    assert birth > 20
    assert not find_crossing(one(helix, birth), CYLINDER).on[0]
    assert find_crossing(one(helix, 0.0), CYLINDER).on[0]


def test_a_particle_flying_inwards_crosses_on_its_way_in_and_out() -> None:
    helix, birth = from_start((25.0, 0.0, 0.0), math.pi - 0.1, OMEGA_1GEV, 0.0)
    assert birth < -20
    inward = find_crossing(one(helix, birth), CYLINDER, Leg.INWARD)
    outward = find_crossing(one(helix, birth), CYLINDER)
    assert inward.on[0]
    assert outward.on[0]
    assert inward.arc[0] == -outward.arc[0]
    assert inward.cos_psi[0] == -outward.cos_psi[0] < 0
    x, y, _ = position_at(helix, inward.arc)[0]
    assert x == pytest.approx(math.sqrt(400 - y**2))
    assert x > 19  # the side from which it comes


@pytest.mark.parametrize("sign", [-1, 1])
def test_curlers_reach_twice_their_radius_and_come_back(sign: int) -> None:
    """From the origin a track reaches 2 / omega."""
    for diameter, reaches in ((19.9, False), (20.1, True)):
        tracks = one(np.array([0, 0.3, sign * 2 / diameter, 0, 0.1]))
        for leg in (Leg.OUTWARD, Leg.RETURN):
            crossing = find_crossing(tracks, CYLINDER, leg)
            assert crossing.on[0] == reaches
            assert all(
                np.isfinite(values).all() for values in columns(crossing) if values.dtype != bool
            )
        there, back = (find_crossing(tracks, CYLINDER, leg) for leg in (Leg.OUTWARD, Leg.RETURN))
        if reaches:
            assert there.arc + back.arc == pytest.approx(math.pi * diameter)
            assert there.cos_psi == pytest.approx(-back.cos_psi)


def columns(crossing: Crossing) -> list[npt.NDArray[np.generic]]:
    """All that a crossing and the place there say."""
    names = [field.name for field in fields(Crossing) if field.name not in ("tracks", "surface")]
    derived = ("along", "sagitta", "cos_turn", "bend", "lag", "cos_psi", "sin_psi", "incidence")
    return [np.asarray(getattr(crossing, name)) for name in (*names, *derived)]


def test_d0_outside_the_surface() -> None:
    tracks = one(np.array([25.0, 0, OMEGA_1GEV, 0, 0]), birth=-math.inf)
    assert not any(find_crossing(tracks, CYLINDER, leg).on[0] for leg in Leg)


@pytest.mark.parametrize(
    ("z", "hit"), [(-30.1, False), (-29.9, True), (0, True), (49.9, True), (50.1, False)]
)
def test_z_limits(z: float, hit: bool) -> None:
    flat = np.array([0, 1.0, OMEGA_1GEV, z, 0])
    slanted = np.array([0, 1.0, 0, 0, z / 20])
    assert find_crossing(one(flat), CYLINDER).on[0] == hit
    assert find_crossing(one(slanted), CYLINDER).on[0] == hit


def test_z_gap() -> None:
    gapped = replace(CYLINDER, z_gap=(1.0, 2.0))
    z = np.array([0.9, 1.1, 1.9, 2.1])
    helix = np.stack([0 * z, z, 0 * z, z, 0 * z], axis=-1)
    on = find_crossing(Helices.from_helix(helix, 0 * z), gapped).on
    assert on.tolist() == [True, False, False, True]


@pytest.mark.parametrize("limits_deg", [(75, 135), (170, 200), (-30, 30), (-190, -100), (300, 420)])
@pytest.mark.parametrize("omega", [-0.03, 0.0, 0.03])
@pytest.mark.parametrize("leg", Leg)
def test_phi_range(limits_deg: tuple[float, float], omega: float, leg: Leg) -> None:
    """The azimuth of the hit counts, not that of the momentum; also across +-180 deg."""
    if leg is Leg.RETURN and omega == 0:
        return
    low, high = np.radians(limits_deg)
    surface = replace(CYLINDER, phi_range=(low, high))
    phi = np.linspace(-3.14, 3.14, 500)
    helix = np.stack([0.2 + 0 * phi, phi, omega + 0 * phi, 0 * phi, 0.2 + 0 * phi], axis=-1)
    crossing = find_crossing(Helices.from_helix(helix, 0 * phi - 100), surface, leg)
    x, y, _ = position_at(helix, crossing.arc).T
    middle = (low + high) / 2
    expected = x * np.cos(middle) + y * np.sin(middle) > 20 * math.cos((high - low) / 2)
    np.testing.assert_array_equal(crossing.on, expected)
    assert 0 < crossing.on.sum() < len(phi)


def test_azimuth_of_the_direction() -> None:
    """psi is the azimuth of the momentum from that of the hit."""
    helix = np.array([[0.5, 2.0, -0.03, 0, 0.3]])
    for leg in Leg:
        crossing = find_crossing(one(helix), CYLINDER, leg)
        x, y, _ = position_at(helix, crossing.arc)[0]
        psi = math.atan2(crossing.sin_psi[0], crossing.cos_psi[0])
        turned = math.atan2(y, x) + psi - direction_at(helix, crossing.arc)[0]
        assert math.remainder(turned, 2 * math.pi) == pytest.approx(0, abs=1e-12)


# ---- places -------------------------------------------------------------------------------------


@given(
    omega=st.sampled_from([-0.05, -0.003, -1e-7, 1e-5, 0.02]),
    turns=st.floats(-0.5, 1.0),
    tan_lambda=st.floats(-3, 3),
    d0=st.floats(-5, 5),
)
def test_a_place_is_what_the_helix_says(
    omega: float, turns: float, tan_lambda: float, d0: float
) -> None:
    """Along, sagitta, bend and lag are the elements of the Jacobian of the local parameters."""
    arc = np.array([turns * min(2 * math.pi / abs(omega), 200.0)])
    helix = np.array([[d0, 0.7, omega, 2.0, tan_lambda]])
    place = place_at(one(helix), arc)
    foot, point = position_at(np.repeat(helix, 2, axis=0), np.append(arc, 0.0))[::-1]
    forward = np.array([math.cos(0.7), math.sin(0.7)])
    shift = (point - foot)[:2]
    assert place.along[0] == pytest.approx(shift @ forward, abs=1e-9)
    assert place.sagitta[0] == pytest.approx(
        shift[0] * forward[1] - shift[1] * forward[0], abs=1e-9
    )
    assert abs(place.chord[0]) == pytest.approx(np.linalg.norm(shift), abs=1e-9)

    jacobian = shift_jacobian(helix[:, 2], helix[:, 4], arc)[0]
    D0, PHI0, OMEGA, Z0 = (HelixIndex(i) for i in range(4))
    assert place.cos_turn[0] == pytest.approx(jacobian[D0, D0], abs=1e-12)
    assert place.along[0] == pytest.approx(-jacobian[D0, PHI0], abs=1e-9)
    assert place.bend[0] == pytest.approx(jacobian[D0, OMEGA], rel=1e-9, abs=1e-9)
    assert omega * place.sagitta[0] == pytest.approx(1 - jacobian[PHI0, PHI0], abs=1e-12)
    assert place.lag[0] == pytest.approx(
        (jacobian[PHI0, OMEGA] + arc[0]) / omega, rel=1e-6, abs=1e-5
    )
    assert -tan_lambda * place.lag[0] == pytest.approx(jacobian[Z0, OMEGA], rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("leg", Leg)
def test_a_crossing_is_a_place(leg: Leg) -> None:
    """Sines and chords have the same signs, however the arc was found."""
    for omega in (-0.03, 0.03):
        tracks = one(np.array([0.5, 2.0, omega, 0, 0.1]), birth=-math.inf)
        crossing = find_crossing(tracks, CYLINDER, leg)
        assert crossing.on[0]
        place = place_at(tracks, crossing.arc)
        for name in (field.name for field in fields(Place) if field.name != "tracks"):
            assert getattr(crossing, name) == pytest.approx(getattr(place, name), abs=1e-9)


@pytest.mark.parametrize("d0", [0.0, -3.0])
def test_straight_particles(d0: float) -> None:
    """Neutral ones have omega = 0, cross on both sides of their perigee, and do not return."""
    helix = np.array([[d0, 0.4, 0.0, 1.0, 0.5]])
    tracks = one(helix, birth=-math.inf)
    for leg, sign in ((Leg.INWARD, -1), (Leg.OUTWARD, 1)):
        crossing = find_crossing(tracks, CYLINDER, leg)
        assert crossing.on[0]
        length = math.sqrt(400 - d0**2)
        assert crossing.arc[0] == pytest.approx(sign * length, abs=1e-9)
        assert crossing.along[0] == pytest.approx(sign * length, abs=1e-9)
        assert crossing.bend[0] == pytest.approx(length**2 / 2)
        assert crossing.sagitta[0] == pytest.approx(0, abs=1e-9)
        assert crossing.lag[0] == pytest.approx(0, abs=0.05)  # of a bend of 200, all rounding
        assert agree(helix, CYLINDER, leg, birth=-math.inf)
    assert not find_crossing(tracks, CYLINDER, Leg.RETURN).on[0]
    for surface in SURFACES:
        assert not find_crossing(tracks, surface, Leg.RETURN).on[0]


# ---- stereo and wire layers ---------------------------------------------------------------------


def random_tracks(n: int, seed: int) -> Helices:
    """From the axis and from anywhere in the chamber; some end on the way."""
    rng = np.random.default_rng(seed)
    radius = np.where(rng.random(n) < 0.4, rng.random(n), 90 * np.sqrt(rng.random(n)))
    azimuth, phi = rng.uniform(-math.pi, math.pi, (2, n))
    tan_lambda = 1 / np.tan(np.arccos(rng.uniform(-0.9, 0.96, n)))
    omega = rng.choice([-1, 1], n) * OMEGA_1GEV / np.exp(rng.uniform(math.log(0.05), 1.6, n))
    z = radius * tan_lambda * rng.random(n)
    points = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=-1)
    helix, birth = perigee(points, phi, omega, tan_lambda)
    end = np.where(rng.random(n) < 0.7, math.inf, birth + rng.uniform(0, 150, n))
    return Helices.from_helix(helix, birth, end)


@pytest.fixture(scope="module", params=Leg)
def trace(request: pytest.FixtureRequest) -> tuple[Leg, Trace]:
    return request.param, Trace(random_tracks(2000, seed=5), request.param)


def test_radius_of_stereo_layers(trace: tuple[Leg, Trace]) -> None:
    """Right to 0.1 mm for 99 %, and to 0.5 mm for all that are not about to turn.

    The place along the axis is taken at the waist, though a track moves on to the layer itself.
    """
    leg, flight = trace
    misses = []
    tracks = replace(flight.tracks, birth=flight.arc[:, 0], end=flight.arc[:, -1])
    for surface in (*STEREO, *(layer for layer in LAYERS if layer.flare)):
        crossing = find_crossing(tracks, surface, leg)
        met, arc = flight.on_hyperboloid(surface.radius**2, surface.flare, surface.z_reference)
        z = flight.z_at(arc)
        met &= (z > surface.z_min + 0.5) & (z < surface.z_max - 0.5)
        met &= np.abs(tracks.d0) < surface.radius - 1
        met &= tracks.apex_radius > surface.radius + 1
        assert crossing.on[met].all()
        radius = np.hypot(surface.radius, surface.flare * (z - surface.z_reference))
        off = np.abs(crossing.radius - radius)[met]
        misses.append(off)
        here = position_at(flight.helix[met], crossing.arc[met])
        found = np.broadcast_to(crossing.radius, len(met))[met]
        np.testing.assert_allclose(np.hypot(here[:, 0], here[:, 1]), found, atol=1e-6)
    every = np.concatenate(misses)
    assert len(every) > 1500
    assert (every < 0.01).mean() > 0.99
    assert every.max() < 0.05


def true_layers(flight: Trace) -> tuple[BoolArray, FloatArray]:
    """Which wire layers of the card each track meets and at which arcs, shape (56, n) each."""
    met, arcs = [], []
    for superlayer in BELLE2.drift_chamber.superlayers:
        rows = zip(
            superlayer.mid_radii2_cm2,
            superlayer.z_min_cm,
            superlayer.z_max_cm,
            superlayer.stereo_mrad,
            strict=True,
        )
        for radius2, z_min, z_max, stereo in rows:
            crossed, arc = flight.on_hyperboloid(
                radius2, math.tan(stereo * 1e-3), (z_min + z_max) / 2
            )
            z = flight.z_at(arc)
            alive = (arc > flight.tracks.birth) & (arc < flight.tracks.end)
            met.append(crossed & alive & (z > z_min) & (z < z_max))
            arcs.append(arc)
    return np.array(met), np.array(arcs)


@pytest.fixture(scope="module")
def layers_met(trace: tuple[Leg, Trace]) -> tuple[BoolArray, FloatArray]:
    return true_layers(trace[1])


def test_every_wire_layer_is_met_where_the_card_says(
    trace: tuple[Leg, Trace], layers_met: tuple[BoolArray, FloatArray]
) -> None:
    """Against all layers of the card, also where tracks are born, turn, end or leave.

    Wrong are one in ten thousand, at the ends of stereo layers and where a track only just
    reaches them. The place is right to the millimetre that the steps of the search allow.
    """
    leg, flight = trace
    expected, arcs = layers_met
    crossings = [find_crossing(flight.tracks, layer, leg) for layer in LAYERS]
    found = np.array([crossing.on for crossing in crossings])
    assert found.shape == expected.shape == (56, 2000)
    assert expected.sum() > 5000
    assert (found != expected).sum() <= 3e-4 * expected.sum()
    both = found & expected
    cosine = np.array([crossing.cos_psi for crossing in crossings])[both]
    off = np.abs(np.array([crossing.arc for crossing in crossings]) - arcs)[both]
    assert (off * np.abs(cosine) < 0.01).mean() > 0.99
    assert (off * np.abs(cosine)).max() < 0.1


def far_from_edges(surface: Surface, tracks: Helices, margin: float) -> BoolArray:
    """Tracks that are neither born nor end nor turn near the radius of a surface."""
    last = np.where(np.isfinite(tracks.end), tracks.end, tracks.birth)
    edges = [radius_at(tracks, tracks.birth), radius_at(tracks, last)]
    edges += [tracks.apex_radius, np.abs(tracks.d0)]
    far: BoolArray = np.all([np.abs(edge - surface.radius) > margin for edge in edges], axis=0)
    return far


def test_surfaces_of_which_all_layers_are_met(
    trace: tuple[Leg, Trace], layers_met: tuple[BoolArray, FloatArray]
) -> None:
    """Then the track meets each of them: that of 99.9 %, away from where it starts or turns.

    Of the others hardly any meets all of them. A track that misses the surface as the search has
    it, but not by an edge of its own, meets none.
    """
    leg, flight = trace
    expected, _ = layers_met
    said, wrong, all_the_same, behind = 0, 0, 0, 0
    for surface in WIRES:
        layers, expected = expected[: len(surface.parts)], expected[len(surface.parts) :]
        crossing = find_crossing(flight.tracks, lengthened(surface), leg)
        whole = meets_all_parts(crossing)
        assert not (whole & ~crossing.on).any()
        far = far_from_edges(surface, flight.tracks, 5.0)
        every = layers.all(axis=0)
        said += int((whole & far).sum())
        wrong += int((whole & far & ~every).sum())
        all_the_same += int((every & far & ~whole).sum())
        behind += int((far & ~crossing.on & layers.any(axis=0)).sum())
    assert not len(expected)
    assert said > 500
    assert wrong <= max(1, 1e-3 * said)
    assert all_the_same <= 2e-3 * said
    assert behind == 0


@pytest.mark.parametrize("leg", [Leg.OUTWARD, Leg.INWARD])
def test_all_layers_are_met_between_the_ends_alone(leg: Leg) -> None:
    """Straight tracks at the ends of the first superlayer's outer half, born or ending amidst."""
    surface = WIRES[1]
    first, last = surface.parts[0], surface.parts[-1]
    sign = 1 if leg is Leg.OUTWARD else -1

    def whole(z: float, birth: float = -1e9, end: float = 1e9) -> bool:
        tracks = one(np.array([0.0, 0.3, 0.0, z, 0.0]), birth, end)
        return bool(meets_all_parts(find_crossing(tracks, surface, leg))[0])

    low = max(layer.z_min for layer in (first, last))
    high = min(layer.z_max for layer in (first, last))
    assert (whole(low + 0.01), whole(low - 0.01)) == (True, False)
    assert (whole(high - 0.01), whole(high + 0.01)) == (True, False)
    near, far = sorted((sign * first.radius, sign * last.radius))
    assert whole(0.0, near - 0.01, far + 0.01)
    assert not whole(0.0, near + 0.01)
    assert not whole(0.0, end=far - 0.01)


def test_number_of_layers_of_a_prompt_track() -> None:
    """Stiff and at 90 degrees: all 56, each once; and only the axial ones have no stereo angle."""
    tracks = one(np.array([0.0, 0.3, OMEGA_1GEV / 3, 0.0, 0.1]))
    assert len(LAYERS) == 56
    assert all(find_crossing(tracks, layer).on[0] for layer in LAYERS)
    for surface in WIRES:
        assert meets_all_parts(find_crossing(tracks, surface)).all()
        for layer in surface.parts:
            assert isinstance(layer.sensor, Wires)
            assert len(layer.sensor.sigma) == 1
            assert (layer.sensor.tan_stereo == 0) == surface.name[:-6].endswith("A")


def test_born_between_two_layers() -> None:
    """At 19.3 cm, outwards: of the layers at 16.8 to 23.8 cm the outer five, inwards the rest."""
    for phi, leg, met in (
        (0.0, Leg.OUTWARD, [False] * 3 + [True] * 5),
        (math.pi, Leg.INWARD, [True] * 3 + [False] * 5),
        (math.pi, Leg.OUTWARD, [True] * 8),
    ):
        helix, birth = from_start((19.3, 0.0, 0.0), phi, OMEGA_1GEV, 0.1)
        tracks = one(helix, birth)
        assert [bool(find_crossing(tracks, layer, leg).on[0]) for layer in LAYERS[:8]] == met
        inner, outer = (meets_all_parts(find_crossing(tracks, s, leg))[0] for s in WIRES[:2])
        assert (inner, outer) == (all(met[:4]), all(met[4:]))


@pytest.mark.parametrize(("apex", "number"), [(20.5, 0), (22.0, 2), (22.7, 2), (23.3, 3), (24, 4)])
def test_layers_beyond_the_farthest_point_are_not_met(apex: float, number: int) -> None:
    """Of those at 20.8, 21.8, 22.8 and 23.8 cm, by a track from the axis that turns."""
    for sign in (1, -1):
        tracks = one(np.array([0.0, 0.3, sign * 2 / apex, 0.0, 0.1]))
        for leg in (Leg.OUTWARD, Leg.RETURN):
            met = [bool(find_crossing(tracks, layer, leg).on[0]) for layer in LAYERS[4:8]]
            assert met == [True] * number + [False] * (4 - number)


# ---- layers that tracks are said to meet ---------------------------------------------------------

ALL_WIRES = load("belle2", ("drift_chamber.hit_efficiency=1.0",))


def counted_layers(tracks: Helices) -> npt.NDArray[np.intp]:
    """Wire layers that tracking counts: its hits where every layer delivers one."""
    pt = CURVATURE * BELLE2.solenoid.field_t / np.abs(tracks.omega)
    phi = tracks.phi0 - tracks.omega * tracks.birth
    particles = ChargedParticles(
        position_at(tracks.columns, tracks.birth),
        pt[:, None] * np.stack([np.cos(phi), np.sin(phi), tracks.tan_lambda], axis=-1),
        np.sign(tracks.omega).astype(np.int8),
        np.full(len(tracks), 0.10566),
        tracks.end - tracks.birth,
    )
    found = measure(particles, ALL_WIRES, np.random.default_rng(1))
    return found.n_hits[Detector.CDC].astype(np.intp)


def true_number_of_layers(tracks: Helices) -> npt.NDArray[np.intp]:
    """On the first turn, as long as the track stays in the chamber's gas."""
    gas = WIRES[-1].material
    assert gas is not None
    number = np.zeros(len(tracks), np.intp)
    for leg in Leg:
        met = true_layers(Trace(tracks, leg))[0].sum(axis=0)
        number += np.where((leg is not Leg.RETURN) | (tracks.apex_radius < gas.r_max), met, 0)
    return number


@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.validation)])
def test_number_of_layers_of_any_track(seed: int) -> None:
    """Of any birth, direction, curvature and end: exact for 99.5 %, else off by one, or two.

    Half superlayers are taken as one only where no track starts, turns, ends or leaves.
    """
    tracks = random_tracks(3000, seed)
    expected = true_number_of_layers(tracks)
    off = np.abs(counted_layers(tracks) - expected)
    assert (expected > 0).mean() > 0.9
    assert len(np.unique(expected)) > 80
    assert (off == 0).mean() > 0.995
    assert off.max() <= 2


def curlers(
    apex: FloatArray, perigee_radius: FloatArray | float, seed: int, born: float = 1e-6
) -> Helices:
    """From their perigees to given farthest distances from the axis, and back.

    Or from some share of the way to the farthest point.
    """
    rng = np.random.default_rng(seed)
    n = len(apex)
    sign = rng.choice([-1, 1], n)
    d0 = sign * perigee_radius  # the axis is outside the circle
    omega = sign * 2 / (apex - perigee_radius)
    helix = np.stack(
        [d0, rng.uniform(-3, 3, n), omega, rng.uniform(-5, 5, n), rng.uniform(-0.3, 0.3, n)],
        axis=-1,
    )
    return Helices.from_helix(helix, born * np.pi / np.abs(omega))


@pytest.mark.parametrize("perigee_radius", spanned([0.0, 10.0, 40.0], [10.0, 40.0]))
def test_number_of_layers_of_curlers(perigee_radius: float) -> None:
    """Wherever they turn, up to the last gas; and those that reach the wall do not return."""
    apex = np.linspace(perigee_radius + 15, 113.0, 750)
    tracks = curlers(apex, perigee_radius, seed=3)
    np.testing.assert_allclose(tracks.apex_radius, apex, rtol=1e-9)
    expected = true_number_of_layers(tracks)
    off = np.abs(counted_layers(tracks) - expected)
    assert (off == 0).mean() > 0.99
    assert off.max() <= 2
    assert expected[apex > 112.1].max() <= 56
    turning = (apex > 111.5) & (apex < 112)
    if perigee_radius < 16:
        assert expected[turning].min() > 56


def test_number_of_layers_on_the_way_back() -> None:
    """From a birth far out to a perigee amidst the wires, where a track turns once more."""
    perigee_radius = np.linspace(16.0, 60.0, 750)
    tracks = curlers(np.full(750, 109.0), perigee_radius, seed=5, born=0.8)
    off = np.abs(counted_layers(tracks) - true_number_of_layers(tracks))
    assert (off == 0).mean() > 0.99
    assert off.max() <= 1


def test_tracks_return_from_the_last_gas() -> None:
    """Between the outermost wires and the wall, 112.05 cm from the axis."""
    for apex, n_legs in ((109.0, 2), (110.5, 2), (111.9, 2), (112.2, 1)):
        tracks = curlers(np.array([apex]), 0.0, seed=4)
        legs = [part.leg for part in split_into_legs(tracks, SURFACES)]
        assert legs == [Leg.OUTWARD, Leg.RETURN][:n_legs]


@pytest.mark.parametrize("surface", [CYLINDER, CONE, WIRES[0], WIRES[2]], ids=lambda s: s.name)
def test_some_of_the_crossings(surface: Surface) -> None:
    """Taking rows commutes with finding."""
    tracks, rows = random_tracks(50, seed=9), np.array([40, 3, 3, 17])
    taken, found = (
        find_crossing(tracks, surface).take(rows),
        find_crossing(tracks.take(rows), surface),
    )
    for mine, theirs in zip(columns(taken), columns(found), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert taken.surface is surface


# ---- hits ---------------------------------------------------------------------------------------

TWO_LAYERS = Wires((0.01, 0.02), 0.0, 0.8)


def straight_at(z: float, n: int) -> Helices:
    return Helices.from_helix(np.tile([0.0, 1.0, 0.0, z, 0.0], (n, 1)), np.zeros(n))


def assert_fraction(count: int, n: int, efficiency: float) -> None:
    """Binomial, false alarm below 1e-5."""
    assert abs(count - n * efficiency) < 4.5 * math.sqrt(n * efficiency * (1 - efficiency))


def test_hits_in_silicon() -> None:
    n, sensor = 20_000, SiliconSensor(Detector.SVD, 1e-3, 2e-3, 0.9)
    crossing = find_crossing(straight_at(0, n), replace(CYLINDER, sensor=sensor))
    weight, number = draw_hits(crossing, np.random.default_rng(1))
    assert_fraction(int(number.sum()), n, 0.9)
    np.testing.assert_array_equal(weight, number)
    assert set(number) == {0, 1}


def test_hits_on_wires() -> None:
    """Layers are drawn one by one; each weighs by its own inverse variance."""
    n = 20_000
    crossing = find_crossing(straight_at(0, n), replace(CYLINDER, sensor=TWO_LAYERS))
    weight, number = draw_hits(crossing, np.random.default_rng(2))
    patterns = {(0.0, 0): 0.04, (1e4, 1): 0.16, (2500.0, 1): 0.16, (12_500.0, 2): 0.64}
    pairs = list(zip(np.round(weight, 6).tolist(), number.tolist(), strict=True))
    assert set(pairs) == set(patterns)
    for pattern, probability in patterns.items():
        assert_fraction(pairs.count(pattern), n, probability)


def test_hits_only_where_the_surface_is_met() -> None:
    """As the crossing says, also where it has been restricted to some tracks."""
    sure = replace(TWO_LAYERS, efficiency=1.0)
    z = np.array([-35.0, -25.0, 10.0, 10.0, 55.0])
    helix = np.stack([0 * z, 1 + 0 * z, 0 * z, z, 0 * z], axis=-1)
    met = find_crossing(Helices.from_helix(helix, 0 * z), replace(CYLINDER, sensor=sure))
    some = met.take(np.array([4, 1, 3]))
    for crossing, number_expected in ((met, [0, 2, 2, 2, 0]), (some, [0, 2, 2])):
        weight, number = draw_hits(crossing, np.random.default_rng(3))
        assert number.tolist() == number_expected
        np.testing.assert_allclose(weight, 6_250.0 * number)


def test_no_hits_without_a_sensor_or_a_crossing() -> None:
    rng = np.random.default_rng(4)
    sensor = SiliconSensor(Detector.SVD, 1e-3, 2e-3, 1.0)
    for surface, z in ((CYLINDER, 0), (replace(CYLINDER, sensor=sensor), 60)):
        weight, number = draw_hits(find_crossing(straight_at(z, 5), surface), rng)
        assert not weight.any()
        assert not number.any()


# ---- obliquity ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tan_lambda", [0.0, -1.0, 2.0])
@pytest.mark.parametrize("leg", [Leg.INWARD, Leg.OUTWARD])
def test_path_along_a_straight_track(tan_lambda: float, leg: Leg) -> None:
    """A cylinder in its wall is 1/sin(theta) thicker, a missed surface counts nothing."""
    tracks = one(np.array([0, 0, 0, 0, tan_lambda]), birth=-math.inf)
    crossing = find_crossing(tracks, CYLINDER, leg)
    assert crossing.on[0] == (abs(20 * tan_lambda) < 30 or leg is Leg.OUTWARD)
    if crossing.on[0]:
        assert obliquity(crossing)[0] == pytest.approx(math.hypot(1, tan_lambda))
    far = replace(CYLINDER, z_min=100.0, z_max=200.0)
    assert obliquity(find_crossing(tracks, far, leg))[0] == 0


def test_path_in_a_cone_met_head_on() -> None:
    """Along its normal it is as thick as the card says."""
    tan_lambda = CONE.normal_z / CONE.normal_r
    z0 = CONE.z_reference - CONE.radius * tan_lambda
    crossing = find_crossing(one(np.array([0, 0, 0, z0, tan_lambda])), CONE)
    assert obliquity(crossing)[0] == pytest.approx(1)


@given(helix=helices, leg=legs)
def test_path_between_two_shells(helix: FloatArray, leg: Leg) -> None:
    """The length in space between two close cylinders over their distance."""
    assume(helix[0, 2] * helix[0, 0] > -0.9)
    tracks, step = one(helix, birth=-math.inf), 1e-4
    inner, middle, outer = (
        find_crossing(tracks, Surface("shell", 10 + shift, -1e6, 1e6), leg)
        for shift in (-step / 2, 0.0, step / 2)
    )
    assume(middle.on[0] and abs(middle.cos_psi[0]) > 0.05)
    length = abs(outer.arc[0] - inner.arc[0]) * math.hypot(1, helix[0, 4])
    assert obliquity(middle)[0] == pytest.approx(length / step, rel=1e-4)


def test_path_is_finite_where_a_track_turns() -> None:
    tracks = one(np.array([0, 0, 0.1 * (1 - 1e-13), 0, 0.5]))
    crossing = find_crossing(tracks, CYLINDER)
    assert crossing.on[0]
    assert obliquity(crossing)[0] <= math.hypot(1, 0.5) / MIN_INCIDENCE


@pytest.mark.parametrize("leg", Leg)
@pytest.mark.parametrize(
    "surface", [*SURFACES, *LAYERS[6:10], CYLINDER], ids=lambda surface: surface.name
)
def test_no_tracks(surface: Surface, leg: Leg) -> None:
    tracks = Helices.from_helix(np.empty((0, 5)), np.empty(0))
    crossing = find_crossing(tracks, surface, leg)
    assert len(tracks) == 0
    assert all(values.shape in ((0,), ()) for values in columns(crossing))
    assert obliquity(crossing).shape == (0,)
    assert [part.shape for part in draw_hits(crossing, np.random.default_rng(0))] == [(0,), (0,)]
    if surface.parts:
        assert meets_all_parts(crossing).shape == (0,)
