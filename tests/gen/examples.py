"""Parameter sets of every process, which between them generate each of its decay modes."""

from __future__ import annotations

from typing import Any, get_args

from darkbelle.gen.processes.tau import TauDecays

TOGETHER: dict[str, Any] = {"weighted": True, "reach": 30.0}
"""Every kind of weight at once, where something flies."""
_SEEN = {"n_charged": 2, "theta": (0.3, 2.6)}
_PHOTON = {"n_photons": 1, "theta": (0.3, 2.8), "energy": 0.5, "frame": "cms"}


def _each(decays: dict[str, float], mass: str = "mass", **others: Any) -> list[dict[str, Any]]:
    """A set a decay, each with the value of the mass that opens it."""
    return [{mass: value, "decay": decay, **others} for decay, value in decays.items()]


def _chain(parent: str, daughters: str, **others: str) -> dict[str, Any]:
    return {"parent": parent, "decays": {parent: daughters, **others}}


_OSCILLATING = {"rest_of_event": "toy", "mixing": True}
_IDM = {"m_chi1": 1.0, "delta": 0.4, "m_ap": 3.0, "m_hp": 0.5}
_LEPTONIC = {"ee": 0.15, "mumu": 0.5, "tautau": 4.0, "gammagamma": 0.15, "any": 3.7}
_MIXED = {"ee": 0.1, "mumu": 0.5, "pipi": 0.7, "pipipi0": 0.9, "KK": 1.03, "any": 1.03}

