"""How far particles flew: from where they were made to the vertex of their decay, in a line.

With the vertex V and momentum P of the decay, and the origin X, what is known of these is corrected
until V = X + u P, u being the flight [cm/GeV] for a unit of momentum. For a given u

    chi2(u) = r^T S^-1 r,   r = V - X - u P,   S = Cov(V - u P) + Cov(X),

and the u of the least chi2 is the fitted one; S changes little with it (P. Avery, CLEO note CBX
98-37). Length and time are u |P| and u m/c.

    from darkbelle.samples import flight

    flown = flight.fit(decay_vertices, centre, luminous_covariance)
    time, sigma = flown.time(mass)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.vertexing import Vertices
from darkbelle.units import C

__all__ = ["Flights", "fit"]

FloatArray = npt.NDArray[np.float64]

_N_STEPS: Final = 3
"""Each one improves S. The next would move 0.1 % of D0 by more than 0.001 of their errors."""


@dataclass(frozen=True, slots=True)
class Flights:
    """Fitted flights, shape (n, ...). All is NaN without a vertex."""

    per_momentum: FloatArray
    """cm/GeV, negative for flights backwards"""
    sigma: FloatArray
    """Error of that"""
    momentum: FloatArray
    """Its length [GeV]"""
    chi2: FloatArray
    """Of two degrees of freedom: the momentum points back to the origin"""
    origin: FloatArray
    """As the flight moves it [cm], shape (n, 3)"""
    origin_cov: FloatArray
    """Covariance of that, shape (n, 3, 3)"""

    def length(self) -> tuple[FloatArray, FloatArray]:
        """Length of the flight in the laboratory and its error [cm]."""
        return self.per_momentum * self.momentum, self.sigma * self.momentum

    def time(self, mass: float) -> tuple[FloatArray, FloatArray]:
        """Time in the frame of a particle of some mass [GeV], and its error [ns]."""
        return self.per_momentum * mass / C, self.sigma * mass / C


def fit(decays: Vertices, origin: FloatArray, origin_cov: FloatArray) -> Flights:
    """Fit the flights from an origin [cm] to decays into tracks.

    ``origin`` has the shape (3,) or (n, 3), its covariance (3, 3) or (n, 3, 3); it must not know of
    the tracks of the decay.
    """
    momentum = decays.total_momentum
    slope = decays.momentum_slope.sum(axis=1)
    mixed = slope @ decays.cov  # Cov(P, V)
    spread = decays.momentum_cov.sum(axis=1) + mixed @ np.swapaxes(slope, 1, 2)
    mixed = mixed + np.swapaxes(mixed, 1, 2)
    apart = decays.position - origin
    u = np.sum(apart * momentum, axis=1) / np.sum(momentum**2, axis=1)
    for _ in range(_N_STEPS):
        by_u = u[:, None, None]
        weight = np.linalg.inv(decays.cov - by_u * mixed + by_u**2 * spread + origin_cov)
        ahead = (weight @ momentum[..., None])[..., 0]
        knowledge = np.sum(ahead * momentum, axis=1)
        u = np.sum(ahead * apart, axis=1) / knowledge
    # What says something of the origin is only what is across the flight.
    across = weight - ahead[:, :, None] * ahead[:, None] / knowledge[:, None, None]
    gain = origin_cov @ across
    return Flights(
        per_momentum=u,
        sigma=1 / np.sqrt(knowledge),
        momentum=np.linalg.norm(momentum, axis=1),
        chi2=np.einsum("ni,nij,nj->n", apart, across, apart),
        origin=origin + np.einsum("nij,nj->ni", gain, apart),
        origin_cov=origin_cov - gain @ origin_cov,
    )
