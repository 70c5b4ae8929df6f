"""What each track is taken for: decisions at the working points of an experiment's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import ELECTRON, KAON, MUON, PION, PROTON
from darkbelle.geometry.identification import (
    SPECIES,
    Hypothesis,
    Identification,
    Region,
    Sectors,
)
from darkbelle.units import deg

__all__ = ["Suspects", "average_rates", "identify", "realised_rates", "species_of"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_CODES = {"e": ELECTRON, "mu": MUON, "pi": PION, "k": KAON, "p": PROTON}
_MUON = SPECIES.index("mu")


@dataclass(frozen=True, slots=True)
class Suspects:
    """What decides how tracks are identified, shape (n,) each.

    Attributes
    ----------
    pdg_id
        Species; whatever is none of e, mu, pi, K and p counts as a proton.
    p, theta
        Momentum [GeV] and polar angle [rad] as measured at the perigee.
    phi
        Azimuth where the track leaves the tracking volume [rad], NaN if it curls back.
    muon_chance
        Probability that a particle of this species on this flight decays to a muon before the
        calorimeter; zero for e, mu and p.
    became_muon
        Whether it did.
    """

    pdg_id: npt.NDArray[np.int32]
    p: FloatArray
    theta: FloatArray
    phi: FloatArray
    muon_chance: FloatArray
    became_muon: BoolArray

    def __len__(self) -> int:
        return len(self.pdg_id)

    def take(self, chosen: IndexArray) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def identify(
    suspects: Suspects, identification: Identification, rng: np.random.Generator
) -> BoolArray:
    """Decisions at every working point, shape (n, n_points).

    The columns are those of ``identification.point_names``. One uniform number a track and
    hypothesis decides all its points, so that tight implies loose. That of the pions is the
    complement of that of the kaons, since both judge by one ratio of likelihoods: no track is a
    tight kaon and a tight pion, nor is any both at points whose rates sum to one at most. Nothing
    is decided of tracks without a momentum.
    """
    numbers = dict(zip(("e", "mu", "k", "p"), rng.random((4, len(suspects))), strict=True))
    decisions = []
    for name, hypothesis in identification.hypotheses.items():
        average, muons = average_rates(suspects, hypothesis)
        rates = realised_rates(name, average, muons, suspects, identification)
        if name == "pi":
            decisions.append(numbers["k"][:, np.newaxis] >= 1 - rates)
        else:
            decisions.append(numbers[name][:, np.newaxis] < rates)
    known = np.isfinite(suspects.p)[:, np.newaxis]
    return np.concatenate(decisions, axis=1) & known


def average_rates(suspects: Suspects, hypothesis: Hypothesis) -> tuple[FloatArray, FloatArray]:
    """Rates of the card for the tracks as what they are, and for muons in their place.

    Shape (n, n_points) each.
    """
    bins = _bins(suspects, hypothesis.regions)
    return hypothesis.rates[bins, species_of(suspects.pdg_id)], hypothesis.rates[bins, _MUON]


def realised_rates(
    name: str,
    average: FloatArray,
    muons: FloatArray,
    suspects: Suspects,
    identification: Identification,
) -> FloatArray:
    """Rates at which tracks pass a hypothesis: as muons those differ that decayed to one."""
    if name != "mu":
        return average
    return _split_decays(average, muons, suspects, identification.decays.largest_share)


def species_of(pdg_id: npt.NDArray[np.int32]) -> IndexArray:
    """Index in `SPECIES` of each particle code, shape (n,)."""
    index = np.full(len(pdg_id), SPECIES.index("p"))
    for i, name in enumerate(SPECIES):
        index[np.abs(pdg_id) == _CODES[name]] = i
    return index


def _bins(suspects: Suspects, regions: Sequence[Region]) -> IndexArray:
    """Which of the regions' bins decides, the bins being counted through all regions, shape (n,).

    The last region takes every track, the others what is theirs.
    """
    first = np.cumsum([0, *(len(region.p_edges_gev) for region in regions)])
    *devices, remainder = regions
    bins: IndexArray = first[len(devices)] + _momentum_bin(suspects.p, remainder)
    for i, region in reversed(list(enumerate(devices))):
        bins = np.where(
            _belongs(suspects, region), first[i] + _momentum_bin(suspects.p, region), bins
        )
    return bins


def _momentum_bin(p: FloatArray, region: Region) -> IndexArray:
    last_edge_below: IndexArray = np.searchsorted(region.p_edges_gev, p, side="right") - 1
    return last_edge_below


def _belongs(suspects: Suspects, region: Region) -> BoolArray:
    """Whether each track belongs to a region, shape (n,)."""
    p, theta = suspects.p, suspects.theta
    inside = (p >= region.p_edges_gev[0]) & (p * np.sin(theta) >= region.pt_min_gev)
    if region.theta_deg is not None:
        in_range = np.zeros(len(suspects), dtype=bool)
        for low, high in region.theta_deg:
            in_range |= (theta >= low * deg) & (theta < high * deg)
        inside &= in_range
    if region.sectors is not None:
        inside &= _meets_sector(suspects.phi, region.sectors)
    return inside


def _meets_sector(phi: FloatArray, sectors: Sectors) -> BoolArray:
    """Whether an azimuth meets a module and no gap; never for a track that curls, shape (n,)."""
    pitch = 2 * np.pi / sectors.number
    from_edge = np.remainder(phi - sectors.first_centre_deg * deg + pitch / 2, pitch)
    meets: BoolArray = np.abs(from_edge - pitch / 2) <= sectors.coverage * pitch / 2
    return meets


def _split_decays(
    rates: FloatArray, muons: FloatArray, suspects: Suspects, largest_share: float
) -> FloatArray:
    """Rates as muons of pions and kaons that did, or did not, decay to one, shape (n, n_points).

    A published rate f is an average over both. With the chance d to become a muon, those who did
    have the rate q = e of muons, as far as d q <= s f, s being the largest share of decays, and
    f - d q <= 1 - d allow; the others have what remains, r = (f - d q)/(1 - d), so that
    d q + (1 - d) r = f exactly.

    Notes
    -----
    Both are larger at a looser point. For f - d e this needs a proof: with f = Phi(a + s) and
    e = Phi(b + s), a < b, the ratio of the slopes in s, phi(a + s)/phi(b + s), rises with s, so
    f - d e falls and then rises for good; it starts at zero, so it rises wherever it is positive.
    For a > b the same holds of 1 - f and 1 - e.
    """
    exposed = np.flatnonzero(suspects.muon_chance > 0)
    chance = suspects.muon_chance[exposed, np.newaxis]
    became = suspects.became_muon[exposed, np.newaxis]
    average = rates[exposed]
    by_decay = np.minimum(chance * muons[exposed], largest_share * average)
    by_decay = np.maximum(by_decay, average - (1 - chance))
    part = np.where(became, by_decay, average - by_decay)
    share = np.where(became, chance, np.maximum(1 - chance, np.finfo(float).tiny))
    split = rates.copy()
    split[exposed] = part / share
    return split
