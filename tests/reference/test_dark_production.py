"""Dark hard processes and chi2 decays against tables; origins in ``tables/README.md``."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.gen.production.higgsstrahlung import Higgsstrahlung
from darkbelle.gen.production.off_shell import OffShellHiggsstrahlung
from darkbelle.gen.production.with_photon import PhotonAlp, PhotonDarkPhoton
from tests.reference.reading import rows

S = np.array([10.58**2])
FB_PER_PB = 1e3
EPSILON, ALPHA_D = 1e-3, 0.1


@pytest.mark.parametrize("row", rows("higgsstrahlung_xsec"), ids=str)
def test_higgsstrahlung(row: dict):
    hard = Higgsstrahlung(row["m_Ap_GeV"], row["m_hp_GeV"], EPSILON, ALPHA_D)
    assert hard.cross_section(S) == pytest.approx(row["sigma_fb"], rel=1e-6)
    (vector, _), _ = hard.sample(S, np.random.default_rng(1))
    momentum = np.sqrt(np.sum(vector[1:] ** 2))
    assert momentum == pytest.approx(row["p_GeV"], rel=1e-7)
    assert momentum**2 / (2 * hard.m_ap**2) == pytest.approx(row["A_sin2"], rel=1e-7)


@pytest.mark.parametrize("row", rows("idm_darkhiggs_xsec"), ids=str)
def test_inelastic_dark_matter(row: dict):
    """The table has six digits, Monte Carlo errors, and no width in the propagator at s.

    That width lowers the rate by 6 % at m_A' = 10 GeV.
    """
    masses = row["m_Ap"], row["m_hp"], row["m_chi1"], row["m_chi1"] + row["Delta"]
    hard = OffShellHiggsstrahlung(*masses, EPSILON, ALPHA_D)
    width = float(hard.width(np.array(hard.m_ap**2)))
    assert width == pytest.approx(row["Gamma_Ap_GeV"], rel=3e-6)
    narrow = Higgsstrahlung(*masses[:2], EPSILON, 4 * ALPHA_D)
    assert narrow.cross_section(S) == pytest.approx(row["sigma_nwa_fb"], rel=3e-6)
    at_s = 1 + (hard.m_ap * width / (S - hard.m_ap**2)) ** 2
    full, error = row["sigma_full_fb"], row["err_fb"]
    assert np.abs(hard.cross_section(S) * at_s - full) < error + 0.005 * full


@pytest.mark.parametrize("row", rows("alp_gamma"), ids=str)
def test_photon_with_an_alp(row: dict):
    hard = PhotonAlp(row["m_a_GeV"], 1e-3)
    assert hard.cross_section(S) == pytest.approx(row["sigma_pb"] * FB_PER_PB, rel=1e-6)


@pytest.mark.parametrize("row", rows("gamma_darkphoton"), ids=str)
def test_photon_with_a_dark_photon(row: dict):
    columns = {
        "sigma_c0.5_pb": math.acos(0.5),
        "sigma_c0.9_pb": math.acos(0.9),
        "sigma_c0.9767_pb": math.radians(12.4),
        "sigma_total_pb": 0.0,
    }
    for column, theta_min in columns.items():
        hard = PhotonDarkPhoton(row["m_Ap_GeV"], 1.0, theta_min)
        assert hard.cross_section(S) == pytest.approx(row[column] * FB_PER_PB, rel=1e-6), column
    (photon, _), _ = hard.sample(S, np.random.default_rng(1))
    assert photon[0] == pytest.approx(row["E_gamma_GeV"], rel=1e-7)
