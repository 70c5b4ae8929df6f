"""One sample for many lifetimes: how far its particles flew in truth, and weights of other flights.

A particle that flew the proper length l while it lived c tau = r is worth

    (exp(-l/t)/t) / (exp(-l/r)/r)

of one that lives c tau = t: the ratio of the two densities of l. Of several in an event these
factors multiply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen import Status
from darkbelle.samples.files.reading import Sample
from darkbelle.units import C

__all__ = ["FEWEST_EFFECTIVE", "Flown", "Lives", "check_effective", "lifetime_weights", "lives_of"]

FloatArray = npt.NDArray[np.float64]

FEWEST_EFFECTIVE: Final = 100.0
"""Of the effective events (sum w)^2 / sum w^2 that a sample of another lifetime must have."""
_FARTHEST: Final = 1.5
"""Times the longest lifetime that was sampled; at twice that the variance has no bound."""
_COLUMNS: Final = (
    *("pdg_id", "status", "px", "py", "pz", "mass"),
    *("x", "y", "z", "t", "decay_x", "decay_y", "decay_z", "decay_t"),
)


@dataclass(frozen=True, slots=True)
class Flown:
    """True flights of the particles of a kind that decayed in the generator, shape (n,) each."""

    event: npt.NDArray[np.int64]
    """Row of the event"""
    decay_radius: FloatArray
    """Distance of the decay from the z axis [cm]"""
    decay_length: FloatArray
    """Distance of the decay from the production [cm]"""
    proper_length: FloatArray
    """c times the time that passes in the frame of the particle [cm]"""
    momentum: FloatArray
    """In the laboratory [GeV]"""

    @classmethod
    def of(cls, sample: Sample, pdg_id: int) -> Self:
        """Those of a code or its antiparticle, in the order of the particle table."""
        nothing = np.empty(0)
        pieces = [Flown(np.empty(0, np.int64), *(nothing,) * 4), *_pieces(sample, pdg_id)]
        joined = {
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in cls.__slots__
        }
        return cls(**joined)


def _pieces(sample: Sample, pdg_id: int) -> Iterator[Flown]:
    """Flights in blocks of the particle table, which may be too large to be read at once."""
    offsets = sample.column("particles", "offsets")
    blocks = (sample.blocks("particles", name) for name in _COLUMNS)
    for block in zip(*blocks, strict=True):
        values = dict(zip(_COLUMNS, (value for _, value in block), strict=True))
        is_decayed = values.pop("status") == Status.DECAYED
        rows = np.flatnonzero(is_decayed & (np.abs(values.pop("pdg_id")) == abs(pdg_id)))
        p = {name: value[rows].astype(np.float64) for name, value in values.items()}
        flight = [p[f"decay_{axis}"] - p[axis] for axis in "xyzt"]
        momentum2 = p["px"] ** 2 + p["py"] ** 2 + p["pz"] ** 2
        yield Flown(
            np.searchsorted(offsets, block[0][0].start + rows, side="right") - 1,
            np.hypot(p["decay_x"], p["decay_y"]),
            np.sqrt(flight[0] ** 2 + flight[1] ** 2 + flight[2] ** 2),
            # By the time, not the length: momenta in single precision may be all rounding.
            C * flight[3] * p["mass"] / np.sqrt(momentum2 + p["mass"] ** 2),
            np.sqrt(momentum2),
        )


@dataclass(frozen=True, slots=True)
class Lives:
    """How long the particles of a kind lived in each event of a sample."""

    parameter: str
    """Of the process, that sets the lifetime"""
    reference: float
    """The mean proper decay length that the weights of the sample stand for [cm]"""
    number: FloatArray
    """Of such particles, shape (n_events,)"""
    length: FloatArray
    """Sum of their proper lengths [cm], shape (n_events,)"""

    @classmethod
    def of(cls, sample: Sample, parameter: str) -> Self:
        """Those of the particle whose lifetime a parameter sets; ConfigError without one."""
        known = sample.process.long_lived
        if parameter not in known:
            name = sample.attributes["process"]
            told = did_you_mean(parameter, known)
            raise ConfigError(f"'{sample.path}': {name} has no lifetime '{parameter}', {told}")
        state = known[parameter]
        flown = Flown.of(sample, state.pdg_id)
        number = np.bincount(flown.event, minlength=len(sample)).astype(np.float64)
        length = np.bincount(flown.event, flown.proper_length, len(sample)).astype(np.float64)
        return cls(parameter, 0.0 if state.decay is None else state.decay.ctau, number, length)

    def weights(self, ctau: float) -> FloatArray:
        """Factors that make a sample of another lifetime [cm] of this one, shape (n_events,).

        Raises
        ------
        ConfigError
            No lifetime, or one so long that hardly any flight speaks for it.
        """
        name, reference = self.parameter, self.reference
        if not (math.isfinite(ctau) and ctau > 0):
            raise ConfigError(f"{name} must be positive and finite (got {ctau} cm)")
        if ctau > _FARTHEST * reference:
            raise ConfigError(
                f"{name} = {ctau:g} cm is more than {_FARTHEST} times the longest of the sample, "
                f"{reference:g} cm: produce one with {name}=LOW,{ctau:g}"
            )
        exponent = self.number * math.log(reference / ctau)
        exponent += self.length * (1 / reference - 1 / ctau)
        factors: FloatArray = np.exp(np.minimum(exponent, 700.0))
        return factors


def lives_of(sample: Sample, ctaus: Mapping[str, object]) -> list[Lives]:
    """`Lives` of each of the named parameters."""
    return [Lives.of(sample, parameter) for parameter in ctaus]


def check_effective(
    sum_w: float, sum_w2: float, ctaus: Mapping[str, float], least: float, where: str
) -> None:
    """Refuse weights of other lifetimes that leave too few effective events."""
    n_effective = sum_w**2 / sum_w2 if sum_w2 > 0 else 0.0
    if n_effective < least:
        point = ", ".join(f"{name} = {ctau:g} cm" for name, ctau in ctaus.items())
        remedy = " ".join(f"-p {name}=LOW,HIGH" for name in ctaus)
        raise ConfigError(
            f"{where}: at {point} it is worth {n_effective:.3g} events, fewer than {least:g}: "
            f"produce more, or sample a range of lifetimes around it ({remedy})"
        )


def lifetime_weights(
    sample: Sample, *, least_effective: float = FEWEST_EFFECTIVE, **ctau: float
) -> FloatArray:
    """Factors that turn a sample into one of other lifetimes, shape (n_events,).

    Multiply the weights of the events with them.

    Parameters
    ----------
    sample
        Any; best one of a range of lifetimes, such as ``ctau=0.01,100``.
    least_effective
        Effective events, (sum w)^2 / sum w^2, that must be left.
    ctau
        Mean proper decay lengths [cm] by the names of the parameters that set them: ``ctau=1.0``,
        or ``ctau_hp=0.3``, or both.

    Returns
    -------
    factors
        The product over all particles of these kinds.

    Raises
    ------
    ConfigError
        A parameter that is no lifetime of the process, a lifetime above 1.5 times the longest that
        was sampled, or one of which the sample knows too little.
    """
    factors = np.ones(len(sample))
    for lives in lives_of(sample, ctau):
        factors *= lives.weights(ctau[lives.parameter])
    if len(sample):
        weight = sample.column("events", "weight") * factors
        sums = float(weight.sum()), float((weight**2).sum())
        check_effective(*sums, ctau, least_effective, f"'{sample.path}'")
    return factors
