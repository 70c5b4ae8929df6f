"""Decay modes of dark states by the names that users give them."""

from __future__ import annotations

from typing import Final

import numpy as np

from darkbelle.gen.decays.amplitudes import VECTOR_TO_PIONS
from darkbelle.gen.decays.chi2 import Chi2Decay, LeptonPair, Sampler, ScalarPair
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.models.base import Model
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.inelastic import InelasticDarkMatter
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import (
    CHI1,
    ELECTRON,
    K_L,
    K_S,
    KAON,
    MUON,
    NU_MU,
    NU_TAU,
    PHOTON,
    PI0,
    PION,
    TAU,
    species,
)
from darkbelle.gen.phasespace import in_phase_space
from darkbelle.gen.production.base import Correlation
from darkbelle.gen.radiation import (
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    SCALARS_FROM_SCALAR,
    SCALARS_FROM_VECTOR,
    ChargedPair,
    Kernel,
)

__all__ = [
    "Modes",
    "chosen",
    "decaying",
    "leptons",
    "of_chi2",
    "of_dark_higgs",
    "of_dark_photon",
    "of_lmu_ltau",
    "photons",
    "with_lepton_pair",
]

Modes = dict[str, tuple[Mode, ...]]
"""Modes by the name of the choice that allows them."""

_PHI_REGION: Final = 1.06
"""GeV; below it the phi rules the decays to kaons, above K+ K- do: here all."""
LEPTONS: Final = {"ee": ELECTRON, "mumu": MUON, "tautau": TAU}


def chosen(
    modes: Modes, choice: str, name: str, mass: float, *, beside: float = 0.0
) -> tuple[Mode, ...]:
    """The open modes of a choice, which is one of their names or "any".

    The named mass is that of the parent, or by how much that exceeds the mass ``beside`` of a
    daughter that every mode has [GeV].

    Raises
    ------
    ValueError
        None is open; the message asks for a greater mass [GeV], by its name, or names the choices
        that are open.
    """
    candidates = [mode for key in modes if choice in (key, "any") for mode in modes[key]]
    found = tuple(mode for mode in candidates if mode.fraction > 0)
    if not found:
        threshold = min(sum(d.least_mass for d in mode.daughters) for mode in candidates) - beside
        if mass <= threshold:
            msg = f"decay to {choice} needs {name} > {threshold:.6g} GeV (got {mass:g})"
            raise ValueError(msg)
        is_open = {key: sum(mode.fraction for mode in modes[key]) > 0 for key in modes}
        names = ", ".join(key for key in modes if is_open[key])
        msg = f"no decay to {choice} at {name} = {mass:g} GeV, open: {names or 'none'}"
        raise ValueError(msg)
    return found


def decaying(
    pdg_id: int,
    model: Model,
    mass: float | None,
    modes: tuple[Mode, ...],
    ctau: float | tuple[float, float] | None = None,
    parameter: str | None = "ctau",
) -> State:
    """A dark state with the lifetime of its model, or another one, or those of a range [cm].

    ``parameter`` is the one that sets it, None where none does.
    """
    if isinstance(ctau, tuple):
        shortest, longest = ctau
        return State(pdg_id, mass, Decay(longest, modes, shortest, parameter))
    own = model.ctau if ctau is None else ctau
    return State(pdg_id, mass, Decay(own, modes, parameter=parameter))


def leptons(model: Model, kernel: Kernel, correlation: Correlation | None = None) -> Modes:
    """Pairs of those charged leptons that the model knows."""
    known = model.widths()
    return {
        name: (Mode.to_pair(model.branching_fraction(name), code, kernel, correlation),)
        for name, code in LEPTONS.items()
        if name in known
    }


def photons(model: Model) -> Modes:
    """Two photons from a boson without spin."""
    photon = State.of(PHOTON)
    return {"gammagamma": (Mode(model.branching_fraction("gammagamma"), (photon, photon)),)}


def with_lepton_pair(lepton: int, boson: State) -> Mode:
    """What `emission.LeptonPairAndBoson` makes: l-, l+, which radiate photons, and the boson."""
    pair = ChargedPair(0, 1, FERMIONS_FROM_VECTOR)
    return Mode(1.0, (State.of(lepton), State.of(-lepton), boson), pair=pair)


