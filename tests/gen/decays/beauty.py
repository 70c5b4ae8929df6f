"""Events of one B meson each, and what they are made of after it has decayed."""

from __future__ import annotations

import numpy as np

from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import species

CHARGED = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)


def mesons(pdg_id: int, n: int, seed: int = 1) -> TruthEvents:
    """B mesons of 0.33 GeV in all directions, away from the origin, beside a final muon."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(2, 3, n))
    p = 0.33 * direction / np.linalg.norm(direction, axis=1)[:, None]
    start = rng.normal(size=(4, n))
    slots = []
    for code, q in zip((13, pdg_id), p, strict=True):
        mass = species(code).mass
        momentum = np.stack([np.sqrt(mass**2 + np.sum(q**2, axis=0)), *q])
        slots.append(Slot(code, Status.FINAL, Origin.PRIMARY, mass, momentum, start))
    return assemble(slots, np.arange(n, dtype=float), start, None)


def contents(truth: TruthEvents) -> dict[str, float]:
    """Means over events; the columns of decays_roe_multiplicity.csv."""
    p, event, n = truth.particles, truth.event_index(), truth.n_events
    size, of_meson = np.abs(p.pdg_id), p.parent >= 0
    final = (p.status == Status.FINAL) & of_meson
    charged = final & np.isin(size, CHARGED)
    lepton = final & np.isin(size, (11, 13)) & (p.parent == 1)
    tau = (size == 15) & (p.parent == 1)
    semileptonic = np.bincount(event[lepton], minlength=n) > 0
    tauonic = np.bincount(event[tau], minlength=n) > 0
    n_charged = np.bincount(event[charged], minlength=n)
    momentum = np.sqrt(p.px**2 + p.py**2 + p.pz**2)
    return {
        "charged_all": n_charged.mean(),
        "charged_semileptonic": n_charged[semileptonic].mean(),
        "charged_nonSL": n_charged[~semileptonic].mean(),
        "photons": np.sum(final & (size == 22)) / n,
        "pi0": np.sum(size == 111) / n,
        "charged_K": np.sum(final & (size == 321)) / n,
        "K_L": np.sum(final & (size == 130)) / n,
        "mean_p_charged_GeV": momentum[charged].mean(),
        "mean_E_photon_GeV": p.e[final & (size == 22)].mean(),
        "semileptonic": semileptonic.mean(),
        "tauonic": tauonic.mean(),
    }
