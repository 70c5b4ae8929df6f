"""Weights of other lifetimes: the ratio of exponentials by the truth, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.particles import A_PRIME, CHI2, DARK_HIGGS, SCALAR
from darkbelle.samples import Sample, lifetime_weights
from darkbelle.samples.efficiency.lifetimes import Flown
from darkbelle.units import C
from tests.samples.flying import write

IDM = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5}


@pytest.fixture(scope="module")
def scalars(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, TruthEvents]:
    """Of 0.01 to 100 cm."""
    folder = tmp_path_factory.mktemp("scalars")
    return write(folder / "s.h5", "b-to-k-scalar", {"mass": 1.0, "ctau": (0.01, 100.0)}, n=4000)


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, TruthEvents]:
    """Inelastic dark matter: chi2 of 3 cm, h' of what its model says."""
    return write(
        tmp_path_factory.mktemp("dark") / "d.h5", "inelastic-dark-matter", IDM | {"ctau": 3}
    )


def ratio(truth: TruthEvents, pdg_id: int, before: float, after: float) -> np.ndarray:
    """Of exponentials by the flight in space, in double precision; a product in each event."""
    p, factors = truth.particles, np.ones(truth.n_events)
    rows = np.flatnonzero(p.pdg_id == pdg_id)
    flight = np.sqrt(sum((getattr(p, f"decay_{a}") - getattr(p, a))[rows] ** 2 for a in "xyz"))
    proper = flight * p.mass[rows] / np.sqrt(p.px**2 + p.py**2 + p.pz**2)[rows]
    each = (np.exp(-proper / after) / after) / (np.exp(-proper / before) / before)
    np.multiply.at(factors, truth.event_index()[rows], each)
    return factors


def test_true_flights(scalars: tuple[Sample, TruthEvents]):
    """As in the truth, which has its momenta in double precision; each event has one."""
    sample, truth = scalars
    flown, p = Flown.of(sample, SCALAR), truth.particles
    rows = np.flatnonzero(p.pdg_id == SCALAR)
    assert np.array_equal(flown.event, np.arange(len(sample)))
    assert flown.momentum == pytest.approx(np.sqrt(p.px**2 + p.py**2 + p.pz**2)[rows], rel=1e-6)
    assert flown.decay_radius == pytest.approx(np.hypot(p.decay_x, p.decay_y)[rows], rel=1e-12)
    assert flown.decay_length == pytest.approx(
        flown.proper_length * flown.momentum / p.mass[rows], rel=1e-5, abs=1e-9
    )
    proper = (C * (p.decay_t - p.t) * p.mass / p.e)[rows]
    assert flown.proper_length == pytest.approx(proper, rel=1e-6)


def test_blocks_of_the_particle_table_are_joined(scalars, monkeypatch):
    sample, _ = scalars
    whole = Flown.of(sample, SCALAR)
    monkeypatch.setattr("darkbelle.samples.files.reading.CHUNK_ROWS", 777)
    pieces = Flown.of(sample, SCALAR)
    for name in Flown.__slots__:
        assert np.array_equal(getattr(whole, name), getattr(pieces, name))


@pytest.mark.parametrize("ctau", [0.01, 0.3, 20.0, 100.0, 149.0])
def test_a_range_serves_every_lifetime(ctau: float, scalars: tuple[Sample, TruthEvents]):
    """The factors are the ratio; with the weights, the mean proper length is ctau."""
    sample, truth = scalars
    factors = lifetime_weights(sample, ctau=ctau)
    assert factors == pytest.approx(ratio(truth, SCALAR, 100.0, ctau), rel=1e-5, abs=1e-20)
    weight = sample.column("events", "weight") * factors
    proper = Flown.of(sample, SCALAR).proper_length
    for value, expected in (
        (np.ones(len(sample)), 1.0),
        (np.minimum(proper / ctau, 1), 1 - 1 / np.e),
    ):
        error = np.std(weight * value) / np.sqrt(len(sample))
        assert abs(np.mean(weight * value) - expected) < 4 * error
    assert abs(weight.mean() - 1) < 0.2


