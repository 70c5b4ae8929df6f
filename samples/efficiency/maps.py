"""Efficiencies over a grid: rows of parameters, lifetimes and bins, to keep and to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, SampleFormatError, did_you_mean
from darkbelle.samples.efficiency.interpolation import Interpolated, interpolate
from darkbelle.samples.files.flat import read_table, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EfficiencyMap"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

FORMAT: Final = "darkbelle-efficiency"
_TEXTS: Final = ("process", "experiment", "selection", "trigger", "correlated")
_FIRST_MEASURED: Final = "n_events"
_MEASURED: Final = (
    *(_FIRST_MEASURED, "n_pass", "n_total", "eff", "eff_lo", "eff_hi", "eff_stat", "eff_syst"),
)


@dataclass(frozen=True, slots=True, repr=False)
class EfficiencyMap:
    """Efficiencies, a row each.

    Attributes
    ----------
    columns
        Numbers or texts, all of one length. First what a row is: process, experiment, selection,
        trigger, parameters, ends of bins such as ``decay_radius_lo``. Then what was found:
        ``n_events`` (not weighted), ``n_pass`` and ``n_total`` (sums of weights), ``eff`` with the
        interval ``eff_lo`` to ``eff_hi``, its statistical standard deviation ``eff_stat``; with
        systematic variations ``eff_syst``, ``eff_NAME_up`` and ``eff_NAME_down``, and in
        ``correlated`` the names of those that other experiments share. Rows of one sample and bin
        at several lifetimes have events in common: they have one ``group``, and ``corr_K`` is the
        correlation of their statistical errors with that of its ``member`` K.
    """

    columns: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Array:
        if name not in self.columns:
            raise ConfigError(f"the map has no column '{name}', {did_you_mean(name, self.columns)}")
        return self.columns[name]

    def __repr__(self) -> str:
        return f"<EfficiencyMap: {len(self)} rows over {', '.join(self.varying) or 'nothing'}>"

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns that say what a row is."""
        names = list(self.columns)
        return tuple(names[: names.index(_FIRST_MEASURED)])

    @property
    def varying(self) -> tuple[str, ...]:
        """Coordinates that are not the same in all rows."""
        return tuple(
            name
            for name in self.coordinates
            if any(_differs(value, self.columns[name][0]) for value in self.columns[name])
        )

    @property
    def systematics(self) -> tuple[str, ...]:
        """Names of the systematic errors that some row has."""
        ending = "_up"
        return tuple(
            name.removeprefix("eff_").removesuffix(ending)
            for name in self.columns
            if name.startswith("eff_") and name.endswith(ending)
        )

    def where(self, **conditions: float | str | tuple[float, float]) -> EfficiencyMap:
        """Rows whose columns have these values, or lie between two of them.

        Raises
        ------
        ConfigError
            An unknown column, or no such row.
        """
        chosen = np.ones(len(self), dtype=bool)
        for name, wanted in conditions.items():
            column = self[name]
            if isinstance(wanted, tuple):
                chosen &= (column >= wanted[0]) & (column <= wanted[1])
            elif column.dtype.kind == "U" or isinstance(wanted, str):
                chosen &= column.astype(str) == str(wanted)
            else:
                chosen &= np.isclose(column, wanted, rtol=1e-9, atol=0)
            if not chosen.any():
                found = ", ".join(str(value) for value in np.unique(column)[:12])
                raise ConfigError(f"no row has {name} = {wanted}: there are {found}")
        return self.take(np.flatnonzero(chosen))

    def take(self, rows: npt.NDArray[np.integer]) -> EfficiencyMap:
        """Some rows, in that order."""
        return EfficiencyMap({name: values[rows] for name, values in self.columns.items()})

    def shifts(self, systematic: str) -> FloatArray:
        """By how much a systematic error moves each efficiency, with its sign.

        Half of up less down; zero in rows of samples that do not carry it.
        """
        up, down = (self[f"eff_{systematic}_{way}"] for way in ("up", "down"))
        return np.nan_to_num((up - down) / 2)

    def statistical_covariance(self) -> FloatArray:
        """Covariance of the statistical errors, shape (n_rows, n_rows).

        Rows of one sample and bin at several lifetimes share its events; all others have their own.
        """
        stat = self["eff_stat"]
        covariance = np.diag(stat**2)
        if "group" not in self.columns or len(self) == 0:
            return covariance
        group, member = self["group"], self["member"].astype(np.intp)
        with_member = np.stack([self[f"corr_{k}"] for k in range(member.max() + 1)], axis=1)
        shared = np.equal.outer(group, group) & ~np.eye(len(self), dtype=bool)
        return np.where(shared, with_member[:, member] * np.outer(stat, stat), covariance)

    def covariance(self) -> FloatArray:
        """Covariance of the efficiencies, shape (n_rows, n_rows).

        That of the statistical errors, and each systematic error fully correlated within an
        experiment, and between two that both say that it is; different ones are independent.
        """
        covariance = self.statistical_covariance()
        if not self.systematics:
            return covariance
        experiment = self["experiment"]
        same = experiment[:, None] == experiment
        for name in self.systematics:
            shift = self.shifts(name)
            shared = np.array([name in names.split() for names in self["correlated"]], dtype=bool)
            covariance += np.where(same | (shared[:, None] & shared), np.outer(shift, shift), 0.0)
        return covariance

    def interpolate(self, **point: float | str) -> Interpolated:
        """The efficiency between rows, with its errors.

        Parameters
        ----------
        point
            A value for each coordinate that varies: numbers between those of the rows, which must
            make a full grid; texts as they are.

        Raises
        ------
        ConfigError
            A point outside of the grid, a grid with holes, or a coordinate that is left open.
        """
        texts = {name: value for name, value in point.items() if self[name].dtype.kind == "U"}
        chosen = self.where(**texts)
        numbers = {name: float(value) for name, value in point.items() if name not in texts}
        for name in chosen.varying:
            if name not in point:
                found = ", ".join(str(value) for value in np.unique(chosen[name])[:12])
                raise ConfigError(f"the map varies in {name} too, say where: {name} = {found}")
        axes = {name: chosen[name] for name in numbers}
        shifts = {name: chosen.shifts(name) for name in chosen.systematics}
        return interpolate(axes, numbers, chosen["eff"], chosen.statistical_covariance(), shifts)

    def draw(self) -> Figure:
        """A picture: lines with intervals over one coordinate, or maps over two."""
        from darkbelle.samples.pictures.maps import draw_map

        return draw_map(self)

    def write(self, path: str | Path, *, force: bool = True) -> None:
        """Write CSV or HDF5, by the ending of the name; without ``force`` only a new file."""
        write_table(path, self.columns, format_name=FORMAT, force=force)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote; SampleFormatError where that is something else."""
        columns = read_table(path, format_name=FORMAT, texts=_TEXTS)
        missing = {*_MEASURED[:-1], *_TEXTS[:-1]} - columns.keys()
        if missing:
            raise SampleFormatError(
                f"'{path}' is no table of efficiencies: it has no {', '.join(sorted(missing))}"
            )
        return cls(columns)


def _differs(value: Any, other: Any) -> bool:
    return bool(value != other) and not (value != value and other != other)  # NaN is like NaN
