"""Decays of the tau against tables made without this package; origins in ``tables/README.md``."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.decays.tau.currents import a1_line, pion_form_factor, three_pion_function
from darkbelle.gen.decays.tau.hadron_pair import HadronPair
from darkbelle.gen.decays.tau.hadronic import hadronic_vector
from darkbelle.gen.decays.tau.three_pions import ThreePions
from darkbelle.gen.kinematics import dot, two_body
from darkbelle.gen.particles import (
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    MASS_E,
    MASS_MU,
    MASS_TAU,
    MUON,
    NU_E,
    NU_MU,
    NU_TAU,
    OMEGA,
    PI0,
    PION,
    TAU,
    species,
)
from tests.reference.reading import rows

NUMBERS = {row["name"]: row["value"] for row in rows("decays_reference_numbers")}
N = 100_000
M_PI, M_PI0 = species(PION).mass, species(PI0).mass
PION_PAIR = HadronPair(pion_form_factor, M_PI, M_PI0)
PIONS = ThreePions(M_PI, M_PI)
G_F, HBAR, LIFETIME = 1.1663788e-5, 6.582119569e-25, 290.3e-15
V_UD, V_US = 0.97367, 0.22431


def mode_of(*daughters: int) -> DecayMode:
    return next(mode for mode in decay_modes(TAU) if mode.daughters == daughters)


def sampled(mode: DecayMode, n: int = N) -> np.ndarray:
    return mode.sample(np.full(n, MASS_TAU), np.random.default_rng(61))


def integral(function, edges: np.ndarray, order: int = 20) -> np.ndarray:
    """Gauss-Legendre between neighbouring edges."""
    x, w = np.polynomial.legendre.leggauss(order)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    values = function((half[:, None] * x + middle[:, None]).ravel()).reshape(len(half), order)
    return half * (values @ w)


def edges_of(table: list[dict], name: str) -> np.ndarray:
    return np.array([*(row[f"{name}_low_GeV"] for row in table), table[-1][f"{name}_high_GeV"]])


# ---- fractions -----------------------------------------------------------------------------------

PARTICLES = {
    "e-": ELECTRON,
    "mu-": MUON,
    "pi-": -PION,
    "pi+": PION,
    "pi0": PI0,
    "K-": -KAON,
    "K+": KAON,
    "omega": OMEGA,
    "eta": ETA,
    "K0": "K0",
    "K0bar": "K0",
}
WRITTEN_OUT = {
    "e- nu nu": [ELECTRON, -NU_E],
    "mu- nu nu": [MUON, -NU_MU],
    "K- 2pi pi0 nu": [-KAON, -PION, PION, PI0],
}


def hadrons(name: str) -> list:
    """Codes by the name of a mode, any K0 by its name."""
    if name in WRITTEN_OUT:
        return WRITTEN_OUT[name]
    found = []
    for word in name.split(" (")[0].removesuffix(" nu").split():
        count = int(word[0]) if word[0].isdigit() else 1
        found += count * [PARTICLES[word.lstrip("0123456789") if word[0].isdigit() else word]]
    return found


def key(codes: list) -> tuple[str, ...]:
    kaons = ("K0" if code in (K_S, K_L) else str(code) for code in codes)
    return tuple(sorted(kaons))


def test_branching_fractions():
    """Normalised to the sum of the table; kaons of either lifetime count as K0."""
    table = rows("decays_tau_branching")
    total = sum(row["branching_fraction"] for row in table)
    assert total == pytest.approx(0.997728, abs=2e-6)
    expected = {
        key(hadrons(row["mode"])): row["branching_fraction"] / total
        for row in table
        if not row["mode"].startswith("K*")
    }
    k_star = next(row["branching_fraction"] for row in table if row["mode"].startswith("K*"))
    expected[key(["K0", -PION])] = k_star / total * 2 / 3
    expected[key([-KAON, PI0])] = k_star / total / 3
    assert len(expected) == len(table) + 1
    found: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for mode in decay_modes(TAU):
        assert mode.daughters[-1] == NU_TAU
        found[key(list(mode.daughters[:-1]))] += mode.fraction
    assert found == pytest.approx(expected, rel=1e-4)


def test_kaons_of_either_lifetime():
    """As many K_S as K_L; two of them have no other source than K0 Kbar0."""
    single = [m for m in decay_modes(TAU) if len({K_S, K_L} & set(m.daughters)) == 1]
    for mode in single:
        if sum(code in (K_S, K_L) for code in mode.daughters) == 1:
            other = tuple({K_S: K_L, K_L: K_S}.get(code, code) for code in mode.daughters)
            assert mode_of(*other).fraction == mode.fraction


# ---- line shapes ---------------------------------------------------------------------------------


def pair_spectrum(m: np.ndarray) -> np.ndarray:
    return 2 * m * PION_PAIR.line_shape(m**2)


def analytic_spectrum(m: np.ndarray) -> np.ndarray:
    """Of three pions with g(Q^2) for the current: what the column of that name was made with."""
    s = m**2
    opening = (MASS_TAU**2 - s) ** 2 * (1 + 2 * s / MASS_TAU**2)
    return 2 * m * opening * np.abs(a1_line(s)) ** 2 * three_pion_function(s) / s


def exact_spectrum(m: np.ndarray) -> np.ndarray:
    """Of three pions with the current itself, which is what is sampled."""
    x, w = np.polynomial.legendre.leggauss(80)
    share = (m - 3 * M_PI) / (MASS_TAU - 3 * M_PI)
    lattice = np.meshgrid(share, (x + 1) / 2, (x + 1) / 2, indexing="ij")
    values = PIONS.density(np.stack([axis.ravel() for axis in lattice])).reshape(len(m), 80, 80)
    return np.einsum("ijk,j,k->i", values, w, w) / 4


def test_pion_pair_line_shape():
    """Quadrature on both sides: six digits."""
    table = rows("decays_tau2pi_lineshape")
    fraction = integral(pair_spectrum, edges_of(table, "m2pi"))
    expected = [row["fraction"] for row in table]
    assert fraction / fraction.sum() == pytest.approx(expected, rel=1e-5)


def test_three_pion_line_shape_by_its_closed_form():
    """The column ``fraction_analytic``, six digits; g(Q^2) has a step within a bin."""
    table = rows("decays_tau3pi_lineshape")
    edges = edges_of(table, "m3pi")
    finer = np.union1d(edges, 0.773 + M_PI)
    parts = integral(analytic_spectrum, finer)
    fraction = np.add.reduceat(parts, np.searchsorted(finer, edges[:-1]))
    expected = [row["fraction_analytic"] for row in table]
    assert fraction / fraction.sum() == pytest.approx(expected, rel=2e-5)


def test_three_pion_line_shape_of_the_current():
    """The column ``fraction_MC`` within its errors."""
    table = rows("decays_tau3pi_lineshape")
    fraction = integral(exact_spectrum, edges_of(table, "m3pi"), order=6)
    fraction /= fraction.sum()
    expected, error = (np.array([r[c] for r in table]) for c in ("fraction_MC", "MC_error"))
    chi2 = np.sum(((fraction - expected) / error) ** 2)
    assert 1e-3 < stats.chi2.sf(chi2, len(table) - 1) < 1 - 1e-3


@pytest.mark.parametrize(
    ("name", "column", "daughters"),
    [
        ("2pi", "fraction", (-PION, PI0, NU_TAU)),
        ("3pi", "fraction_MC", (-PION, -PION, PION, NU_TAU)),
    ],
)
def test_sampled_line_shapes(name: str, column: str, daughters: tuple[int, ...]):
    """Bins with few entries are taken together."""
    table = rows(f"decays_tau{name}_lineshape")
    total = sampled(mode_of(*daughters))[:-1].sum(axis=0)
    edges = edges_of(table, f"m{name}")
    edges[-1] = MASS_TAU
    counts = np.histogram(np.sqrt(dot(total, total)), edges)[0]
    assert counts.sum() == N
    expected = N * np.array([row[column] for row in table])
    many = expected > 20
    counts, expected = (np.append(v[many], v[~many].sum()) for v in (counts, expected))
    error = 0 * expected
    if "MC_error" in table[0]:
        error[:-1] = N * np.array([row["MC_error"] for row in table])[many]
    chi2 = np.sum((counts - expected) ** 2 / (expected + error**2))
    assert stats.chi2.sf(chi2, len(counts) - 1) > 1e-4


def test_means_of_the_line_shapes():
    """As the header lines and the handbook state them, to their digits."""
    for spectrum, least, mean in (
        (pair_spectrum, M_PI + M_PI0, 0.7897),
        (analytic_spectrum, 3 * M_PI, 1.1477),
    ):
        edges = np.linspace(least, MASS_TAU, 60)
        total = integral(spectrum, edges).sum()
        found = integral(lambda m, f=spectrum: m * f(m), edges).sum() / total
        assert found == pytest.approx(mean, abs=6e-5)
    momenta = sampled(mode_of(-PION, -PION, PION, NU_TAU))
    for i, j, mean in ((0, 2, 0.690), (1, 2, 0.690), (0, 1, 0.594)):
        pair = momenta[i] + momenta[j]
        assert np.sqrt(dot(pair, pair)).mean() == pytest.approx(mean, abs=0.002)


# ---- spin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "spectrum", "least"),
    [
        ("alpha_h_2pi_KS", pair_spectrum, M_PI + M_PI0),
        ("alpha_h_3pi_KS", analytic_spectrum, 3 * M_PI),
    ],
)
def test_mean_analysing_powers_by_quadrature(name: str, spectrum, least: float):
    """<h.Q> is (m^2 - 2 Q^2)/(m^2 + 2 Q^2) at each mass; the table gives four digits."""
    edges = np.linspace(least, MASS_TAU, 60)

    def analysed(m: np.ndarray) -> np.ndarray:
        return spectrum(m) * (MASS_TAU**2 - 2 * m**2) / (MASS_TAU**2 + 2 * m**2)

    found = integral(analysed, edges).sum() / integral(spectrum, edges).sum()
    assert found == pytest.approx(NUMBERS[name], abs=6e-5)


@pytest.mark.parametrize(
    ("name", "daughters"),
    [
        ("alpha_h_2pi_KS", (-PION, PI0, NU_TAU)),
        ("alpha_h_3pi_KS", (-PION, -PION, PION, NU_TAU)),
        ("alpha_h_3pi_KS", (PI0, PI0, -PION, NU_TAU)),
    ],
)
def test_mean_analysing_powers_as_sampled(name: str, daughters: tuple[int, ...]):
    mode = mode_of(*daughters)
    momenta = sampled(mode)
    along = -np.sum(mode.polarimeter(momenta) * momenta[-1, 1:] / momenta[-1, 0], axis=0)
    assert along.mean() == pytest.approx(NUMBERS[name], abs=4 * along.std() / math.sqrt(N))


@pytest.mark.parametrize(("name", "lepton", "fellow"), [("e", 11, -NU_E), ("mu", 13, -NU_MU)])
def test_michel_means(name: str, lepton: int, fellow: int):
    mass = {ELECTRON: MASS_E, MUON: MASS_MU}[lepton]
    mode = mode_of(lepton, fellow, NU_TAU)
    momenta = sampled(mode)
    x = momenta[0, 0] / ((MASS_TAU**2 + mass**2) / (2 * MASS_TAU))
    error = x.std() / math.sqrt(N)
    assert x.mean() == pytest.approx(NUMBERS[f"michel_{name}_mean_x"], abs=4 * error)
    if name == "mu":
        # The mean of a cosine c with the density (1 + h c)/2 is h/3.
        direction = momenta[0, 1:] / np.linalg.norm(momenta[0, 1:], axis=0)
        cosine = np.sum(mode.polarimeter(momenta) * direction, axis=0) / 3
        error = cosine.std() / math.sqrt(N)
        assert cosine.mean() == pytest.approx(NUMBERS["michel_mu_mean_cos_P1"], abs=4 * error)


# ---- absolute rates ------------------------------------------------------------------------------


def fraction_of(mean_vector: float, volume: float, couplings: float) -> float:
    """Gamma = G_F^2 couplings^2 V^0 Phi, times the lifetime (handbook, section 4.3)."""
    return G_F**2 * couplings**2 * mean_vector * volume * LIFETIME / HBAR


@pytest.mark.parametrize(
    ("name", "decay_constant", "ckm", "code"),
    [("Br_tau_pi_tree", 0.1302, V_UD, PION), ("Br_tau_K_tree", 0.1557, V_US, KAON)],
)
def test_tree_fractions_of_single_mesons(name: str, decay_constant, ckm, code: int):
    """J = f q."""
    meson, neutrino = one_decay(species(code).mass)
    vector = hadronic_vector(meson.astype(complex), neutrino)[0].item()
    volume = neutrino[0].item() / (4 * math.pi * MASS_TAU)
    found = fraction_of(vector, volume, ckm * decay_constant)
    assert found == pytest.approx(NUMBERS[name], rel=1e-5)


def test_tree_fraction_of_a_narrow_rho():
    """J = f m eps, summed over three polarisations."""
    mass = 0.77511
    rho, neutrino = one_decay(mass)
    energy, momentum = rho[0].item(), rho[3].item()
    transverse = [np.array([[0.0], [1], [0], [0]]), np.array([[0.0], [0], [1], [0]])]
    polarisations = [*transverse, np.array([[momentum], [0], [0], [energy]]) / mass]
    vector = sum(hadronic_vector(e.astype(complex), neutrino)[0].item() for e in polarisations)
    volume = neutrino[0].item() / (4 * math.pi * MASS_TAU)
    found = fraction_of(vector, volume, V_UD * 0.2095 * mass)
    assert found == pytest.approx(NUMBERS["Br_tau_rho_narrow"], rel=1e-5)


def one_decay(mass: float) -> tuple[np.ndarray, np.ndarray]:
    return two_body(np.array([MASS_TAU]), mass, 0.0, np.array([1.0]), np.array([0.0]))


@pytest.mark.parametrize(("name", "mass"), [("e", 0.0), ("mu", MASS_MU)])
def test_tree_fractions_of_leptons(name: str, mass: float):
    """The density that the mass of lepton and nu_tau is drawn from, times G_F^2 m^5/(16 pi^3)."""
    r = (mass / MASS_TAU) ** 2
    share = integral(lambda u: (1 - u) ** 2 * u * (1 - r / u) ** 2, np.array([r, 1.0])).item()
    found = G_F**2 * MASS_TAU**5 / (16 * math.pi**3) * share * LIFETIME / HBAR
    assert found == pytest.approx(NUMBERS[f"Br_tau_{name}_tree"], rel=1e-5)


def test_absolute_rate_of_pion_pairs():
    """J = sqrt2 F (q - q0): V^0 and phase space in closed form, line shape as it is sampled."""
    integrated = integral(pair_spectrum, np.linspace(M_PI + M_PI0, MASS_TAU, 60)).sum()
    # The mean of V^0 is |J|^2 (m^2 - s)(m^2 + 2 s)/(6 m s) with |J|^2 = 8 p^2 |F|^2, and
    # dPhi_3 = ds/(2 pi) (1 - s/m^2)/(8 pi) p/(4 pi sqrt(s)).
    constant = 8 * MASS_TAU**3 / 6 / (2 * math.pi) / (8 * math.pi) / (4 * math.pi)
    found = fraction_of(integrated, constant, V_UD)
    assert found == pytest.approx(NUMBERS["Br_2pi_KS_model"], rel=3e-4)


def test_absolute_rate_of_three_pions():
    """J = 2 sqrt2/(3 f_pi) of the handbook's, half for equal pions, by the density sampled."""
    integrated = integral(exact_spectrum, np.linspace(3 * M_PI, MASS_TAU, 25), order=6).sum()
    constant = 0.5 / (768 * math.pi**5 * MASS_TAU**3)
    found = fraction_of(integrated, constant, V_UD * 2 * math.sqrt(2) / (3 * 0.0933))
    assert found == pytest.approx(NUMBERS["Br_3pi_KS_model"], rel=0.005)
