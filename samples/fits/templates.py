"""Expected counts in bins of an observable, with their statistical and systematic errors.

A sample whose cross-section sigma belongs to the sum of weights w stands for the luminosity
w/sigma:
each of its weights counts sigma L/w events at the luminosity L.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.extras import needed_for
from darkbelle.gen.processes import Source
from darkbelle.samples.efficiency.lifetimes import FEWEST_EFFECTIVE
from darkbelle.samples.efficiency.scanning import bins_of, trigger_of
from darkbelle.samples.efficiency.selecting import Selection, selection_of
from darkbelle.samples.efficiency.sources import files_by_point, sample_files
from darkbelle.samples.efficiency.sums import Question, Sums
from darkbelle.samples.files.flat import write_table
from darkbelle.samples.files.merging import mean_cross_section, weights_of_cross_section
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.fits.couplings import rescaling
from darkbelle.samples.fits.names import told_apart
from darkbelle.samples.progress import Progress, silent

if TYPE_CHECKING:
    from hist import Hist

__all__ = ["EVERYTHING", "Template", "templates", "write_templates"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

EVERYTHING: Final = "True"
"""The selection that all events pass."""
FORMAT: Final = "darkbelle-templates"


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Expected counts of one point of parameters, in one experiment."""

    process: str
    experiment: str
    parameters: Mapping[str, Any]
    observable: str
    """A column, or an expression; empty where there is one bin for all"""
    unit: str
    edges: FloatArray
    """Of the bins, which hold their lower edge; events outside are left out, shape (n + 1,)"""
    expected: FloatArray
    """Shape (n,)"""
    variance: FloatArray
    """Of the simulation: of sums of weights, shape (n,)"""
    varied: Mapping[str, FloatArray]
    """Expected counts with each systematic variation, such as "tracking_up", shape (n,) each"""
    correlated: frozenset[str]
    """Systematic errors that other experiments share"""
    rate_error: float
    """Relative and statistical, of the cross-section as it was calculated"""
    theory_error: float = 0.0
    """Relative, of a cross-section that was taken from elsewhere, the same wherever it is used"""
    variant: str = ""
    """What tells its cross-section from others of the process, such as the final state"""

    @property
    def name(self) -> str:
        """What it is a template of, such as "tautau" or "pythia charm"."""
        return f"{self.process} {self.variant}".rstrip()

    @property
    def systematics(self) -> tuple[str, ...]:
        """Names of the systematic errors."""
        return tuple(name.removesuffix("_up") for name in self.varied if name.endswith("_up"))

    def shift(self, systematic: str) -> FloatArray:
        """By how much a systematic error moves the counts: half of up less down, shape (n,)."""
        up, down = (self.varied[f"{systematic}_{way}"] for way in ("up", "down"))
        return (up - down) / 2

    def histogram(self) -> Hist[Any]:
        """All of it as a `hist.Hist` with weights, a second axis "variation" beside the first.

        Its entries are "nominal" and the names of the variations, whose statistical errors are
        taken to be those of the nominal counts.
        """
        with needed_for("histograms", "fit"):
            import hist
        names = ["nominal", *self.varied]
        filled = hist.Hist(
            hist.axis.Variable(self.edges, name="observable", label=self._label(), flow=False),
            hist.axis.StrCategory(names, name="variation", flow=False),
            storage=hist.storage.Weight(),
        )
        content = np.stack([self.expected, *self.varied.values()], axis=-1)
        spread = np.broadcast_to(self.variance[:, None], content.shape)
        filled[...] = np.stack([content, spread], axis=-1)
        return filled

    def _label(self) -> str:
        return f"{self.observable} [{self.unit}]" if self.unit else self.observable


