"""Cuts on generated events: on events made by hand, and what they do to cross-sections."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen import Origin, Outcome, Status, TruthEvents
from darkbelle.gen.events import Slot, assemble
from darkbelle.gen.particles import B_PLUS, K_L, MUON, NU_MU, PHOTON, PION, masses
from darkbelle.gen.processes import MuMu, find_process
from darkbelle.gen.processes.cuts import Frame, GeneratorCuts
from darkbelle.geometry import Collider, load
from tests.physics.views import boosted

Track = tuple[int, float, float]
"""Code, energy [GeV], polar angle."""


def by_hand(*events: list[Track], status: Status = Status.FINAL) -> TruthEvents:
    """Events of some particles, at azimuths as they come."""
    slots = []
    for i, tracks in enumerate(events):
        for phi, (code, energy, theta) in enumerate(tracks):
            slots.append(slot(i, code, energy, theta, float(phi), status))
    n = len(events)
    return assemble(slots, np.ones(n), np.zeros((4, n)), None)


def slot(event: int, code: int, energy: float, theta: float, phi: float, status: Status) -> Slot:
    mass = float(masses(np.array(code, np.int32)))
    p = math.sqrt(energy**2 - mass**2)
    sin, cos = math.sin(theta), math.cos(theta)
    momentum = np.array([[energy], [p * sin * math.cos(phi)], [p * sin * math.sin(phi)], [p * cos]])
    return Slot(
        code, status, Origin.PRIMARY, mass, momentum, np.zeros((4, 1)), events=np.array([event])
    )


EVENTS = by_hand(
    [(MUON, 3.0, 1.0), (-MUON, 0.4, 2.0)],
    [(MUON, 3.0, 0.1), (PHOTON, 1.0, 1.0)],
    [(PHOTON, 1.0, 1.0), (PHOTON, 0.3, 2.0)],
    [(NU_MU, 3.0, 1.0), (K_L, 2.0, 1.0)],
    [],
)


@pytest.mark.parametrize(
    ("cuts", "passed"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"n_charged": 1}, [1, 1, 0, 0, 0]),
        ({"n_charged": 2}, [1, 0, 0, 0, 0]),
        ({"n_charged": 3}, [0, 0, 0, 0, 0]),
        ({"n_photons": 1}, [0, 1, 1, 0, 0]),
        ({"n_photons": 2}, [0, 0, 1, 0, 0]),
        ({"n_charged": 1, "n_photons": 1}, [0, 1, 0, 0, 0]),
        ({"n_charged": 1, "theta": (0.5, math.pi)}, [1, 0, 0, 0, 0]),
        ({"n_charged": 2, "theta": (0.5, 1.5)}, [0, 0, 0, 0, 0]),
        ({"n_charged": 1, "theta": (1.5, 2.5)}, [1, 0, 0, 0, 0]),
        ({"n_charged": 1, "n_photons": 1, "theta": (0.5, 1.5)}, [0, 0, 0, 0, 0]),
        ({"n_photons": 1, "energy": 0.5}, [0, 1, 1, 0, 0]),
        ({"n_photons": 2, "energy": 0.5}, [0, 0, 0, 0, 0]),
        ({"n_charged": 2, "energy": 0.399}, [1, 0, 0, 0, 0]),
        ({"n_charged": 2, "energy": 0.401}, [0, 0, 0, 0, 0]),
    ],
)
def test_each_cut_in_the_laboratory(cuts: dict, passed: list[int], collider: Collider):
    assert GeneratorCuts(**cuts).passed(EVENTS, collider).tolist() == [bool(i) for i in passed]


def test_only_what_leaves_counts(collider: Collider):
    """Beams, what has decayed and what is left undecayed do not."""
    cuts = GeneratorCuts(n_charged=1)
    for status in (Status.BEAM, Status.DECAYED):
        tracks = [(PION, 1.0, 1.0)]
        assert not np.any(cuts.passed(by_hand(tracks, status=status), collider))
    left = by_hand([(B_PLUS, 6.0, 1.0)])
    assert np.all(cuts.passed(left, collider))
    left.particles.outcome[:] = Outcome.UNDECAYED
    assert not np.any(cuts.passed(left, collider))


def test_no_events(collider: Collider):
    for cuts in (GeneratorCuts(), GeneratorCuts(n_charged=1, frame=Frame.CMS)):
        assert cuts.passed(by_hand(), collider).shape == (0,)


def in_centre_of_mass(theta: float, energy: float, collider: Collider) -> TruthEvents:
    """A photon of these angle to the electron, and energy, there; by the textbook boost."""
    total = collider.four_momentum[:, None]
    back = np.concatenate([total[:1], -total[1:]])
    electron = collider.e_her_gev * np.array([1.0, *collider.direction_her])[:, None]
    z = boosted(electron, total)[1:, 0]
    z /= np.linalg.norm(z)
    across = np.cross(z, [0.0, 1.0, 0.0])
    across /= np.linalg.norm(across)
    flight = math.cos(theta) * z + math.sin(theta) * across
    momentum = boosted(energy * np.array([1.0, *flight])[:, None], back)
    slot = Slot(PHOTON, Status.FINAL, Origin.PRIMARY, 0.0, momentum, np.zeros((4, 1)))
    return assemble([slot], np.ones(1), np.zeros((4, 1)), None)


@pytest.mark.parametrize("card", ["belle2", "belle"])
@pytest.mark.parametrize("theta", [0.001, 0.3, 1.5, 3.0, 3.14])
def test_centre_of_mass(theta: float, card: str):
    """The electrons fly along z there, though the crossing angle tilts the boost."""
    collider = load(card).collider
    truth = in_centre_of_mass(theta, 1.0, collider)
    for low, high, passes in (
        (theta - 1e-5, theta + 1e-5, True),
        (0.0, theta - 1e-5, False),
        (theta + 1e-5, math.pi, False),
    ):
        cuts = GeneratorCuts(n_photons=1, theta=(low, high), frame=Frame.CMS)
        assert cuts.passed(truth, collider).tolist() == [passes]
    for energy, passes in ((0.9999, True), (1.0001, False)):
        cuts = GeneratorCuts(n_photons=1, energy=energy, frame=Frame.CMS)
        assert cuts.passed(truth, collider).tolist() == [passes]


def test_frames_differ(collider: Collider):
    """A photon at a right angle in the centre of mass is ahead in the laboratory."""
    truth = in_centre_of_mass(math.pi / 2, 1.0, collider)
    ahead = {"n_photons": 1, "theta": (0.0, 1.4)}
    assert GeneratorCuts(**ahead).passed(truth, collider).tolist() == [True]
    assert GeneratorCuts(**ahead, frame="cms").passed(truth, collider).tolist() == [False]


# ---- what they do to a process -------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_efficiency_multiplies_the_cross_section(collider: Collider, *, weighted: bool):
    """Muons behind |cos| < c in the centre of mass: (3 c + c^3)/4 of 1 + cos^2."""
    c = math.cos(0.8)
    cuts = {"n_charged": 2, "theta": (0.8, math.pi - 0.8), "frame": "cms"}
    options = {"isr": False, "fsr": False, "weighted": weighted}
    seen, everything = (
        process.prepare(collider, np.random.default_rng(2))
        for process in (MuMu(cuts=cuts, **options), MuMu(**options))
    )
    share = (3 * c + c**3) / 4
    error = math.sqrt(share * (1 - share) / 20_000)
    assert seen.efficiencies["cuts"] == pytest.approx(share, abs=4 * error + 2e-4)
    found = seen.efficiencies["cuts"] * everything.cross_section.value
    assert seen.cross_section.value == pytest.approx(found)
    relative = seen.cross_section.error / seen.cross_section.value
    own = everything.cross_section.error / everything.cross_section.value
    assert relative == pytest.approx(math.hypot(own, error / share), rel=0.1)


@pytest.mark.parametrize(("name", "parameters"), [
    ("mumu-gamma", {"weighted": True}),
    ("mumu-zprime", {"mass": 1.0, "decay": "mumu", "ctau": 50.0, "reach": 5.0, "weighted": True}),
    ("mumu", {}),
])  # fmt: skip
def test_weights_are_one_on_average_behind_cuts(name: str, parameters: dict, collider: Collider):
    cuts = {"n_charged": 2, "theta": (0.6, 2.2), "energy": 1.0}
    generator = find_process(name)(**parameters, cuts=cuts).prepare(
        collider, np.random.default_rng(3)
    )
    weight = generator.generate(20_000, np.random.default_rng(4)).weight
    # The normalisation is that of as many events as pass in the pilot run.
    n_pilot = 20_000 * generator.efficiencies["cuts"]
    error = weight.std() * math.sqrt(1 / 20_000 + 2 / n_pilot)
    assert abs(weight.mean() - 1) <= 4 * error + 1e-9


# Process, parameters, cuts, share of the events that pass.
DECAYS = [
    ("tautau", {"minus": "e", "plus": "3pi"}, {"n_charged": 4}, 1.0),
    ("tautau", {"minus": "pi", "plus": "pi_pi0"}, {"n_photons": 2}, 1.0),
    ("b-to-k-scalar", {"mass": 1.0}, {"n_charged": 3}, 1.0),
    ("b-to-k-alp", {"mass": 1.0}, {"n_charged": 1, "n_photons": 2}, 1.0),
    ("b-to-k-alp", {"mass": 1.0, "kaon": "K*+"}, {"n_charged": 3}, 0.692 / 1.692),
]


@pytest.mark.parametrize(("name", "parameters", "cuts", "share"), DECAYS)
def test_what_decays_make_is_counted(
    name: str, parameters: dict, cuts: dict, share: float, collider: Collider
):
    """Of taus, B and K_S; a B that is left undecayed is no charged particle."""
    plain = {"isr": False, "fsr": False}
    generator = find_process(name)(**parameters, **plain, cuts=cuts).prepare(
        collider, np.random.default_rng(7)
    )
    error = math.sqrt(share * (1 - share) / 20_000)
    assert generator.efficiencies["cuts"] == pytest.approx(share, abs=4 * error + 1e-12)


def test_efficiencies_are_named(collider: Collider):
    names = [
        set(MuMu(**parameters).prepare(collider, np.random.default_rng(5)).efficiencies)
        for parameters in ({}, {"weighted": True}, {"cuts": {"n_charged": 1}})
    ]
    assert names == [{"unweighting"}, set(), {"unweighting", "cuts"}]


@pytest.mark.parametrize(
    "cuts",
    [
        {"n_charged": 3},
        {"n_charged": 1, "theta": 1.0},
        {"n_charged": 1, "energy": 9.0},
        {"n_photons": 5, "energy": 1.0},
    ],
)
def test_where_hardly_anything_passes(cuts: dict, collider: Collider):
    with pytest.raises(ConfigError) as caught:
        MuMu(cuts=cuts).prepare(collider, np.random.default_rng(6))
    text = str(caught.value)
    assert text.startswith("mumu: of 20000 events ")
    assert text.endswith(" pass the cuts, fewer than 10: loosen them")
