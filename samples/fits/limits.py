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
_SCANNED: Final = np.geomspace(1e-3, 1.0, 10)
"""Strengths of the signal, as shares of the largest that the workspace allows."""


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
        A limit lies outside of 0.001 to 1 of the bounds of the strength: scale the signal.

    Notes
    -----
    With q_A(mu) of the Asimov data set without a signal, whose best fit is known, the limit with N
    standard deviations is where sqrt(q_A) = Phi^-1(1 - alpha Phi(N)) + N (eq. 89 and section 5 of
    arXiv:1007.1727, with CLs): one fit a strength, where pyhf's own `upper_limit` makes five in
    each step of six searches. Between them log(mu) is interpolated in log(q_A).
    """
    if not 0 < level < 1:
        raise ConfigError(f"the confidence level must be between 0 and 1 (got {level})")
    with needed_for("limits", "fit"):
        import pyhf
    model = pyhf.Workspace(specification).model()
    best = np.array(model.config.suggested_init())
    best[model.config.poi_index] = 0.0
    asimov = model.expected_data(best)
    least = float(pyhf.infer.mle.twice_nll(best, asimov, model)[0])
    strengths = _SCANNED * model.config.suggested_bounds()[model.config.poi_index][1]
    fits = (
        pyhf.infer.mle.fixed_poi_fit(strength, asimov, model, return_fitted_val=True)[1]
        for strength in strengths
    )
    distance = np.sqrt(np.maximum(np.array([float(one) for one in fits]) - least, 1e-12))
    needed = ndtri(1 - (1 - level) * ndtr(_BANDS)) + _BANDS
    if needed[0] < distance[0] or needed[-1] > distance[-1]:
        raise ConfigError(
            f"limits lie outside of the strengths {strengths[0]:g} to {strengths[-1]:g}: scale the "
            "signal so that its strength is about one"
        )
    limits: FloatArray = np.exp(
        np.interp(np.log(needed), np.log(np.maximum.accumulate(distance)), np.log(strengths))
    )
    return limits
