"""Libraries that only some uses need: the extras of the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from darkbelle.errors import MissingDependencyError

__all__ = ["needed_for"]


@contextmanager
def needed_for(purpose: str, extra: str) -> Iterator[None]:
    """Import optional libraries in such a block.

    Parameters
    ----------
    purpose
        What they are for.
    extra
        The extra of the package that holds them.

    Raises
    ------
    MissingDependencyError
        One of them is not installed: says which command does it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{error.name} is missing: pip install 'darkbelle[{extra}]' for {purpose}"
        ) from error
