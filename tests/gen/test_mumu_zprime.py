"""The Z' process: its parameters, what it refuses, how its events are laid out.

Distributions are in ``tests/physics/test_zprime_closure.py``, cross-sections in
``tests/reference``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen import MuMuZPrime, Origin, Outcome, Status
from darkbelle.geometry import Collider


def test_defaults():
    process = MuMuZPrime(mass=1.0)
    assert process.isr
    assert process.ctau is None
    assert process.model.coupling == 1e-3


def test_command_line_texts():
    process = MuMuZPrime(mass="1.5", coupling="1e-2", isr="false", m_chi="0.2", ctau="3")
    assert process == MuMuZPrime(mass=1.5, coupling=0.01, isr=False, m_chi=0.2, ctau=3.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "mass: Field required"),
        ({"mass": math.nan}, "mass: Input should be a finite number (got nan)"),
        ({"mass": math.inf}, "mass: Input should be a finite number (got inf)"),
        ({"mass": -1.0}, "mass: Input should be greater than "),
        ({"mass": 0}, "mass: Input should be greater than "),
        ({"mass": "heavy"}, "mass: "),
        ({"mass": 1, "coupling": 0}, "coupling: Input should be greater than 0"),
        ({"mass": 1, "coupling": 4}, "coupling: Input should be less than or equal to 3.54"),
        ({"mass": 1, "coupling": math.nan}, "coupling: "),
        ({"mass": 1, "m_chi": -0.1}, "m_chi: Input should be greater than 0"),
        ({"mass": 1, "m_chi": math.nan}, "m_chi: "),
        ({"mass": 1, "g_chi": math.nan}, "g_chi: "),
        ({"mass": 1, "ctau": -1}, "ctau: Input should be greater than or equal to 0"),
        ({"mass": 1, "ctau": math.nan}, "ctau: "),
        (
            {"mass": 1, "decay": "visible"},
            "decay: Input should be 'invisible', 'mumu', 'tautau' or 'any'",
        ),
        ({"mass": 0.2, "decay": "mumu"}, "decay to mumu needs mass > 0.211317 GeV (got 0.2)"),
        ({"mass": 3, "decay": "tautau"}, "decay to tautau needs mass > 3.55386 GeV (got 3)"),
        ({"mass": 1, "isr": "maybe"}, "isr: "),
        ({"mass": 1, "couplng": 1}, "unknown key 'couplng', did you mean 'coupling'?"),
        ({"mass": 1, "spin": 1}, "unknown key 'spin', known: coupling, ctau, cuts"),
    ],
)
def test_bad_input(parameters: dict, message: str):
    with pytest.raises(ConfigError) as caught:
        MuMuZPrime(**parameters)
    text = str(caught.value)
    assert text.startswith("mumu-zprime: ")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize("mass", [10.4, 50.0])
def test_too_heavy_for_the_collider(mass: float, collider: Collider):
    with pytest.raises(KinematicsError, match="mumu-zprime: needs sqrt_s > ") as caught:
        MuMuZPrime(mass=mass).prepare(collider, np.random.default_rng(81))
    for part in (f"> {mass + 0.2113:.4f}"[:5], "SuperKEKB has 10.5796 GeV", "mass < 10.368 GeV"):
        assert part in str(caught.value)


def test_a_broad_one_gives_a_warning(caplog: pytest.LogCaptureFixture):
    """coupling^2/(4 pi) of the mass where all decays are open."""
    MuMuZPrime(mass=9.0, coupling=0.3)
    assert not caplog.records
    MuMuZPrime(mass=9.0, coupling=0.4)
    assert "mumu-zprime: the width, 0.114 GeV, exceeds 0.01 of the mass" in caplog.text


@pytest.mark.parametrize("m_chi", [0.5, 0.7])
def test_chi_too_heavy_for_the_zprime(m_chi: float):
    with pytest.raises(ConfigError, match=f"m_chi = {m_chi} GeV exceeds half of mass = 1.0 GeV"):
        MuMuZPrime(mass=1.0, m_chi=m_chi)


def test_layout_of_events(collider: Collider):
    """Beams, perhaps a photon, mu-, mu+, Z', and the two of the decay, in this order."""
    process = MuMuZPrime(mass=1.0, m_chi=0.3, coupling=1.0, fsr=False)
    events = process.generate(collider, 200, np.random.default_rng(83))
    p = events.particles
    photons = np.diff(events.offsets) == 8
    assert np.all(np.diff(events.offsets) == np.where(photons, 8, 7))
    assert 100 < photons.sum() < 200
    for i in range(events.n_events):
        at = slice(events.offsets[i], events.offsets[i + 1])
        codes = p.pdg_id[at].tolist()
        boson = codes.index(55)
        assert codes[:-2] == [11, -11, *([22] if photons[i] else []), 13, -13, 55]
        assert codes[-2] == -codes[-1]
        assert codes[-2] in (14, 16, 52)
        assert p.parent[at].tolist() == [-1] * (boson + 1) + [boson] * 2
        assert p.status[at].tolist() == [4, 4, *([1] if photons[i] else []), 1, 1, 2, 1, 1]
        assert p.mass[at][-1] == (0.3 if codes[-2] == 52 else 0)
    boson = p.pdg_id == 55
    assert np.all(p.outcome[boson] == Outcome.DECAYED)
    assert np.all(p.status[boson] == Status.DECAYED)
    assert np.all(p.origin[p.parent >= 0] == Origin.DECAY)
    assert np.all(p.origin[np.abs(p.pdg_id) == 13] == Origin.PRIMARY)


def test_cross_section_scales_with_the_coupling(collider: Collider):
    """Same seed, same weights: a factor of four, apart from the branching fraction."""
    small, large = (
        MuMuZPrime(mass=0.1, coupling=g).cross_section(collider, np.random.default_rng(84))
        for g in (0.01, 0.02)
    )
    assert large.value == pytest.approx(4 * small.value)
    assert large.error == pytest.approx(4 * small.error)


def test_chi_takes_its_share_of_the_branching_fraction(collider: Collider):
    """With a strong coupling to chi nearly every Z' is invisible; without, half are."""
    without, with_chi = (
        MuMuZPrime(mass=1.0, m_chi=m_chi, g_chi=1.0).cross_section(
            collider, np.random.default_rng(85)
        )
        for m_chi in (None, 0.1)
    )
    assert without.value / with_chi.value == pytest.approx(0.50018987, rel=1e-5)


def test_lightest_mass(sharp_collider: Collider):
    """Flights are right at 0.1 MeV, where E^2/M^2 is 3e9; a smaller mass is refused."""
    process = MuMuZPrime(mass=1e-4, ctau=1.0, isr=False)
    p = process.generate(sharp_collider, 2000, np.random.default_rng(86)).particles
    boson = p.pdg_id == 55
    length = np.sqrt((p.decay_x - p.x) ** 2 + (p.decay_y - p.y) ** 2 + (p.decay_z - p.z) ** 2)[
        boson
    ]
    momentum = np.sqrt(p.px**2 + p.py**2 + p.pz**2)[boson]
    assert stats.kstest(length * 1e-4 / momentum, "expon").pvalue > 1e-4
    with pytest.raises(ConfigError, match="mass: Input should be greater than or equal to"):
        MuMuZPrime(mass=9e-5)
