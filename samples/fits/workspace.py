"""Workspaces of pyhf (HistFactory in JSON): templates with their errors as nuisance parameters.

CERN-OPEN-2012-016 (HistFactory); its JSON form: ATL-PHYS-PUB-2019-029, and the schema of pyhf,
against which every workspace is checked. How many standard deviations a systematic error is off is
one parameter for all samples of an experiment, and for all experiments where the cards say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError
from darkbelle.extras import needed_for
from darkbelle.samples.files.aside import aside
from darkbelle.samples.fits.names import told_apart
from darkbelle.samples.fits.templates import Template

__all__ = ["STRENGTH", "Channel", "channels_of", "workspace", "write_workspace"]

FloatArray = npt.NDArray[np.float64]

STRENGTH: Final = "mu"
"""The parameter of interest: times the expected signal."""
_SIGNAL: Final = "signal"
_LEAST_SHAPE: Final = 1e-6
"""Of the largest content, below which a variation of the shape is rounding."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A signal and its backgrounds, in the same bins of one experiment.

    Raises
    ------
    ConfigError
        Other bins, another observable, or another experiment than the signal's.
    """

    signal: Template
    backgrounds: Sequence[Template]
    observed: Sequence[float] | None = None
    """Counts; those that the backgrounds expect if not given (an Asimov data set)"""

    def __post_init__(self) -> None:
        """Refuse templates that do not fit each other."""
        signal = self.signal
        for other in self.backgrounds:
            for key in ("experiment", "observable"):
                one, two = getattr(signal, key), getattr(other, key)
                if one != two:
                    raise ConfigError(
                        f"background {other.name}: its {key} is {two}, the signal's is {one}"
                    )
            if not np.array_equal(other.edges, signal.edges):
                raise ConfigError(f"background {other.name}: its bins are not the signal's")
        n_bins = len(signal.expected)
        if self.observed is not None and len(self.observed) != n_bins:
            raise ConfigError(f"observed: needs {n_bins} counts (got {len(self.observed)})")

    @property
    def counts(self) -> FloatArray:
        """What was observed, or is expected without a signal."""
        if self.observed is not None:
            return np.asarray(self.observed, dtype=np.float64)
        zero = np.zeros_like(self.signal.expected)
        counts: FloatArray = sum((one.expected for one in self.backgrounds), zero)
        return counts


def channels_of(signals: Sequence[Template], backgrounds: Sequence[Template]) -> list[Channel]:
    """A channel for each experiment that has a signal.

    Raises
    ------
    ConfigError
        An experiment has several signals, or backgrounds without one.
    """
    names = [one.experiment for one in signals]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"signal: {names.count(name)} points of parameters in {name}, a workspace is of one"
            )
    for other in backgrounds:
        if other.experiment not in names:
            raise ConfigError(f"background {other.name}: no signal in {other.experiment}")
    return [
        Channel(one, [other for other in backgrounds if other.experiment == one.experiment])
        for one in signals
    ]


def workspace(
    channels: Sequence[Channel],
    *,
    lumi_error: float = 0.01,
    rate_errors: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """A workspace of one channel for each experiment, checked against the schema of pyhf.

    Parameters
    ----------
    channels
        Of different experiments.
    lumi_error
        Relative error of the luminosity, of each experiment by itself.
    rate_errors
        Relative errors of cross-sections, common to all experiments, by the names of samples:
        "signal" and those of `told_apart`. One without parameters ("tautau") is of all backgrounds
        that it begins, and of the signal where there are none. Beside them stand the errors that
        the samples' own cross-sections have.

    Returns
    -------
    specification
        What `pyhf.Workspace` takes. Its parameter of interest is `STRENGTH`.
    """
    samples = _samples(channels)
    rate_errors = rate_errors or {}
    if not 0 <= lumi_error < 1:
        raise ConfigError(f"lumi_error must be 0 or more, below 1 (got {lumi_error})")
    _check_rates(rate_errors, samples)
    names = [channel.signal.experiment for channel in channels]
    if len(set(names)) < len(names):
        raise ConfigError("two channels of one experiment: join their bins or their samples")
    specification = {
        "version": "1.0.0",
        "channels": [
            {"name": name, "samples": [_described(one, lumi_error, rate_errors) for one in each]}
            for name, each in zip(names, samples, strict=True)
        ],
        "observations": [
            {"name": name, "data": channel.counts.tolist()}
            for name, channel in zip(names, channels, strict=True)
        ],
        "measurements": [{"name": "darkbelle", "config": {"poi": STRENGTH, "parameters": []}}],
    }
    with needed_for("workspaces", "fit"):
        import pyhf
    try:
        pyhf.schema.validate(specification, "workspace.json")
    except pyhf.exceptions.InvalidSpecification as error:
        raise ConfigError(f"no workspace: {str(error).splitlines()[0]}") from None
    return specification


def write_workspace(
    path: str | Path, specification: Mapping[str, Any], *, force: bool = True
) -> None:
    """Write a workspace as JSON, the same bytes for the same content."""
    with aside(path, force=force) as part:
        part.write_text(json.dumps(specification, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Sample:
    """A template in a workspace."""

    name: str
    names: frozenset[str]
    """By which errors of its rate may be given"""
    template: Template

    @property
    def staterror(self) -> str:
        """One parameter a bin for all backgrounds (Barlow-Beeston lite), one for the signal.

        pyhf takes the relative error of all samples of a parameter where the strength is one: with
        the signal among them, that of the background would depend on how large the signal is there.
        """
        group = f"{_SIGNAL}_" if self.name == _SIGNAL else ""
        return f"staterror_{group}{self.template.experiment}"


def _samples(channels: Sequence[Channel]) -> list[list[_Sample]]:
    """The samples of each channel, the signal first."""
    backgrounds = [other for channel in channels for other in channel.backgrounds]
    names = iter(told_apart(backgrounds))
    taken = {other.name for other in backgrounds}
    return [
        [
            _Sample(_SIGNAL, frozenset({_SIGNAL, channel.signal.name} - taken), channel.signal),
            *(
                _Sample(name, frozenset({name, other.name}), other)
                for other, name in zip(channel.backgrounds, names, strict=False)
            ),
        ]
        for channel in channels
    ]


def _check_rates(rate_errors: Mapping[str, float], samples: Sequence[Sequence[_Sample]]) -> None:
    """Refuse errors out of bounds, or of no sample."""
    known: set[str] = set().union(*(one.names for each in samples for one in each))
    for name, error in rate_errors.items():
        if name not in known:
            told = ", ".join(f"'{one}'" for one in sorted(known))
            raise ConfigError(f"rate error: there is no sample '{name}', only {told}")
        if not 0 <= error < 1:
            raise ConfigError(f"rate error of {name} must be 0 or more, below 1 (got {error})")


def _described(
    sample: _Sample, lumi_error: float, rate_errors: Mapping[str, float]
) -> dict[str, Any]:
    """A sample with its modifiers."""
    name, template = sample.name, sample.template
    rates = {
        f"lumi_{template.experiment}": lumi_error,
        **{f"xsec_{key}": error for key, error in rate_errors.items() if key in sample.names},
        f"xsec_{name}_theory": template.theory_error,
        f"xsec_{template.experiment}_{name}_mc": template.rate_error,
    }
    modifiers = [_normsys(key, 1 + e, 1 / (1 + e)) for key, e in rates.items() if e]
    if name == _SIGNAL:
        modifiers.insert(0, {"name": STRENGTH, "type": "normfactor", "data": None})
    for systematic in template.systematics:
        modifiers += _varied(template, systematic)
    spread = np.sqrt(template.variance).tolist()
    modifiers.append({"name": sample.staterror, "type": "staterror", "data": spread})
    return {"name": name, "data": template.expected.tolist(), "modifiers": modifiers}


def _normsys(name: str, high: float, low: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": high, "lo": low}}


def _varied(template: Template, systematic: str) -> list[dict[str, Any]]:
    """A systematic error: a factor for the sum of the bins, and what it does to their shape.

    Both have one parameter. Where a sum is not positive there is no factor, all is shape.
    """
    nominal = template.expected
    is_shared = systematic in template.correlated
    name = systematic if is_shared else f"{systematic}_{template.experiment}"
    total = float(nominal.sum())
    ends = [np.maximum(template.varied[f"{systematic}_{way}"], 0.0) for way in ("up", "down")]
    sums = [float(end.sum()) for end in ends]
    if total <= 0:
        return []
    modifiers = []
    if min(sums) > 0:
        high, low = (one / total for one in sums)
        modifiers.append(_normsys(name, high, low))
        ends = [end * (total / one) for end, one in zip(ends, sums, strict=True)]
    if max(np.abs(end - nominal).max() for end in ends) > _LEAST_SHAPE * nominal.max():
        data = {"hi_data": ends[0].tolist(), "lo_data": ends[1].tolist()}
        modifiers.append({"name": name, "type": "histosys", "data": data})
    return modifiers
