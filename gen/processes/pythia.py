"""Backgrounds by Pythia 8: pairs of quarks, taus and B mesons with all that comes of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
from pydantic import BeforeValidator, model_validator

from darkbelle.errors import KinematicsError, did_you_mean
from darkbelle.gen.beams import sample_vertices
from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.events import CrossSection, TruthEvents
from darkbelle.gen.external.cleaning import truth_of
from darkbelle.gen.external.frames import moved_by, to_laboratory
from darkbelle.gen.external.pythia import events_of_pythia, start_pythia
from darkbelle.gen.particles import B0, B_PLUS, D0, MASS_TAU, UPSILON_4S, species
from darkbelle.gen.processes.base import EventGenerator, Process, parameter, split
from darkbelle.gen.processes.upsilon import PRODUCED, BeautyProcess, upsilon
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.resonance import scalar_pair
from darkbelle.geometry import Collider
from darkbelle.units import MeV

__all__ = ["FinalState", "PythiaEvents"]

_NB: Final = 1e6
"""fb"""
_AT: Final = 10.58
"""Where the cross-sections are known [GeV]: elsewhere they fall as 1/s."""
_LOWEST, _HIGHEST = 9.5, 11.5
_B_STAR: Final = 5.32471
"""Mass [GeV], PDG 2024: pairs of B and B* begin there, of which nobody here knows the share."""
_RESERVED: Final = ("beams:", "random:")
_TUNE: Final = (
    "StringFlav:etaSup = 0.27",
    "StringFlav:etaPrimeSup = 0.12",
    "StringFragmentation:stopMass = 0.3",
    "StringZ:aLund = 0.32",
    "StringZ:bLund = 0.62",
    "StringZ:rFactC = 1.0",
    "ParticleDecays:multIncrease = 4.5",
    "ParticleDecays:multIncreaseWeak = 2.0",
)
"""What Belle II sets for its continuum: basf2, generators/modules/fragmentation/data."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a virtual photon goes to.

    Attributes
    ----------
    codes
        Particle codes, as Pythia lists them.
    least_mass
        Least mass of the pair [GeV], below which beams that radiate do not bring it.
    cross_section
        At 10.58 GeV, with radiation off the beams [fb].
    """

    codes: str
    least_mass: float
    cross_section: CrossSection


_UDS = Pair("1 2 3", 1.0, CrossSection(2.39 * _NB, 0.21 * _NB))
_CHARM = Pair("4", 2 * (species(D0).mass or 0.0), CrossSection(1.30 * _NB, 0.03 * _NB))
_TAUS = Pair("15", 2 * MASS_TAU, CrossSection(0.919 * _NB, 0.003 * _NB))
"""KKMC: Belle II Physics Book, arXiv:1808.10567 (quarks, their errors what Pythia differs by: it
has 2.18 and 1.33 nb); arXiv:0706.3235 (taus, of which Pythia has 0.920 nb)."""


class FinalState(enum.StrEnum):
    """What is made."""

    QQBAR = "qqbar"
    UDS = "uds"
    CHARM = "charm"
    TAUTAU = "tautau"
    BBBAR = "bbbar"


_CONTINUUM: Final = {
    FinalState.QQBAR: (_UDS, _CHARM),
    FinalState.UDS: (_UDS,),
    FinalState.CHARM: (_CHARM,),
    FinalState.TAUTAU: (_TAUS,),
}


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _named(value: Any) -> Any:
    return _listed(split(value))


class PythiaEvents(Process):
    """e+e- to pairs of quarks, taus or B mesons by Pythia 8, with photons off the beams.

    Quarks and taus come from a virtual photon; B mesons from the Y(4S), which is ours, with mixing
    of the neutral ones, and Pythia lets them decay.
    """

    name: ClassVar[str] = "pythia"
    summary: ClassVar[str] = "e+e- -> q qbar, tau tau or B Bbar by Pythia 8, for backgrounds"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2203.11601 (Pythia 8.3)",
        "arXiv:1808.10567 (cross-sections)",
    )
    observables: ClassVar[tuple[str, ...]] = (
        *("dimuon_recoil", "four_tracks", "six_tracks", "track_pair", "two_vertices"),
        *("single_photon", "three_photons", "cluster_pair"),
        *("b_to_k_photons", "b_to_k_tracks", "b_to_k_recoil"),
        *("tau_one_prong", "tau_to_three_muons", "heavy_neutrino"),
    )

    final_state: Annotated[
        FinalState, parameter("qqbar: u, d, s and c; bbbar: B+ B- and B0 B0bar from the Y(4S)")
    ] = FinalState.QQBAR
    carries: Annotated[
        tuple[str, ...], BeforeValidator(_named), parameter("sets of observables that samples get")
    ] = ()
    settings: Annotated[
        tuple[str, ...],
        BeforeValidator(_listed),
        parameter("more settings, as Pythia reads them: 'StringZ:aLund = 0.6'"),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in self.carries:
            if name not in self.observables:
                msg = (
                    f"carries: unknown observables '{name}', {did_you_mean(name, self.observables)}"
                )
                raise ValueError(msg)
        if self.settings and self.final_state is FinalState.BBBAR:
            msg = "settings: the B mesons decay by Pythia's own tables, leave them out"
            raise ValueError(msg)
        for setting in self.settings:
            if setting.strip().lower().startswith(_RESERVED):
                msg = f"settings: '{setting}': beams are the collider's, seeds those of the sample"
                raise ValueError(msg)
        return self

    @property
    def carried(self) -> tuple[str, ...]:
        """Those that were asked for."""
        return self.carries

    @property
    def variant(self) -> str:
        """What is made."""
        return self.final_state.value

    @property
    def has_quoted_rate(self) -> bool:
        """Whether it is of the continuum; that of the Y(4S) is calculated."""
        return self.final_state is not FinalState.BBBAR

    def prepare(self, collider: Collider, rng: np.random.Generator) -> EventGenerator:
        """Make ready for one collider, cf. `Process.prepare`."""
        if self.final_state is FinalState.BBBAR:
            return _BPairs().prepare(_below_b_star(collider), rng)
        if not _LOWEST <= collider.sqrt_s <= _HIGHEST:
            raise KinematicsError(
                f"{self.name}: sqrt_s must lie between {_LOWEST} and {_HIGHEST} GeV, where its "
                f"cross-sections hold; {collider.name} has {collider.sqrt_s:.6g} GeV"
            )
        generator = PythiaGenerator(self, collider, _CONTINUUM[self.final_state])
        generator.generate(1, rng)  # wrong settings are to be told before the first event
        return generator


@dataclass(frozen=True, slots=True)
class PythiaGenerator:
    """Pairs off a virtual photon, at one collider."""

    process: PythiaEvents
    collider: Collider
    pairs: tuple[Pair, ...]
    efficiencies: Mapping[str, float] = field(default_factory=dict)

    @property
    def cross_section(self) -> CrossSection:
        """Of all pairs [fb]."""
        scale = (_AT / self.collider.sqrt_s) ** 2
        value = sum(pair.cross_section.value for pair in self.pairs)
        error = sum(pair.cross_section.error for pair in self.pairs)
        return CrossSection(scale * value, scale * error)

    def generate(self, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame, the pairs mixed as their cross-sections are."""
        shares = np.array([pair.cross_section.value for pair in self.pairs])
        numbers = rng.multinomial(n_events, shares / shares.sum())
        made = [self._of(*each, rng) for each in zip(self.pairs, numbers.tolist(), strict=True)]
        return TruthEvents.join(made).take(rng.permutation(n_events))

    def _of(self, pair: Pair, n_events: int, rng: np.random.Generator) -> TruthEvents:
        settings = (*_of_beams(self.collider), *_of_pair(pair), *_TUNE, *self.process.settings)
        pythia = start_pythia("events of Pythia", settings)
        raw = to_laboratory(events_of_pythia(pythia, n_events, rng), self.collider)
        vertices = sample_vertices(self.collider, n_events, rng)
        return truth_of(moved_by(raw, vertices), self.cross_section)