def templates(
    files: str | Path | Iterable[str | Path],
    observable: str,
    edges: Sequence[float],
    lumi: float | Mapping[str, float],
    *,
    selection: str | Selection = EVERYTHING,
    trigger: str | Iterable[str] = "none",
    couplings: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> list[Template]:
    """A template of each point of parameters among some samples.

    Parameters
    ----------
    files, selection, trigger, progress
        As those of `efficiency_map`.
    observable
        A column of the events, or an expression.
    edges
        Of its bins.
    lumi
        Integrated luminosity [1/fb], one for all or by the names of experiments.
    couplings
        Other couplings or lifetimes than those of the samples, cf. `rescaling`.

    Raises
    ------
    ConfigError
        A selection, column, bin or coupling that cannot be, a process without a cross-section, or
        an experiment without a luminosity.
    MergeError
        The same events twice.
    SampleFormatError
        A file that is no sample.
    """
    asked = selection_of(selection) if isinstance(selection, str) else selection
    bins = bins_of({observable: edges}) if observable else {}
    lines = trigger_of(trigger)
    found = []
    paths_of = files_by_point(sample_files(files))
    done = progress("samples", sum(map(len, paths_of.values())))
    for paths in paths_of.values():
        with Sample(paths[0]) as first:
            other, scaled = rescaling(first.process, first.experiment.collider, couplings or {})
            question = Question(asked, lines, (dict(scaled.lifetimes or {}),), bins)
            sums = Sums.like(first, question)
            unit = first.units("events").get(observable, "")
        headers = []
        for path in paths:
            with Sample(path) as sample:
                headers.append(sample.attributes)
                sums.add(sample)
            done(1)
        sums.check(FEWEST_EFFECTIVE)
        binned = (observable, unit, bins)
        found.append(_template(sums, headers, lumi, binned, other, scaled.rate))
    return found


def _template(
    sums: Sums,
    headers: Sequence[Mapping[str, Any]],
    lumi: float | Mapping[str, float],
    binned: tuple[str, str, Mapping[str, FloatArray]],
    source: Source,
    rate: float,
) -> Template:
    """Sums over the samples of a point, scaled to a luminosity."""
    observable, unit, bins = binned
    process, experiment = str(sums.labels["process"]), str(sums.labels["experiment"])
    if not all("xsec" in header for header in headers):
        raise ConfigError(
            f"'{sums.files[0]}': {process} has no cross-section, and no expected counts"
        )
    xsec = mean_cross_section(headers)
    sum_w = sum(map(weights_of_cross_section, headers))
    if sum_w < 0 or (sum_w == 0 and any(header["n_stored"] for header in headers)):
        raise ConfigError(
            f"'{sums.files[0]}': its weights add up to {sum_w:g}, and a cross-section belongs to a "
            "positive sum: more events are needed"
        )
    expected = _luminosity(lumi, experiment) * xsec.value * rate
    scale = expected / sum_w if sum_w else 0.0
    error = xsec.error / xsec.value if xsec.value else 0.0
    return Template(
        process,
        experiment,
        source.model_dump(mode="json"),
        observable,
        unit,
        edges=bins[observable] if bins else np.array([-np.inf, np.inf]),
        expected=scale * sums.sums[0, 0],
        variance=scale**2 * sums.products[0, 0, 0],
        varied={name: scale * one.corrected()[0, 0] for name, one in sums.varied.items()},
        correlated=frozenset(sums.correlated),
        rate_error=0.0 if source.has_quoted_rate else error,
        theory_error=error if source.has_quoted_rate else 0.0,
        variant=source.variant,
    )


def _luminosity(lumi: float | Mapping[str, float], experiment: str) -> float:
    """That of an experiment [1/fb]."""
    if isinstance(lumi, Mapping):
        if experiment not in lumi:
            told = did_you_mean(experiment, lumi)
            raise ConfigError(f"lumi: none is given for {experiment}, {told}")
        lumi = lumi[experiment]
    if not 0 < lumi < np.inf:
        raise ConfigError(f"lumi must be positive and finite (got {lumi} 1/fb)")
    return lumi


def write_templates(path: str | Path, found: Sequence[Template], *, force: bool = True) -> None:
    """Write templates as a table, CSV or HDF5, with a row for each bin.

    Columns: ``process``, ``name`` (cf. `told_apart`), ``experiment``, ``point`` (number of the
    template), ``observable``, ``lo``, ``hi``, ``expected``, ``variance``, and
    ``expected_NAME_up`` and ``_down`` of each systematic error, NaN where a template has none of
    that name.
    """
    names = sorted({name for one in found for name in one.varied})
    sizes = [len(one.expected) for one in found]
    columns: dict[str, Array] = {
        "process": np.repeat(np.array([one.process for one in found], dtype=np.str_), sizes),
        "name": np.repeat(np.array(told_apart(found), dtype=np.str_), sizes),
        "experiment": np.repeat(np.array([one.experiment for one in found], dtype=np.str_), sizes),
        "point": np.repeat(np.arange(len(found)), sizes),
        "observable": np.repeat(np.array([one.observable for one in found], dtype=np.str_), sizes),
        "lo": _joined([one.edges[:-1] for one in found]),
        "hi": _joined([one.edges[1:] for one in found]),
        "expected": _joined([one.expected for one in found]),
        "variance": _joined([one.variance for one in found]),
    }
    for name in names:
        columns[f"expected_{name}"] = _joined(
            [one.varied.get(name, np.full_like(one.expected, np.nan)) for one in found]
        )
    write_table(path, columns, format_name=FORMAT, force=force)


def _joined(pieces: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *pieces])
