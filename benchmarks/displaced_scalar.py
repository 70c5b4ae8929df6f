"""How the efficiency for a displaced S -> l+ l- falls with its lifetime, next to published limits.

Usage: python benchmarks/displaced_scalar.py

Belle II, arXiv:2306.02830: without background a limit is the inverse of the efficiency, so that
limits at two lifetimes and one mass give the ratio of efficiencies, here to that at ctau = 1 cm.
The prompt K(*) of B -> K(*) S cancels; S is shot with the momenta that it has there. Both leptons
must be found, with a vertex of flight above 0.05 cm along their momentum in the transverse plane
(inferred from the published lifetimes) and 3 standard deviations (ours). One sample of decay
lengths serves all lifetimes of a mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle import geometry
from darkbelle.detsim import RecoEvents, VertexStatus, simulate
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import ELECTRON, MUON, species
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of

FloatArray = npt.NDArray[np.float64]

MASS_B, MASS_K, MASS_KSTAR = 5.27941, 0.493677, 0.89556  # GeV
REFERENCE_CTAU = 1.0  # cm
MIN_FLIGHT, MIN_SIGNIFICANCE = 0.05, 3.0  # cm


@dataclass(frozen=True)
class Signal:
    """A lepton pair from S of one mass, in decays with one kaon [GeV]."""

    mass: float
    lepton: int = MUON
    kaon_mass: float = MASS_K


@dataclass(frozen=True)
class Published:
    """The efficiency at a lifetime [cm] over that at 1 cm."""

    row: str
    signal: Signal
    ctau: float
    value: float


LIGHT, GEV, HEAVY, HEAVIEST = Signal(0.3), Signal(1.0), Signal(3.5), Signal(4.5)
ELECTRONS, KSTAR = Signal(0.3, ELECTRON), Signal(1.0, kaon_mass=MASS_KSTAR)

ROWS = (
    Published("F01", LIGHT, 0.003, 0.144),
    Published("F02", LIGHT, 0.01, 0.504),
    Published("F04", LIGHT, 2.5, 0.743),
    Published("F05", LIGHT, 10, 0.321),
    Published("F06", LIGHT, 100, 0.0387),
    Published("F07", GEV, 0.01, 0.128),
    Published("F08", GEV, 0.025, 0.428),
    Published("F09", GEV, 0.1, 0.84),
    Published("F10", GEV, 10, 0.525),
    Published("F11", GEV, 100, 0.0828),
    Published("F17", HEAVY, 0.05, 0.0773),
    Published("F18", HEAVY, 0.1, 0.282),
    Published("F19", HEAVY, 0.25, 0.659),
    Published("F20", HEAVY, 5, 1.06),
    Published("F21", HEAVY, 25, 0.72),
    Published("F22", HEAVY, 100, 0.308),
    Published("F25", HEAVIEST, 0.5, 0.623),
    Published("F26", HEAVIEST, 10, 1.49),
    Published("F27", HEAVIEST, 100, 0.695),
    Published("F28", ELECTRONS, 0.005, 0.3),
    Published("F30", ELECTRONS, 10, 0.324),
    Published("F31", ELECTRONS, 100, 0.039),
    Published("F36", KSTAR, 0.025, 0.433),
    Published("F37", KSTAR, 0.1, 0.84),
    Published("F38", KSTAR, 10, 0.525),
    Published("F39", KSTAR, 100, 0.0835),
)


def scalars(signal: Signal, n: int, experiment: Experiment, rng: np.random.Generator) -> FloatArray:
    """Momenta of S from B mesons of the Y(4S) in the laboratory [GeV], shape (4, n)."""

    def angles() -> tuple[FloatArray, FloatArray]:
        return rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)

    beams = np.repeat(experiment.collider.four_momentum[:, None], n, axis=1)
    sqrt_s = np.full(n, experiment.collider.sqrt_s)
    b_meson, _ = two_body(sqrt_s, MASS_B, MASS_B, *angles())
    scalar, _ = two_body(np.full(n, MASS_B), signal.mass, signal.kaon_mass, *angles())
    return boost(scalar, boost(b_meson, beams))


def ratios(signal: Signal, ctaus: Sequence[float], n_events: int = 60_000) -> list[float]:
    """Efficiencies at some lifetimes over that at 1 cm."""
    experiment, rng = geometry.load("belle2"), np.random.default_rng(20_230_602)
    scalar = scalars(signal, n_events, experiment, rng)
    sampled = np.array([*ctaus, REFERENCE_CTAU])
    proper = rng.choice(sampled, n_events) * rng.standard_exponential(n_events)
    density = np.mean([np.exp(-proper / ctau) / ctau for ctau in sampled], axis=0)
    selected = _select(_shoot(signal, scalar, proper, experiment, rng))
    efficiency = [
        float(np.mean(selected * np.exp(-proper / ctau) / ctau / density)) for ctau in sampled
    ]
    return [value / efficiency[-1] for value in efficiency[:-1]]


def _shoot(
    signal: Signal,
    scalar: FloatArray,
    proper: FloatArray,
    experiment: Experiment,
    rng: np.random.Generator,
) -> RecoEvents:
    """Simulated pairs of leptons that start where S decays after proper lengths [cm]."""
    n_events = len(proper)
    mass = species(signal.lepton).mass or 0.0
    cosine, azimuth = rng.uniform(-1, 1, n_events), rng.uniform(-np.pi, np.pi, n_events)
    pair = two_body(np.full(n_events, signal.mass), mass, mass, cosine, azimuth)
    vertex = np.stack([*(scalar[1:] * proper / signal.mass), np.zeros(n_events)])
    slots = [
        Slot(code, Status.FINAL, Origin.PRIMARY, mass, boost(lepton, scalar), vertex)
        for code, lepton in zip((signal.lepton, -signal.lepton), pair, strict=True)
    ]
    truth = assemble(slots, np.ones(n_events), np.zeros((4, n_events)), None)
    return simulate(truth, experiment, rng=rng)


def _select(reco: RecoEvents) -> npt.NDArray[np.bool_]:
    """Events with a displaced vertex of the two leptons."""
    vertices, tracks = reco.vertices, reco.tracks
    event = event_of(reco.vertex_offsets)
    first = reco.track_offsets[event]
    are_leptons = (tracks.truth_index[first + vertices.track_plus] < 2) & (
        tracks.truth_index[first + vertices.track_minus] < 2
    )
    ahead = vertices.x * vertices.px + vertices.y * vertices.py
    flight = ahead / np.hypot(vertices.px, vertices.py)
    good = are_leptons & (vertices.fit_status == VertexStatus.OK)
    good &= (flight > MIN_FLIGHT) & (vertices.flight_xy_significance > MIN_SIGNIFICANCE)
    selected = np.zeros(reco.n_events, dtype=bool)
    selected[event[good]] = True
    return selected


def compared(n_events: int = 60_000) -> list[tuple[Published, float]]:
    """Every published row with the value found here."""
    found = []
    for signal in dict.fromkeys(row.signal for row in ROWS):
        rows = [row for row in ROWS if row.signal == signal]
        values = ratios(signal, [row.ctau for row in rows], n_events)
        found += list(zip(rows, values, strict=True))
    return found


def main() -> None:
    """Print the table."""
    print(f"{'row':4} {'mass/GeV':>8} {'ctau/cm':>8} {'published':>10} {'here':>8} {'ratio':>6}")
    for row, value in compared():
        print(
            f"{row.row:4} {row.signal.mass:8} {row.ctau:8} {row.value:10} {value:8.4f} "
            f"{value / row.value:6.2f}"
        )


if __name__ == "__main__":
    main()