def _of_beams(collider: Collider) -> tuple[str, ...]:
    """Beams in the centre of mass of the nominal ones, where their spread is along them."""
    half = collider.sqrt_s / 2
    her = half * collider.spread_her_mev * MeV / collider.e_her_gev
    ler = half * collider.spread_ler_mev * MeV / collider.e_ler_gev
    return (
        "Beams:idA = 11",
        "Beams:idB = -11",
        "Beams:frameType = 2",
        f"Beams:eA = {half!r}",
        f"Beams:eB = {half!r}",
        f"Beams:allowMomentumSpread = {'on' if collider.beam_spread else 'off'}",
        f"Beams:sigmaPzA = {her!r}",
        f"Beams:sigmaPzB = {ler!r}",
    )


def _of_pair(pair: Pair) -> tuple[str, ...]:
    return (
        "WeakSingleBoson:ffbar2gmZ = on",
        "WeakZ0:gmZmode = 1",
        "23:mMin = 0.5",
        "23:onMode = off",
        f"23:onIfAny = {pair.codes}",
        f"PhaseSpace:mHatMin = {pair.least_mass!r}",
    )


class _BPairs(BeautyProcess):
    """e+e- -> Y(4S) -> B Bbar of both kinds, that nobody has looked at yet."""

    name: ClassVar[str] = PythiaEvents.name
    summary: ClassVar[str] = PythiaEvents.summary

    rest_of_event: RestOfEvent = RestOfEvent.PYTHIA
    mixing: bool = True

    @property
    def beauty(self) -> int:
        """That which has a mixing."""
        return B0

    def hard_process(self) -> HardProcess:
        """The Y(4S)."""
        return upsilon(B0)

    def final_states(self) -> tuple[Mode, ...]:
        """The Y(4S), which decays to B and Bbar."""
        pairs = tuple(
            Mode(share, (State.of(code), State.of(-code)), correlation=scalar_pair)
            for code, share in PRODUCED.items()
        )
        return (Mode(1.0, (State(UPSILON_4S, None, Decay(0.0, pairs)),)),)


def _below_b_star(collider: Collider) -> Collider:
    threshold = (species(B_PLUS).mass or 0.0) + _B_STAR
    if collider.sqrt_s > threshold:
        raise KinematicsError(
            f"pythia: bbbar needs sqrt_s < {threshold:.6g} GeV, as B B* pairs are not known here; "
            f"{collider.name} has {collider.sqrt_s:.6g} GeV"
        )
    return collider