def test_one_lifetime_serves_shorter_ones(dark: tuple[Sample, TruthEvents]):
    sample, truth = dark
    assert lifetime_weights(sample, ctau=3.0) == pytest.approx(1, rel=1e-12)
    shorter = lifetime_weights(sample, ctau=2.0)
    assert shorter == pytest.approx(ratio(truth, CHI2, 3.0, 2.0), rel=1e-5)


def test_lifetimes_of_models_and_of_two_particles(dark: tuple[Sample, TruthEvents]):
    """Without a parameter it is the lifetime of the model that is sampled."""
    sample, truth = dark
    own = sample.process.higgs_model.ctau
    one = lifetime_weights(sample, ctau_hp=0.7 * own)
    assert one == pytest.approx(ratio(truth, DARK_HIGGS, own, 0.7 * own), rel=1e-5)
    both = lifetime_weights(sample, ctau=2.0, ctau_hp=0.7 * own)
    assert both == pytest.approx(one * lifetime_weights(sample, ctau=2.0), rel=1e-12)


def test_several_of_a_kind(tmp_path: Path):
    """Three A' an event."""
    parameters = {"m_ap": 0.3, "m_hp": 1.0, "ctau": 1.0}
    sample, truth = write(tmp_path / "x.h5", "dark-higgsstrahlung", parameters, n=300)
    assert np.all(np.bincount(Flown.of(sample, A_PRIME).event) == 3)
    found = lifetime_weights(sample, ctau=0.8)
    assert found == pytest.approx(ratio(truth, A_PRIME, 1.0, 0.8), rel=1e-5)


@pytest.mark.parametrize(
    ("ctau", "message"),
    [
        ({"ctau": 151.0}, "ctau = 151 cm is more than 1.5 times the longest of the sample, 100 cm"),
        ({"ctau": 0.0}, "ctau must be positive and finite (got 0.0 cm)"),
        ({"ctau": np.nan}, "ctau must be positive and finite (got nan cm)"),
        ({"ctau_hp": 1.0}, "b-to-k-scalar has no lifetime 'ctau_hp', did you mean 'ctau'?"),
        ({"ctau": 1e-5}, "at ctau = 1e-05 cm it is worth "),
    ],
)
def test_what_is_refused(ctau: dict, message: str, scalars: tuple[Sample, TruthEvents]):
    with pytest.raises(ConfigError) as caught:
        lifetime_weights(scalars[0], **ctau)
    assert message in str(caught.value)


def test_the_least_of_effective_events_is_a_choice(scalars: tuple[Sample, TruthEvents]):
    sample, _ = scalars
    with pytest.raises(ConfigError, match=r"fewer than 3000: produce more, or sample a range of"):
        lifetime_weights(sample, ctau=1.0, least_effective=3000)
    weight = sample.column("events", "weight") * lifetime_weights(
        sample, ctau=1e-3, least_effective=1
    )
    assert 1 < weight.sum() ** 2 / np.sum(weight**2) < 100


def test_prompt_and_unseen(tmp_path: Path):
    prompt, _ = write(tmp_path / "p.h5", "b-to-k-scalar", {"mass": 1.0, "ctau": 0.0}, n=3)
    with pytest.raises(ConfigError, match=r"than 1\.5 times the longest of the sample, 0 cm"):
        lifetime_weights(prompt, ctau=1.0)
    unseen = {"mass": 1.0, "decay": "invisible"}
    sample, _ = write(tmp_path / "u.h5", "b-to-k-scalar", unseen, n=3)
    with pytest.raises(ConfigError, match="has no lifetime 'ctau', known: none"):
        lifetime_weights(sample, ctau=1.0)


def test_no_events(tmp_path: Path):
    parameters = {"mass": 1.0, "ctau": (0.1, 1.0)}
    sample, _ = write(tmp_path / "x.h5", "b-to-k-scalar", parameters, n=0)
    assert lifetime_weights(sample, ctau=0.5).shape == (0,)