_TAU = get_args(TauDecays)

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "mumu-zprime": [
        {"mass": 1.0, "ctau": 10.0},
        {"mass": 1e-4, "ctau": 0.0, "isr": False},
        {"mass": 9.0, "m_chi": 2.0, "coupling": 0.5, "fsr": False},
        *_each({"mumu": 0.25, "tautau": 3.6, "any": 5.0}, coupling=1e-5, m_chi=0.1),
        {"mass": 2.0, "decay": "mumu", "ctau": 20.0, "cuts": _SEEN, **TOGETHER},
    ],
    "mumu-scalar": [
        *_each(_LEPTONIC | {"invisible": 2.0}, couples_to="leptons", coupling=1.0),
        *_each({"gammagamma": 0.15, "mumu": 8.0}, couples_to="muons"),
        {"mass": 0.5, "coupling": 1e-7, "cuts": _SEEN, **TOGETHER},
    ],
    "mumu-alp": [
        *_each(_LEPTONIC | {"invisible": 2.0}),
        {"mass": 0.5, "coupling": 1e-6, "cuts": _SEEN, **TOGETHER},
    ],
    "tautau-scalar": [
        *_each(_LEPTONIC),
        {"mass": 0.05, "vacuum_polarisation": True, "cuts": {"n_charged": 1}, **TOGETHER},
    ],
    "dark-higgsstrahlung": [
        *_each(_MIXED | {"tautau": 4.0}, "m_ap", m_hp=0.05),
        *_each(_MIXED, "m_ap", m_hp=2.5),
        {"m_ap": 0.3, "m_hp": 1.0, "ctau": 5.0, "cuts": _SEEN, **TOGETHER},
    ],
    "inelastic-dark-matter": [
        _IDM,
        *_each({"mumu": 0.4, "pipi": 0.4, "any": 0.5}, "delta", **(_IDM | {"decay_hp": "ee"})),
        {**_IDM, "delta": 4.0, "m_chi1": 0.5, "m_ap": 6.0, "decay": "tautau"},
        {**_IDM, "m_hp": 3.7, "m_chi1": 2.0, "m_ap": 5.0, "decay_hp": "tautau"},
        *(_IDM | {"decay_hp": decay} for decay in ("pipi", "pi0pi0")),
        *(_IDM | {"m_hp": 1.2, "decay_hp": decay} for decay in ("KK", "K0K0", "any")),
        {**_IDM, "isr": False, "fsr": False},
        {**_IDM, "m_ap": 12.0},
        {**_IDM, "cuts": _SEEN, **TOGETHER},
    ],
    "gamma-alp": [
        *_each({"gammagamma": 0.3, "invisible": 1.0}),
        {"mass": 0.05, "coupling": 1e-4, "cuts": _PHOTON, **TOGETHER},
    ],
    "gamma-darkphoton": [
        {"mass": 1.0},
        *_each(_MIXED | {"tautau": 4.0}),
        {"mass": 0.05, "decay": "ee", "coupling": 1e-5, "cuts": _PHOTON, **TOGETHER},
    ],
    "mumu": [{}, {"fsr": False}, {"cuts": _SEEN, "weighted": True}],
    "tautau": [
        {"fsr": False, "isr": False},
        *({"minus": i, "plus": j} for i, j in zip(_TAU, reversed(_TAU), strict=True)),
        {"minus": "mu", "plus": "3pi", "cuts": _SEEN, **TOGETHER},
    ],
    "tau-to-l-alpha": [
        {"mass": 0.0, "chirality": "V-A", "fsr": False},
        {"mass": 1.2, "lepton": "mu", "cuts": _SEEN, **TOGETHER},
        *({"mass": 0.3, "chirality": "V+A", "tag": tag} for tag in _TAU),
    ],
    "tau-to-pi-hnl": [
        {"mass": 1.0, "ctau": 10.0},
        {"mass": 0.5, "nature": "majorana", "tag": "hadronic", "cuts": _SEEN, **TOGETHER},
        {"mass": 1.6, "decay": "ee", "u2_tau": 0.1, "fsr": False},
        *({"mass": 0.5, "tag": tag} for tag in _TAU),
    ],
    "b-to-k-alp": [
        {"mass": 0.3},
        {"mass": 4.0, "kaon": "K_S"},
        {"mass": 0.5, "kaon": "K*0", "form_factors": "z", **_OSCILLATING},
        {"mass": 0.2, "kaon": "K*+", "coupling": 1e-6, "cuts": _PHOTON, **TOGETHER},
        {"mass": 1.0, "decay": "invisible", "rest_of_event": "toy"},
    ],
    "b-to-k-scalar": [
        *_each({"ee": 0.03, "mumu": 0.3, "pipi": 0.5, "KK": 1.2, "tautau": 3.8}, kaon="K*0"),
        {"mass": 4.0, "decay": "KK", "branching_fraction": 1e-7, "ctau": 1.0, "kaon": "K*+"},
        {"mass": 1.0, "couples_like": "alp", "rest_of_event": "toy"},
        {"mass": 2.0, "decay": "invisible", "kaon": "K_S", "form_factors": "z"},
        {"mass": 1.0, "ctau": 100.0, "cuts": _SEEN, **TOGETHER},
    ],
    "decay-chain": [
        {"chain": _chain("B+", "J/psi K+", **{"J/psi": "mu+ mu-"})},
        {"chain": _chain("B0", "phi K_S0", phi="K+ K-", K_S0="pi+ pi-"), **_OSCILLATING},
        {"chain": _chain("D*+", "D0 pi+", D0="K- pi+"), "cuts": _SEEN, "weighted": True},
        {"chain": _chain("tau-", "mu- mu+ mu-"), "fsr": False},
        {"chain": _chain("K_S0", "pi+ pi-"), "p": (0.5, 2.0), "reach": 1.0},
    ],
    "mumu-gamma": [{}, {"isr": True, "fsr": True}, {"cuts": _PHOTON, "weighted": True}],
    "gammagamma": [{}, {"cuts": _PHOTON, "weighted": True}],
    "ee-mumu": [{}, {"fsr": False}, {"w_min": 0.0, "cuts": {"n_charged": 1}, "weighted": True}],
    "bhabha": [{}, {"vacuum_polarisation": False, "cuts": _SEEN, "weighted": True}],
    "pythia": [{}, {"final_state": "tautau"}, {"final_state": "bbbar"}],
    "particle-gun": [
        {"p": (0.5, 2.0), "theta": (0.3, 2.6)},
        {"pt": 1.0, "theta": 1.0, "pdg_id": 310},
    ],
}
CASES = [(name, i) for name, sets in EXAMPLES.items() for i in range(len(sets))]
"""Name of the process and number of the set, of each example."""
