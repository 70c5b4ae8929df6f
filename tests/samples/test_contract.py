"""Every process on every card: generated, simulated, written to HDF5 and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from darkbelle import geometry, samples
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.gen import Outcome, Process, Status, TruthEvents
from darkbelle.gen.particles import CHARGED_REMAINDER, REMAINDER, charges
from darkbelle.gen.processes import EventGenerator, find_process, process_names
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.samples import production
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.tables import head, tabulate
from darkbelle.samples.observables import observables_of
from darkbelle.samples.pictures import PICTURES, NothingToDrawError, display
from darkbelle.samples.production import Run
from tests.pilot import short_pilot

CHUNK, N_EVENTS = 24, 20
WEIGHTED = {"weighted": True, "reach": 30.0}
CHARGED = {"n_charged": 1, "theta": (0.3, 2.6)}

# One set of parameters each; every kind of weight, cut and decay is somewhere among them.
PARAMETERS: dict[str, dict[str, Any]] = {
    "mumu-zprime": {"mass": 2.0, "decay": "mumu"},
    "mumu-scalar": {"mass": 0.5, "coupling": 1e-7, "cuts": CHARGED, **WEIGHTED},
    "mumu-alp": {"mass": 5.0, "decay": "any"},
    "tautau-scalar": {"mass": 0.15, "decay": "ee"},
    "dark-higgsstrahlung": {"m_ap": 1.0, "m_hp": 3.0},
    "inelastic-dark-matter": {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5, **WEIGHTED},
    "gamma-alp": {"mass": 0.3, "coupling": 1e-4},
    "gamma-darkphoton": {"mass": 1.0},
    "b-to-k-alp": {"mass": 0.3, "kaon": "K*+", **WEIGHTED},
    "b-to-k-scalar": {"mass": 0.5, "decay": "pipi", "kaon": "K*0", "rest_of_event": "toy"},
    "decay-chain": {"chain": {"parent": "D*+", "decays": {"D*+": "D0 pi+", "D0": "K- pi+"}}},
    "mumu": {},
    "mumu-gamma": {},
    "tautau": {},
    "tau-to-l-alpha": {"mass": 1.0, "tag": "three_prong"},
    "tau-to-pi-hnl": {"mass": 1.0, "ctau": 10.0, **WEIGHTED},
    "gammagamma": {"cuts": {"n_photons": 2, "theta": (0.3, 2.6)}},
    "ee-mumu": {},
    "bhabha": {"weighted": True},
    "pythia": {"carries": ("four_tracks",)},
    "particle-gun": {"p": (0.5, 2.0), "theta": (0.3, 2.6), "pdg_id": 310},
}


@cache
def load(card: str) -> Experiment:
    return geometry.load(card)


def prepare(run: Run, known: dict[tuple[str, ...], EventGenerator]) -> EventGenerator:
    """As `Run.prepare`, once for all cards with the same collider."""
    process, collider = run.process, run.experiment.collider
    key = process.name, process.model_dump_json(), collider.model_dump_json()
    if key not in known:  # a short pilot run finds a poor bound, which is enough for few events
        known[key] = process.prepare(collider, run.stream(0, production.Stage.PREPARE))
    return known[key]


@dataclass(frozen=True)
class Made:
    """What went into a file, and the file."""

    process: Process
    experiment: Experiment
    generator: EventGenerator
    truth: TruthEvents
    reco: RecoEvents
    sample: Sample


KNOWN: dict[tuple[str, ...], EventGenerator] = {}


@pytest.fixture(scope="module")
def all_made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Made]:
    """A process on a card, made once."""
    folder = tmp_path_factory.mktemp("made")
    return cache(lambda name, card: make(name, card, folder / f"{name}-{card}.h5"))


@pytest.fixture
def made(request: pytest.FixtureRequest, all_made: Callable[[str, str], Made]) -> Made:
    return all_made(*request.param)


def make(name: str, card: str, path: Path) -> Made:
    """By `produce` with a small chunk that is cut."""
    process, experiment = find_process(name)(**PARAMETERS[name]), load(card)
    run = Run(process, experiment, seed=3, chunk_size=CHUNK)
    seen = []

    def remember(truth: TruthEvents, *args: Any, **kwargs: Any) -> RecoEvents:
        seen.append((truth, simulate(truth, *args, **kwargs)))
        return seen[-1][1]

    with short_pilot():
        generator = prepare(run, KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(production, "simulate", remember)
        patch.setattr(Run, "prepare", lambda _: generator)
        samples.produce(run, path, n_events=N_EVENTS)
    ((truth, reco),) = seen
    return Made(process, experiment, generator, truth, reco, samples.open(path))


def check_header(made: Made) -> None:
    sample, generator = made.sample, made.generator
    assert len(sample) == N_EVENTS
    assert sample.process == made.process
    assert sample.experiment == made.experiment
    assert sample.cross_section == generator.cross_section
    assert (sample.cross_section is None) == (made.process.name == "particle-gun")
    assert sample.efficiencies == generator.efficiencies
    assert all(0 < share <= 1 for share in sample.efficiencies.values())
    weight = made.truth.weight[:N_EVENTS]
    np.testing.assert_array_equal(sample.column("events", "weight"), weight)
    assert sample.attributes["sum_w"] == pytest.approx(weight.sum(), rel=1e-12)
    assert sample.attributes["sum_w2"] == pytest.approx(np.sum(weight**2), rel=1e-12)
    assert np.any(weight != 1) == bool(getattr(made.process, "weighted", False))


def check_columns(made: Made) -> None:
    """Every column as it was, and the truth as in memory but for its width."""
    sample = made.sample
    observables = observables_of(made.process)
    tables = tabulate(made.truth, made.reco, experiment=made.experiment, observables=observables)
    for group, collection in head(tables, N_EVENTS).items():
        for name, values in collection.arrays.items():
            read = sample.column(group, name)
            assert read.dtype == values.dtype, (group, name)
            np.testing.assert_array_equal(read, values, err_msg=f"{group}/{name}")
        if collection.counts is not None:
            counts = np.diff(sample.column(group, "offsets"))
            np.testing.assert_array_equal(counts, collection.counts)
    particles = made.reco.truth.particles
    n_rows = made.reco.truth.offsets[N_EVENTS]
    for name in ("pdg_id", "status", "parent", "px", "x", "decay_t", "outcome"):
        values = getattr(particles, name)[:n_rows]
        np.testing.assert_allclose(sample.column("particles", name), values, rtol=1e-6)


def check_observables(made: Made) -> None:
    """All of them are there, NaN exactly where the flag of their set says so."""
    for observable_set in observables_of(made.process):
        (flag,) = (name for name in observable_set.columns if name.startswith("has_"))
        exists = made.sample.column("events", flag).astype(bool).reshape(N_EVENTS, -1)
        for name, described in observable_set.columns.items():
            values = made.sample.column("events", name)
            assert len(values) == N_EVENTS
            if described.dtype == "f4" and "cluster" not in name:
                missing = np.isnan(values).reshape(N_EVENTS, -1)
                expected = np.broadcast_to(~exists, missing.shape)
                np.testing.assert_array_equal(missing, expected, name)


def check_truth(made: Made) -> None:
    """Momentum is what the beams brought, every particle has an end, every object its particle."""
    sample = made.sample
    particles, tracks = sample.particles, sample.tracks
    is_final, is_beam = (particles.status == int(code) for code in (Status.FINAL, Status.BEAM))
    if sample.cross_section is not None:
        for name in ("px", "py", "pz", "e"):
            component = getattr(particles, name)
            left, brought = (ak.sum(component[which], axis=1) for which in (is_final, is_beam))
            np.testing.assert_allclose(left, brought, atol=2e-5)
    assert not np.any(ak.flatten(particles.outcome[is_final]) == int(Outcome.UNDETERMINED))
    undecayed = ak.flatten(particles.outcome == int(Outcome.UNDECAYED))
    kinds = {511, 521, REMAINDER, CHARGED_REMAINDER}
    assert set(abs(ak.flatten(particles.pdg_id)[undecayed])) <= kinds
    has_one = getattr(made.process, "rest_of_event", None) == "none"
    assert ak.sum(undecayed) == has_one * N_EVENTS
    owner = ak.flatten(particles[tracks.truth_index])
    np.testing.assert_array_equal(charges(ak.to_numpy(owner.pdg_id)), ak.flatten(tracks.charge))
    for group in ("tracks", "clusters", "klm_clusters"):
        index = sample.column(group, "truth_index")
        event = event_of(sample.column(group, "offsets"))
        assert np.all(index < ak.to_numpy(ak.num(particles))[event])


# What differs on another card is seen by signals with displaced muons, electrons and photons, by
# hadrons and by all that a B decays to; each variant of Belle II and Belle, which has the same
# parts, by two of these.
FEW = "mumu-scalar", "inelastic-dark-matter", "gamma-alp", "particle-gun", "b-to-k-scalar"
OTHERS = [card for card in geometry.names() if card != "belle2"]
CHOSEN = {
    card: FEW if card == "belle" else {FEW[i % len(FEW)], FEW[(i + 2) % len(FEW)]}
    for i, card in enumerate(OTHERS)
}
PAIRS = [
    *((name, "belle2") for name in PARAMETERS),
    *(
        pytest.param((name, card), marks=[] if name in chosen else pytest.mark.validation)
        for card, chosen in CHOSEN.items()
        for name in PARAMETERS
    ),
]


DRAWN_WHOLE = ("particle-gun", "gammagamma", "b-to-k-scalar")
"""Without tracks, without clusters, with vertices ..."""


def drawn_processes() -> Iterator[Any]:
    """Each set of observables is drawn for one process; for all others by `make validate`."""
    seen: set[str] = set()
    for name in dict.fromkeys([*DRAWN_WHOLE, *PARAMETERS]):
        new = {*find_process(name).observables} - seen
        seen |= new
        is_drawn = new or name in DRAWN_WHOLE
        yield pytest.param((name, "belle2"), marks=[] if is_drawn else pytest.mark.validation)


def test_every_process_has_its_parameters():
    assert sorted(PARAMETERS) == process_names()


@pytest.mark.parametrize("made", PAIRS, indirect=True, ids="-on-".join)
def test_what_is_written_is_read(made: Made):
    check_header(made)
    check_columns(made)
    check_observables(made)
    check_truth(made)


@pytest.mark.parametrize("made", list(drawn_processes()), indirect=True, ids="-on-".join)
def test_every_process_is_drawn(made: Made):
    """Without files, which take longest; of most, the observables and an event alone."""
    names = PICTURES if made.process.name in DRAWN_WHOLE else ["observables"]
    drawn = set()
    for name in names:
        with suppress(NothingToDrawError):
            PICTURES[name](made.sample)
            drawn.add(name)
    assert ("observables" in drawn) == bool(made.process.carried)
    assert display(made.sample, 3).axes
