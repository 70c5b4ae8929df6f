"""Signal shapes against the mass: a small table of fitted parameters, interpolated between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator

from darkbelle.errors import ConfigError, SampleFormatError
from darkbelle.samples.efficiency.expressions import Expression
from darkbelle.samples.efficiency.scanning import trigger_of
from darkbelle.samples.efficiency.selecting import EventColumns, Selection, selection_of
from darkbelle.samples.efficiency.sources import files_by_point, sample_files
from darkbelle.samples.efficiency.sums import Question
from darkbelle.samples.files.flat import read_table, write_table
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.fits.crystal_ball import DoubleCrystalBall
from darkbelle.samples.fits.shape_fit import PARAMETERS, ShapeFit, fit_shape
from darkbelle.samples.fits.templates import EVERYTHING
from darkbelle.samples.progress import Progress, silent

__all__ = ["ShapeTable", "fit_shapes"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

FORMAT: Final = "darkbelle-shapes"
_TEXTS: Final = ("process", "experiment", "observable", "parameter")
_ERRORS: Final = tuple(f"{name}_err" for name in PARAMETERS)
_QUALITY: Final = ("lo", "hi", "n_effective", "chi2", "ndof", "p_value")
_NUMBERS: Final = ("mass", *PARAMETERS, *_ERRORS, *_QUALITY)


@dataclass(frozen=True, slots=True, repr=False)
class ShapeTable:
    """Shapes of a signal against its mass, a row each, by rising mass.

    Attributes
    ----------
    columns
        Texts ``process``, ``experiment``, ``observable``, ``parameter`` (whose values are in
        ``mass``), the same in all rows; ``mass``; the parameters of `DoubleCrystalBall` with their
        standard deviations ``..._err`` (zero where one is kept at its bound); the range ``lo`` to
        ``hi`` of the fit, its effective events, chi^2, degrees of freedom and p-value.
    """

    columns: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.columns["mass"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __repr__(self) -> str:
        return f"<ShapeTable: {len(self)} shapes of {self['observable'][0]}>"

    def at(self, mass: float) -> DoubleCrystalBall:
        """The shape at a mass, between those of the table.

        The mean follows a cubic spline, the others (sigma and the powers by their logarithms)
        monotone cubic pieces, which do not overshoot.

        Raises
        ------
        ConfigError
            A mass outside of the table.
        """
        masses = self["mass"]
        if not masses[0] <= mass <= masses[-1]:
            raise ConfigError(
                f"mass = {mass:g} is outside of the table, {masses[0]:g} to {masses[-1]:g}"
            )
        if len(masses) == 1:
            return DoubleCrystalBall(*(float(self[name][0]) for name in PARAMETERS))
        found = {"mean": float(CubicSpline(masses, self["mean"])(mass))}
        for name in PARAMETERS[1:]:
            is_scale = not name.startswith("alpha")
            values = np.log(self[name]) if is_scale else self[name]
            value = float(PchipInterpolator(masses, values)(mass))
            found[name] = float(np.exp(value)) if is_scale else value
        return DoubleCrystalBall(**found)

    def pdf(
        self, x: npt.ArrayLike, mass: float, within: tuple[float, float] | None = None
    ) -> FloatArray:
        """Density of the observable for a mass, normalised over all values or over a range."""
        return self.at(mass).pdf(x, within)

    def write(self, path: str | Path, *, force: bool = True) -> None:
        """Write CSV or HDF5, by the ending of the name."""
        write_table(path, self.columns, format_name=FORMAT, force=force)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote; SampleFormatError where that is something else."""
        columns = read_table(path, format_name=FORMAT, texts=_TEXTS)
        if missing := {*_TEXTS, *_NUMBERS} - columns.keys():
            raise SampleFormatError(
                f"'{path}' is no table of shapes: it has no {', '.join(sorted(missing))}"
            )
        if not len(columns["mass"]):
            raise SampleFormatError(f"'{path}' is no table of shapes: it has no rows")
        return cls(columns)


def fit_shapes(
    files: str | Path | Iterable[str | Path],
    observable: str,
    *,
    selection: str | Selection = EVERYTHING,
    trigger: str | Iterable[str] = "none",
    parameter: str = "mass",
    within: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> tuple[ShapeTable, list[ShapeFit]]:
    """Fit the shape of an observable in each sample of a scan.

    Parameters
    ----------
    files, selection, trigger, progress
        As those of `efficiency_map`; samples of one point are taken together.
    observable
        A column of the events, or an expression.
    parameter
        Of the process, against which the table is made.
    within
        The range to fit relative to the value of the parameter, e.g. (-0.5, 0.5); if not given,
        that of `fit_shape`.

    Raises
    ------
    ConfigError
        A column, selection or parameter that cannot be; two points of one value of the parameter;
        too few events.
    """
    asked = selection_of(selection) if isinstance(selection, str) else selection
    question = Question(asked, trigger_of(trigger), ({},), {})
    points = files_by_point(sample_files(files))
    done = progress("samples", sum(map(len, points.values())))
    fitted: dict[float, ShapeFit] = {}
    labels: set[tuple[str, str]] = set()
    for paths in points.values():
        pieces = []
        for path in paths:
            with Sample(path) as sample:
                mass = _value_of(sample, parameter)
                labels.add((sample.attributes["process"], sample.experiment.name))
                pieces.append(_passing(sample, observable, question))
            done(1)
        if mass in fitted:
            raise ConfigError(f"two points have {parameter} = {mass:g}: fit one scan at a time")
        values, weights = (np.concatenate(part) for part in zip(*pieces, strict=True))
        window = None if within is None else (mass + within[0], mass + within[1])
        try:
            fitted[mass] = fit_shape(values, weights, window)
        except ConfigError as error:
            raise ConfigError(f"'{paths[0]}', {parameter} = {mass:g}: {error}") from None
    if len(labels) > 1:
        raise ConfigError("shapes are those of one process and experiment: fit one at a time")
    fitted = dict(sorted(fitted.items()))
    (process, experiment), n = labels.pop(), len(fitted)
    texts = dict(zip(_TEXTS, (process, experiment, observable, parameter), strict=True))
    columns: dict[str, Array] = {name: np.full(n, text) for name, text in texts.items()}
    rows = np.array([(mass, *_row(fit)) for mass, fit in fitted.items()])
    return ShapeTable(columns | dict(zip(_NUMBERS, rows.T, strict=True))), list(fitted.values())


def _value_of(sample: Sample, parameter: str) -> float:
    """Of a parameter of the process."""
    value = sample.parameters.get(parameter)
    if isinstance(value, bool) or not isinstance(value, int | float):
        name = sample.attributes["process"]
        raise ConfigError(f"'{sample.path}': {name} has no number '{parameter}' to scan")
    return float(value)


def _passing(sample: Sample, observable: str, question: Question) -> tuple[FloatArray, FloatArray]:
    """Values of the observable and weights of what passes."""
    passed = question.passed(sample)
    values = np.broadcast_to(Expression(observable)(EventColumns(sample)), len(sample))
    return values[passed].astype(np.float64), sample.column("events", "weight")[passed]


def _row(fit: ShapeFit) -> tuple[float, ...]:
    """Numbers of a table's row after the mass."""
    chi2, n_free = fit.chi2()
    quality = fit.edges[0], fit.edges[-1], fit.n_effective, chi2, n_free, fit.p_value
    return (*astuple(fit.shape), *fit.errors, *quality)
