"""e+e- -> Y(4S) -> B Bbar, and what becomes of the B that nobody asks for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Final

import numpy as np

from darkbelle.gen.decays.mixing import mix
from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.particles import B0, B_PLUS, UPSILON_4S, species
from darkbelle.gen.processes.annihilation import AnnihilationProcess
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.resonance import Resonance, scalar_pair

__all__ = ["PRODUCED", "BeautyProcess", "b_pair", "upsilon"]

PRODUCED: Final = {B_PLUS: 0.5113, B0: 0.4861}
"""Shares of charged and neutral pairs in the decays of the Y(4S): HFLAV, arXiv:2411.18639."""
_WIDTH, _ELECTRON_WIDTH = 0.0205, 0.321e-6
"""Of the Y(4S) [GeV]: PDG 2024; BaBar, hep-ex/0405025, which makes 1.06 nb, as N_BB over the
luminosity of Belle II does, where the mean of PDG would make 0.90 nb."""


def upsilon(pdg_id: int) -> HardProcess:
    """e+e- -> Y(4S), where it decays to pairs of a B meson."""
    mass, own = (species(code).mass or 0.0 for code in (UPSILON_4S, pdg_id))
    return Resonance(mass, _WIDTH, _ELECTRON_WIDTH, own)


def b_pair(pdg_id: int, signal: Callable[[int], State]) -> Mode:
    """A Y(4S) whose decay to B and Bbar, of a kind, has a signal in either.

    ``signal`` makes that of the particle (1) and of the antiparticle (-1).
    """
    pairs = tuple(
        Mode(
            PRODUCED[pdg_id],
            (signal(sign), State.of(-sign * pdg_id)),
            correlation=scalar_pair,
        )
        for sign in (1, -1)
    )
    return Mode(1.0, (State(UPSILON_4S, None, Decay(0.0, pairs)),))


class BeautyProcess(AnnihilationProcess):
    """A process whose events may have a B besides the one that matters."""

    rest_of_event: Annotated[
        RestOfEvent, parameter("what the other B decays to: nothing, a toy, or as in Pythia 8")
    ] = RestOfEvent.NONE
    mixing: Annotated[bool, parameter("whether pairs of neutral B mesons oscillate")] = False

    @property
    @abstractmethod
    def beauty(self) -> int | None:
        """PDG code of the B mesons that come in pairs, None where there are none."""

    def check_physics(self) -> None:
        """What is said of the other B must mean something."""
        if self.beauty is None and self.rest_of_event is not RestOfEvent.NONE:
            msg = f"rest_of_event: no other B is in these events (got {self.rest_of_event})"
            raise ValueError(msg)
        if self.mixing and self.beauty != B0:
            msg = "mixing: no pairs of neutral B mesons are in these events, leave it out"
            raise ValueError(msg)

    def finish(self, truth: TruthEvents, rng: np.random.Generator) -> TruthEvents:
        """The rest of the event."""
        whole = self.rest_of_event(truth, rng, fsr=self.fsr)
        return mix(whole, rng) if self.mixing else whole
