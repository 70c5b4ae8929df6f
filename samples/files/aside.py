"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkbelle.errors import OutputError
from darkbelle.samples.files.hdf5 import check_target, reason_of

__all__ = ["aside"]


@contextmanager
def aside(path: str | Path, *, force: bool) -> Iterator[Path]:
    """A new file to write in the folder of the target, which takes its place when it is whole.

    It is on the disk before it is moved; whatever is raised, nothing of it remains.

    Raises
    ------
    OutputError
        The target exists (without ``force``), or the disk refuses it.
    """
    target = check_target(path, force=force)
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        check_target(path, force=force)
        part.replace(target)
    except (OSError, RuntimeError) as error:  # h5py raises either
        raise OutputError(f"cannot write '{path}': {reason_of(error)}") from None
    finally:
        part.unlink(missing_ok=True)
