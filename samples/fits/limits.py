"""Expected upper limits of a workspace, by the asymptotic formulas of arXiv:1007.1727."""

from __future__ import annotations

from collections.abc import Mapping
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
        There is no signal, or no strength of it is excluded.

    Notes
    -----
    With q_A(mu) of the Asimov data set without a signal, whose best fit is known, the limit with N
    standard deviations is where sqrt(q_A) = Phi^-1(1 - alpha Phi(N)) + N (eq. 89 and section 5 of
    arXiv:1007.1727, with CLs): one fit a strength, where pyhf's own `upper_limit` makes five.
    Minuit fits: SLSQP, which pyhf takes by itself, can stop where it starts, without a word.
    Between strengths log(mu) is interpolated in log(q_A); the lowest is below the limit without
    any systematic error.
    """
    if not 0 < level < 1:
        raise ConfigError(f"the confidence level must be between 0 and 1 (got {level})")
    with needed_for("limits", "fit"):
        import iminuit
        import pyhf
    model = pyhf.Workspace(specification).model()
    poi, best = model.config.poi_index, np.array(model.config.suggested_init())
    best[poi] = 1.0
    with_signal = model.expected_data(best, include_auxdata=False)
    best[poi] = 0.0
    asimov = model.expected_data(best)
    background = model.expected_data(best, include_auxdata=False)
    least = float(pyhf.infer.mle.twice_nll(best, asimov, model)[0])
    fixed = list(model.config.suggested_fixed())
    fixed[poi] = True

    def distance(point: Any) -> float:
        return float(pyhf.infer.mle.twice_nll(np.asarray(point), asimov, model)[0]) - least

    needed = ndtri(1 - (1 - level) * ndtr(_BANDS)) + _BANDS
    strength = _without_errors(with_signal - background, background, float(needed[0]))
    bounds = list(model.config.suggested_bounds())
    bounds[poi] = (0.0, strength * _FACTOR**_MOST_FITS)
    strengths: list[float] = []
    distances: list[float] = []
    while not distances or distances[-1] < needed[-1]:
        if len(strengths) == _MOST_FITS:
            raise ConfigError(f"no strength of the signal below {strength:.3g} is excluded")
        best[poi] = strength
        fit = iminuit.Minuit(distance, best)
        fit.strategy, fit.limits, fit.fixed = 0, bounds, fixed
        if not all(fixed):
            fit.migrad()
        strengths.append(strength)
        distances.append(np.sqrt(max(distance(fit.values), 1e-12)))
        strength *= _FACTOR
    rising = np.log(np.maximum.accumulate(distances))
    limits: FloatArray = np.exp(np.interp(np.log(needed), rising, np.log(strengths)))
    return limits


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