def of_lmu_ltau(model: LmuLtau, correlation: Correlation | None) -> Modes:
    """A Z' into leptons, and into what leaves unseen: neutrinos, and chi if there is one."""
    unseen = [(NU_MU, "nu_mu", 0.0), (NU_TAU, "nu_tau", 0.0)]
    if model.m_chi is not None:
        unseen.append((CHI1, "chichi", model.m_chi))
    return leptons(model, FERMIONS_FROM_VECTOR, correlation) | {
        "invisible": tuple(
            Mode(
                model.branching_fraction(mode),
                (State(code, mass), State(-code, mass)),
                correlation=correlation,
            )
            for code, mode, mass in unseen
        )
    }


def of_dark_photon(
    model: DarkPhoton, fermions: Correlation | None, scalars: Correlation | None
) -> Modes:
    """An A' into what it mixes with: leptons, and hadrons of two or three bodies."""
    branching = model.branching_fraction
    charged_kaons = _charged_kaons(model.mass)
    neutral_kaons = Mode(
        (1 - charged_kaons) * branching("KK"), (State.of(K_S), State.of(K_L)), correlation=scalars
    )
    pions = tuple(State.of(code) for code in (-PION, PION, PI0))
    three_pions = Mode(
        branching("pipipi0"),
        pions,
        in_phase_space([pion.least_mass for pion in pions], VECTOR_TO_PIONS),
        correlation=scalars,
        pair=ChargedPair(0, 1, SCALARS_FROM_VECTOR),
    )

    def to_pair(fraction: float, code: int) -> tuple[Mode, ...]:
        return (Mode.to_pair(fraction, code, SCALARS_FROM_VECTOR, scalars),)

    return {
        **leptons(model, FERMIONS_FROM_VECTOR, fermions),
        "pipi": to_pair(branching("pipi"), PION),
        "pipipi0": (three_pions,),
        "KK": (*to_pair(charged_kaons * branching("KK"), KAON), neutral_kaons),
    }


def _charged_kaons(mass: float) -> float:
    """Share of K+ K- in the decays to kaons of an A' of this mass [GeV]; estimate.

    Up to the phi region that of equal couplings in a p-wave, the cube of the momentum.
    """
    if mass >= _PHI_REGION:
        return 1.0
    kaons = np.array([State.of(code).least_mass for code in (KAON, K_S)])
    charged, neutral = breakup_momentum(np.array(mass), kaons, kaons) ** 3
    return float(charged / (charged + neutral)) if charged else 1.0


def of_dark_higgs(model: DarkHiggs) -> Modes:
    """An h' into what it mixes with: leptons, pions, kaons."""
    branching = model.branching_fraction
    short, long = State.of(K_S), State.of(K_L)
    neutral_kaons = branching("K0K0") / 2
    neutral_pions = Mode(branching("pi0pi0"), (State.of(PI0), State.of(PI0)))
    return {
        **leptons(model, FERMIONS_FROM_SCALAR),
        "pipi": (Mode.to_pair(branching("pipi"), PION, SCALARS_FROM_SCALAR),),
        "pi0pi0": (neutral_pions,),
        "KK": (Mode.to_pair(branching("KK"), KAON, SCALARS_FROM_SCALAR),),
        "K0K0": (Mode(neutral_kaons, (short, short)), Mode(neutral_kaons, (long, long))),
    }


def of_chi2(model: InelasticDarkMatter) -> Modes:
    """A chi2 into chi1 and a pair of charged particles."""

    def to_pair(name: str, code: int) -> tuple[Mode, ...]:
        minus = code if species(code).charge < 0 else -code
        daughters = State(CHI1, model.m_chi1), State.of(minus), State.of(-minus)
        fraction = model.branching_fraction(name)
        if fraction == 0:
            return (Mode(0.0, daughters),)
        mass = daughters[1].least_mass
        leptonic = name in LEPTONS
        pair = LeptonPair(mass) if leptonic else ScalarPair(mass)
        decay = Chi2Decay(model, name, pair)
        kernel = FERMIONS_FROM_VECTOR if leptonic else SCALARS_FROM_VECTOR
        charged = ChargedPair(1, 2, kernel)
        return (Mode(fraction, daughters, Sampler.of(decay), pair=charged),)

    return {
        **{name: to_pair(name, code) for name, code in LEPTONS.items()},
        "pipi": to_pair("pipi", PION),
    }
