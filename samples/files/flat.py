"""Tables of columns that programs without this package read: CSV, or HDF5 with a dataset each."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, SampleFormatError
from darkbelle.samples.files.aside import aside

__all__ = ["check_ending", "read_table", "write_table"]

Array = npt.NDArray[Any]

_ENDINGS: Final = (".csv", ".h5")


def check_ending(path: str | Path) -> None:
    """Refuse a name of which `write_table` does not know what to write."""
    if Path(path).suffix not in _ENDINGS:
        raise ConfigError(f"'{path}': tables are kept as {' or '.join(_ENDINGS)}")


def write_table(
    path: str | Path, columns: Mapping[str, Array], *, format_name: str, force: bool
) -> None:
    """Write columns of one length as CSV or HDF5, by the ending of the name.

    CSV has a line of names and numbers to their last digit; HDF5 a dataset a column, texts as UTF-8
    of fixed length, and the name of the format as an attribute.
    """
    check_ending(path)
    with aside(path, force=force) as part:
        if Path(path).suffix == ".csv":
            _write_csv(part, columns)
        else:
            _write_hdf5(part, columns, format_name)


def read_table(
    path: str | Path, *, format_name: str, texts: Collection[str] = ()
) -> dict[str, Array]:
    """Read what `write_table` wrote.

    Parameters
    ----------
    path
        The file.
    format_name
        Of the table.
    texts
        Columns that are texts even if they look like numbers.

    Raises
    ------
    SampleFormatError
        It is something else, or damaged.
    """
    check_ending(path)
    if Path(path).suffix == ".csv":
        return _read_csv(path, texts)
    return _read_hdf5(path, format_name)


def _write_csv(path: Path, columns: Mapping[str, Array]) -> None:
    lists = [values.tolist() for values in columns.values()]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(list(columns))
        writer.writerows(zip(*lists, strict=True))


def _write_hdf5(path: Path, columns: Mapping[str, Array], format_name: str) -> None:
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs["format"] = format_name
        file.attrs["columns"] = ", ".join(columns)
        for name, values in columns.items():
            stored = np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values
            file.create_dataset(name, data=stored, track_times=False)


def _read_csv(path: str | Path, texts: Collection[str]) -> dict[str, Array]:
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SampleFormatError(f"cannot read '{path}': {error}") from None
    names = rows[0] if rows else []
    if any(len(row) != len(names) for row in rows):
        raise SampleFormatError(f"'{path}' is damaged: its lines differ in length")
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(names)
    return {
        name: _column(values, is_text=name in texts)
        for name, values in zip(names, cells, strict=True)
    }


def _column(cells: Sequence[str], *, is_text: bool) -> Array:
    """Numbers where all of them are, else texts."""
    if not is_text:
        try:
            return np.array([float(cell) for cell in cells])
        except ValueError:
            pass
    return np.array(cells, dtype=np.str_)


def _read_hdf5(path: str | Path, format_name: str) -> dict[str, Array]:
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != format_name:
                raise SampleFormatError(f"'{path}' is no table of the format {format_name}")
            names = str(file.attrs["columns"]).split(", ")
            columns = {name: file[name][()] for name in names}
    except (OSError, KeyError) as error:
        raise SampleFormatError(f"cannot read '{path}': {error}") from None
    return {
        name: np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
        for name, values in columns.items()
    }
