"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from darkbelle.errors import OutputError

__all__ = [
    "aside",
    "beside",
    "check_apart",
    "check_target",
    "put_in_place",
    "reason_of",
    "replace_text",
]


def check_target(path: str | Path, *, force: bool) -> Path:
    """The real path of a file to write; one that exists or cannot be written is refused.

    Raises
    ------
    OutputError
        With the path and the remedy.
    """
    target = Path(path)
    try:
        target = target.resolve()
        if not target.name or target.is_dir():
            raise OutputError(f"'{path}' is a folder, not a file")
        if target.exists() and not target.is_file():
            raise OutputError(f"'{path}' is no ordinary file")
        if target.exists() and not force:
            raise OutputError(f"'{path}' exists already: choose another name, or use --force")
        if not target.parent.is_dir():
            raise OutputError(f"cannot write '{path}': there is no folder '{target.parent}'")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write '{path}': no permission in '{target.parent}'")
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror}") from None
    return target


def check_apart(targets: Sequence[Path], samples: Iterable[Path]) -> None:
    """Refuse to write one file twice, or in the place of a sample that is read.

    Parameters
    ----------
    targets
        Files to write, as `check_target` found them.
    samples
        Files to read.
    """
    taken = {path.resolve() for path in samples}
    for target in targets:
        if target in taken:
            raise OutputError(f"'{target}' is a sample, or named twice: choose another name")
        taken.add(target)


def beside(target: Path) -> Path:
    """A name in the folder of a file that nobody else has."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def put_in_place(part: Path, target: Path) -> None:
    """Move a file that is whole; what a power cut leaves is whole as well, the old or the new.

    Raises
    ------
    OSError
        The disk refuses it.
    """
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems know no such thing
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def aside(path: str | Path, *, force: bool) -> Iterator[Path]:
    """A new file to write in the folder of the target, which takes its place when it is whole.

    Whatever is raised, nothing of it remains.

    Raises
    ------
    OutputError
        The target exists (without ``force``), or the disk refuses it.
    """
    target = check_target(path, force=force)
    part = beside(target)
    try:
        yield part
        check_target(path, force=force)
        put_in_place(part, target)
    except (OSError, RuntimeError) as error:  # h5py raises either
        raise OutputError(f"cannot write '{path}': {reason_of(error)}") from None
    finally:
        part.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Put a text into a file, the whole or nothing; OutputError when the disk refuses it."""
    with aside(path, force=True) as part:
        part.write_text(text, encoding="utf-8", newline="")


def reason_of(error: Exception) -> str:
    """What went wrong, in a line: the system's word where there is one."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if told := re.search(r"\berrno = (\d+)", str(error)):  # as HDF5 has it, amid much else
        return os.strerror(int(told[1]))
    return str(error).partition("\n")[0]
