"""The lepton of a tau in the pseudo rest frame of the tau, against a table made without this code.

The tag is a tau -> 3 pi nu, whose hadrons fly away from the tau that is looked at; section 4.6 of
the handbook. The table has 400,000 events a row, no cuts, no radiation.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.gen.particles import MASS_TAU, PION, TAU
from darkbelle.gen.processes import TauTau, TauToLAlpha, find_process
from darkbelle.geometry import Collider, load
from tests.physics.views import View, boosted
from tests.reference.reading import rows

CODES = {"e": 11, "mu": 13}
CHIRALITIES = {0.0: "isotropic", -1.0: "V-A", 1.0: "V+A"}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SLACK = 0.002
TABLE = rows("decays_pseudo_rest_frame")


def named(row: dict) -> str:
    return "-".join(str(row[key]) for key in ("lepton", "process", "m_alpha_GeV", "kappa"))


FEW = [row for row in TABLE if named(row) in (
    "e-lnunu--", "mu-lalpha-0.0-0.0", "e-lalpha-1.0--1.0", "mu-lalpha-1.4-1.0",
)]  # fmt: skip


@pytest.fixture(scope="module")
def sharp() -> Collider:
    return load("belle2", ["collider.beam_spread=false"]).collider


def process_of(row: dict) -> TauTau | TauToLAlpha:
    plain = {"isr": False, "fsr": False}
    if row["process"] == "lnunu":
        return find_process("tautau")(minus=row["lepton"], plus="3pi", **plain)
    return find_process("tau-to-l-alpha")(
        mass=row["m_alpha_GeV"],
        lepton=row["lepton"],
        chirality=CHIRALITIES[row["kappa"]],
        tag="3pi",
        **plain,
    )


def energies(row: dict, n: int, collider: Collider) -> np.ndarray:
    """2 E*/m_tau, by hand from the particles."""
    view = View(process_of(row).generate(collider, n, np.random.default_rng(61)))
    p, truth = view.events.particles, view.events
    of_tau = np.flatnonzero(p.parent >= 0)
    of_tau = of_tau[np.abs(p.pdg_id[truth.parents(of_tau)]) == TAU]
    kind, event = np.abs(p.pdg_id[of_tau]), truth.event_index()[of_tau]

    def summed(code: int) -> np.ndarray:
        chosen = kind == code
        return np.stack([
            np.bincount(event[chosen], component, n) for component in view.of(of_tau[chosen])
        ])  # fmt: skip

    lepton, hadrons = (boosted(summed(code), view.total) for code in (CODES[row["lepton"]], PION))
    energy = collider.sqrt_s / 2
    size = math.sqrt(energy**2 - MASS_TAU**2)
    away = -hadrons[1:] / np.sqrt(np.sum(hadrons[1:] ** 2, axis=0))
    return 2 * boosted(lepton, np.stack([np.full(n, energy), *(size * away)]))[0] / MASS_TAU


def check(row: dict, n: int, collider: Collider) -> None:
    """Mean, rms and quantiles within three standard errors, of both, and 0.002."""
    x = energies(row, n, collider)
    theirs = (row["rms"] / row["mean_stat_error"]) ** 2
    spread = math.sqrt(1 / n + 1 / theirs)
    assert abs(x.mean() - row["mean"]) < 3 * x.std() * spread + SLACK
    kurtosis = np.mean((x - x.mean()) ** 4) / x.var() ** 2
    error = x.std() * math.sqrt((kurtosis - 1) / 4) * spread
    assert abs(x.std() - row["rms"]) < 3 * error + SLACK
    for share in QUANTILES:
        low, found, high = np.quantile(x, [share - 0.01, share, share + 0.01])
        error = math.sqrt(share * (1 - share)) * spread * (high - low) / 0.02
        expected = row[f"q{round(100 * share):02d}"]
        assert abs(found - expected) < 3 * error + SLACK, share


@pytest.mark.parametrize("row", FEW, ids=named)
def test_some_rows(row: dict, sharp: Collider):
    check(row, 40_000, sharp)


@pytest.mark.validation
@pytest.mark.parametrize("row", TABLE, ids=named)
def test_every_row(row: dict, sharp: Collider):
    check(row, 200_000, sharp)


def test_the_tag_is_as_far_off_as_the_handbook_says(sharp: Collider):
    """The mean is 1.072 of the true energy whatever the mass of alpha: gamma^2 (1 - beta^2 c)."""
    for mass in (0.0, 1.0, 1.6):
        row = {"process": "lalpha", "lepton": "e", "m_alpha_GeV": mass, "kappa": 0.0}
        x = energies(row, 20_000, sharp) / (1 - mass**2 / MASS_TAU**2)
        assert abs(x.mean() - 1.072) < 4 * x.std() / math.sqrt(20_000) + 5e-4
