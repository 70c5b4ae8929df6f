"""Expected upper limits of a workspace, by the asymptotic formulas of arXiv:1007.1727."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from darkbelle.errors import ConfigError
from darkbelle.extras import needed_for

__all__ = ["expected_limits"]

FloatArray = npt.NDArray[np.float64]

_BANDS: Final = np.arange(-2.0, 3.0)
_FACTOR: Final = 1.5
"""From one strength to the next."""
_MOST_FITS: Final = 50
_LARGEST_ERROR: Final = 0.5
"""Of the simulation in a bin, relative, beyond which its normal error often reaches zero events."""
_MOST_TOLD: Final = 6
"""Bins."""


def expected_limits(specification: Mapping[str, Any], *, level: float = 0.90) -> FloatArray:
    """Upper limits on the strength of the signal (CLs) that are expected without one.

    Parameters
    ----------
    specification
        A workspace; its observations are not used.
    level
        Confidence level.

    Returns
    -------
    limits
        At -2, -1, 0, 1 and 2 standard deviations of what background alone would give, shape (5,).

    Raises
    ------
    ConfigError
        There is no signal, no strength of it is excluded, fewer than no events are expected in a
        bin, or the fits fail.

    Notes
    -----
    With q_A(mu) of the Asimov data set without a signal, whose best fit is known, the limit with N
    standard deviations is where sqrt(q_A) = Phi^-1(1 - alpha Phi(N)) + N (eq. 89 and section 5 of
    arXiv:1007.1727, with CLs): one fit a strength, where pyhf's own `upper_limit` makes five.
    Between strengths log(mu) is interpolated in log(q_A); the lowest is below the limit without
    any systematic error.
    """
    if not 0 < level < 1:
        raise ConfigError(f"the confidence level must be between 0 and 1 (got {level})")
    with needed_for("limits", "fit"):
        import pyhf
    model = pyhf.Workspace(specification).model()
    poi, best = model.config.poi_index, np.array(model.config.suggested_init())
    _check_contents(specification)
    best[poi] = 1.0
    with_signal = model.expected_data(best, include_auxdata=False)
    best[poi] = 0.0
    asimov = model.expected_data(best)
    background = model.expected_data(best, include_auxdata=False)
    least = float(pyhf.infer.mle.twice_nll(best, asimov, model)[0])
    needed = ndtri(1 - (1 - level) * ndtr(_BANDS)) + _BANDS
    strength = _without_errors(with_signal - background, background, float(needed[0]))
    strengths, fits = _scan(specification, model, asimov, strength, least + float(needed[-1]) ** 2)
    rising = np.maximum.accumulate(np.sqrt(np.maximum(fits - least, 1e-12)))
    limits: FloatArray = np.exp(np.interp(np.log(needed), np.log(rising), np.log(strengths)))
    return limits


def _scan(
    specification: Mapping[str, Any], model: Any, data: FloatArray, first: float, last: float
) -> tuple[FloatArray, FloatArray]:
    """Rising strengths and -2 ln L of the best fits with them, until it is so large."""
    with needed_for("limits", "fit"):
        import iminuit
        import pyhf

    poi, bounds = model.config.poi_index, list(model.config.suggested_bounds())
    strengths: FloatArray = first * _FACTOR ** np.arange(_MOST_FITS, dtype=np.float64)
    bounds[poi] = (0.0, strengths[-1] * _FACTOR)
    start, are_fixed = list(model.config.suggested_init()), list(model.config.suggested_fixed())
    are_fixed[poi] = True

    def twice_nll(point: Any) -> float:
        return float(pyhf.infer.mle.twice_nll(np.asarray(point), data, model)[0])

    fits: list[float] = []
    while not fits or fits[-1] < last:
        if len(fits) == _MOST_FITS:
            raise ConfigError(
                f"no strength of the signal below {strengths[-1] * _FACTOR:.3g} is excluded"
            )
        start[poi] = strength = float(strengths[len(fits)])
        # SLSQP, pyhf's choice, can stop where it starts without a word: errors were left out.
        fit = iminuit.Minuit(twice_nll, start)
        fit.limits, fit.fixed = bounds, are_fixed
        with _fits_that_may_fail(specification, strength):
            if not all(are_fixed) and not fit.migrad().valid:
                raise pyhf.exceptions.FailedMinimization(fit.fmin)
        fits.append(twice_nll(fit.values))
    return strengths[: len(fits)], np.array(fits, dtype=np.float64)


def _without_errors(signal: FloatArray, background: FloatArray, needed: float) -> float:
    """A strength below that at which sqrt(q_A) is so large if nothing but counts varies.

    q_A = 2 sum [mu s - b ln(1 + mu s/b)] is at most sum mu^2 s^2/b, and at most 2 sum mu s.
    """
    total = float(signal.sum())
    if not total > 0:
        raise ConfigError("there is no signal in the bins of the workspace")
    density = np.divide(signal**2, background, out=np.zeros_like(signal), where=background > 0)
    squares = float(density.sum()) if np.all(background[signal > 0] > 0) else np.inf
    return float(max(needed / np.sqrt(squares), needed**2 / (2 * total)) / _FACTOR)


@contextmanager
def _fits_that_may_fail(specification: Mapping[str, Any], strength: float) -> Iterator[None]:
    """Turn a failure into one message, where pyhf logs a report besides, with a traceback."""
    import pyhf

    log = logging.getLogger("pyhf.optimize.mixins")
    was_disabled, log.disabled = log.disabled, True
    try:
        with np.errstate(all="ignore"):
            yield
    except pyhf.exceptions.FailedMinimization:
        bins = list(_bins_with_large_errors(specification))
        told = (
            f"the errors of the simulation are above {_LARGEST_ERROR:.0%} in {_listed(bins)}, "
            "simulate more events or join bins"
            if bins
            else "look for variations that are large in some bins"
        )
        raise ConfigError(
            f"no limit: the fit fails at {strength:.3g} times the signal; {told}"
        ) from None
    finally:
        log.disabled = was_disabled


def _check_contents(specification: Mapping[str, Any]) -> None:
    """Refuse bins that no number of events can be drawn of, with or without a signal."""
    bins = [
        f"{channel['name']} {i} ({content:.3g}{told})"
        for channel in specification["channels"]
        for is_signal, told in ((False, ""), (True, " of signal"))
        for i, content in enumerate(_sum(channel, _content, is_signal=is_signal), 1)
        if content < 0
    ]
    if bins:
        raise ConfigError(
            f"no limit: less than zero events are expected in {_listed(bins)}, simulate more "
            "events or join bins"
        )


def _bins_with_large_errors(specification: Mapping[str, Any]) -> Iterator[str]:
    """Bins, counted from one, whose background is hardly known."""
    for channel in specification["channels"]:
        content, variance = (_sum(channel, of, is_signal=False) for of in (_content, _variance))
        for i in np.flatnonzero(variance > (_LARGEST_ERROR * content) ** 2):
            yield f"{channel['name']} {i + 1} ({content[i]:.3g} +- {np.sqrt(variance[i]):.2g})"


def _sum(
    channel: Mapping[str, Any], of: Callable[[Mapping[str, Any]], FloatArray], *, is_signal: bool
) -> FloatArray:
    """Over all samples whose strength is free, or over all others."""
    found = [
        of(sample)
        for sample in channel["samples"]
        if is_signal == any(modifier["type"] == "normfactor" for modifier in sample["modifiers"])
    ]
    total: FloatArray = np.sum([np.zeros(len(channel["samples"][0]["data"])), *found], axis=0)
    return total


def _content(sample: Mapping[str, Any]) -> FloatArray:
    return np.asarray(sample["data"], dtype=np.float64)


def _variance(sample: Mapping[str, Any]) -> FloatArray:
    """That of the simulation."""
    errors = [one["data"] for one in sample["modifiers"] if one["type"] == "staterror"]
    total: FloatArray = np.sum([np.zeros(len(sample["data"])), *np.square(errors)], axis=0)
    return total


def _listed(bins: Sequence[str]) -> str:
    more = f" and {len(bins) - _MOST_TOLD} more" if len(bins) > _MOST_TOLD else ""
    return f"bins {', '.join(bins[:_MOST_TOLD])}{more}"
