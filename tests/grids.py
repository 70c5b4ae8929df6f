"""Grids of which `make test` runs a few cases that span them, and `make validate` all others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest


def spanned(cases: Iterable[Any], few: Collection[Any] | Callable[[Any], bool]) -> list[Any]:
    """Parameters of a test: those that are not of the few are marked. A tuple is several."""
    is_chosen = few if callable(few) else few.__contains__
    return [
        pytest.param(
            *(case if type(case) is tuple else (case,)),
            marks=[] if is_chosen(case) else pytest.mark.validation,
        )
        for case in cases
    ]
