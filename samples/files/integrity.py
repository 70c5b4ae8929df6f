"""Whether a sample is what was written, and does not contradict itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from darkbelle.errors import SampleFormatError
from darkbelle.samples.files.columns import CHUNK_ROWS
from darkbelle.samples.files.hdf5 import configuration_digests, digest_of
from darkbelle.samples.files.stored import read_header, reading, stored_lengths

__all__ = ["verify"]

_ROUNDING: Final = 1e-9
"""Relative, of a sum of weights that is added in another order."""


def verify(path: str | Path) -> str:
    """Check the bytes of a sample, and that its contents fit together.

    Checked are the digest in the file, those of its card and configuration, the lengths of all
    columns, that offsets begin at 0 and never fall, that numbers of events rise, and the totals.

    Returns
    -------
    digest
        As `darkbelle.samples.files.hdf5.digest_of`.

    Raises
    ------
    SampleFormatError
        With what is wrong.
    """
    where = Path(path)
    digest = digest_of(where)
    with reading(where) as file:
        complaint = _contradiction(file)
    if complaint:
        raise SampleFormatError(f"'{where}' contradicts itself: {complaint}")
    return digest


def _contradiction(file: h5py.File) -> str | None:
    """What does not fit in a file, None where all does."""
    header = read_header(file)
    systematics = filter(None, str(header.get("systematics", "")).split(", "))
    expected = configuration_digests(
        header["process"], header["parameters"], header["card"], *systematics
    )
    for name, value in expected.items():
        if header[name] != value:
            return f"{name} is not that of its text"
    n_events = int(header["n_stored"])
    if n_events > header["n_generated"]:
        return f"{n_events} events stored of {header['n_generated']} generated"
    for name, lengths in stored_lengths(file).items():
        if complaint := _misfit(file[name], lengths, n_events):
            return f"/{name}/{complaint}"
    return _wrong_numbers(file["events"], header)


def _misfit(group: h5py.Group, lengths: dict[str, int], n_events: int) -> str | None:
    """What is wrong with the rows of a group, after the name of the column."""
    n_rows = n_events
    if "offsets" in lengths:
        n_offsets, offsets = lengths.pop("offsets"), group["offsets"]
        if n_offsets != n_events + 1:
            return f"offsets has {n_offsets} rows instead of {n_events + 1}"
        if offsets[0] != 0 or not _rises(offsets):
            return "offsets do not rise from 0"
        n_rows = int(offsets[-1])
    for name, length in lengths.items():
        if length != n_rows:
            return f"{name} has {length} rows instead of {n_rows}"
    return None


def _wrong_numbers(events: h5py.Group, header: dict[str, Any]) -> str | None:
    """Which total, or which number of an event, cannot be."""
    if not _rises(events["event_id"], least_step=1):
        return "/events/event_id does not rise"
    sums, size = np.zeros(2), 0.0
    for start in range(0, int(header["n_stored"]), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        weight = events["weight"][rows]
        sums += weight.sum(), np.sum(weight**2)
        size += np.sum(np.abs(weight))
    for name, found, scale in zip(("sum_w", "sum_w2"), sums, (size, sums[1]), strict=True):
        if not abs(header[name] - found) <= _ROUNDING * scale:
            return f"{name} is {header[name]:.9g}, its events add up to {found:.9g}"
    return None


def _rises(column: h5py.Dataset, least_step: int = 0) -> bool:
    """Whether each value is that before it and a least step, or more."""
    return all(
        np.all(np.diff(column[start : start + CHUNK_ROWS + 1]) >= least_step)
        for start in range(0, len(column), CHUNK_ROWS)
    )
