"""Samples as awkward arrays: particles and tracks behave as vectors of the ``vector`` package."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import awkward as ak
import h5py
import numpy as np
import numpy.typing as npt
import vector.backends.awkward

from darkbelle.detsim import TriggerTable
from darkbelle.detsim.helix import HelixIndex, momentum, unpack
from darkbelle.errors import ConfigError, SampleFormatError, did_you_mean
from darkbelle.gen import CrossSection
from darkbelle.gen.processes import Source, find_source
from darkbelle.geometry import Experiment
from darkbelle.records import columns as columns_of
from darkbelle.samples.files.columns import CHUNK_ROWS
from darkbelle.samples.files.hdf5 import DAMAGES, EFFICIENCY_ENDING, open_checked, read_text
from darkbelle.samples.files.trigger_lines import check_decisions, line_names
from darkbelle.samples.files.variations import (
    VARIATIONS,
    WEIGHTS,
    Variation,
    VariationKind,
    find_variations,
)

__all__ = ["Sample", "open"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]

_ONE_ROW_AN_EVENT = ("events", "trigger")
_WEIGHT = ("events", "weight")
_COLLECTIONS = (
    "events",
    "particles",
    "tracks",
    "vertices",
    "clusters",
    "klm_clusters",
    "trigger",
)


class Sample:
    """A sample on disk; a collection is read when it is first asked for.

    Raises
    ------
    SampleFormatError
        The file is missing, damaged, unfinished, or no sample.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.variation: Variation | None = None
        self._file = open_checked(path)
        self.attributes: dict[str, Any] = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self._file.attrs.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self.attributes["n_stored"])

    def close(self) -> None:
        """Close the file; what was read stays."""
        self._file.close()

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the process."""
        with self._damage("parameters"):
            parameters: dict[str, Any] = json.loads(read_text(self._file, "parameters"))
            return parameters

    @cached_property
    def process(self) -> Source:
        """The process with its parameters; a plugin's needs the plugin."""
        return find_source(self.attributes["process"])(**self.parameters)

    @cached_property
    def experiment(self) -> Experiment:
        """The card that the sample was made with."""
        with self._damage("card"):
            return _experiment(read_text(self._file, "card"))

    @property
    def cross_section(self) -> CrossSection | None:
        """Cross-section of the final state [fb], None where the process has none."""
        if "xsec" not in self.attributes:
            return None
        with self._damage("xsec_err"):
            return CrossSection(self.attributes["xsec"], self.attributes["xsec_err"])

    @property
    def efficiencies(self) -> dict[str, float]:
        """Shares of tried events that the steps of the generation kept, by their names."""
        ending = EFFICIENCY_ENDING
        return {
            name.removesuffix(ending): value
            for name, value in self.attributes.items()
            if name.endswith(ending)
        }

    @cached_property
    def variations(self) -> dict[str, Variation]:
        """The systematic variations that the sample carries, by names such as "tracking_up"."""
        with self._damage(f"/{WEIGHTS} or /{VARIATIONS}"):
            return find_variations(self._file)

    def varied(self, name: str) -> Self:
        """The same sample with a systematic variation, for any selection that runs on it.

        Its events have other weights, or some of its columns other values; the attributes, such as
        ``sum_w``, stay those of the nominal sample. It shares the file with this one.

        Raises
        ------
        ConfigError
            The sample carries no such variation.
        """
        if name not in self.variations:
            raise ConfigError(
                f"'{self.path}' has no variation '{name}', {did_you_mean(name, self.variations)}"
            )
        other = copy.copy(self)
        for collection in _COLLECTIONS:
            other.__dict__.pop(collection, None)  # what was read of the nominal one
        other.variation = self.variations[name]
        return other

    @cached_property
    def events(self) -> Any:
        """One record an event: identity, weight, collision point, observables."""
        return _record(self._columns("events"))

    @cached_property
    def particles(self) -> Any:
        """True particles as Momentum4D, with ``vertex`` and ``decay_vertex`` (x, y, z, t)."""
        with self._damage("/particles"):
            columns = self._columns("particles")
            offsets = columns.pop("offsets")
            vertex = {axis: columns.pop(axis) for axis in "xyzt"}
            decay_vertex = {axis: columns.pop(f"decay_{axis}") for axis in "xyzt"}
            fields = {name: ak.Array(values) for name, values in columns.items()}
            fields["vertex"] = _record(vertex, name="Vector4D")
            fields["decay_vertex"] = _record(decay_vertex, name="Vector4D")
            return _ragged(_record(fields, name="Momentum4D"), offsets)

    @cached_property
    def tracks(self) -> Any:
        """Tracks as Momentum3D, with d0 ... tan_lambda, the matrix ``cov``, pid_mu_tight ..."""
        field = self.experiment.solenoid.field_t
        with self._damage("/tracks"):
            columns = self._columns("tracks")
            offsets, helix = columns.pop("offsets"), columns.pop("helix").astype(np.float64)
            p = momentum(helix, field)
            columns |= {"px": p[:, 0], "py": p[:, 1], "pz": p[:, 2]}
            columns |= {index.name.lower(): helix[:, index] for index in HelixIndex}
            columns["cov"] = unpack(columns["cov"].astype(np.float64))
            points = self.experiment.identification.point_names
            pid = zip(points, columns.pop("pid").T, strict=True)
            columns |= {f"pid_{point}": decisions for point, decisions in pid}
            return _ragged(_record(columns, name="Momentum3D"), offsets)

    @cached_property
    def vertices(self) -> Any:
        """Two-track vertices as Momentum3D, with ``position`` (x, y, z) and the matrix ``cov``."""
        with self._damage("/vertices"):
            columns = self._columns("vertices")
            offsets = columns.pop("offsets")
            position = {axis: columns.pop(axis) for axis in "xyz"}
            columns["position"] = _record(position, name="Vector3D")
            columns["cov"] = unpack(columns["cov"].astype(np.float64))
            return _ragged(_record(columns, name="Momentum3D"), offsets)

    @cached_property
    def clusters(self) -> Any:
        """Clusters of the calorimeter as they were measured, cf. `candidates.photons`."""
        with self._damage("/clusters"):
            columns = self._columns("clusters")
            offsets = columns.pop("offsets")
            for name in ("energy", "theta", "phi", "r"):  # from which momenta are made
                columns[name] = columns[name].astype(np.float64)
            return _ragged(_record(columns), offsets)

    @cached_property
    def klm_clusters(self) -> Any:
        """Clusters of the K_L and muon system, with their ``position`` (x, y, z)."""
        with self._damage("/klm_clusters"):
            columns = self._columns("klm_clusters")
            offsets = columns.pop("offsets")
            position = {axis: columns.pop(axis) for axis in "xyz"}
            columns["position"] = _record(position, name="Vector3D")
            return _ragged(_record(columns), offsets)

    @cached_property
    def trigger(self) -> Any:
        """One record an event: ``l1.ffo``, ``l1_prescaled.ffo`` ... ``hlt`` alike, ``physics``."""
        lines = self.trigger_lines
        columns: dict[str, Any] = self._columns("trigger")
        for level, names in lines.items():
            columns[level] = _record(dict(zip(names, columns[level].T, strict=True)))
        return _record(columns)

    @cached_property
    def trigger_lines(self) -> dict[str, tuple[str, ...]]:
        """Lines of ``l1``, ``l1_prescaled`` and ``hlt``, as the card and the file name them."""
        menus = self.experiment.trigger
        levels = {"l1": menus.l1, "l1_prescaled": menus.l1, "hlt": menus.hlt}
        lines = {level: menu.line_names for level, menu in levels.items()}
        with self._damage("/trigger"):
            group = self._file["trigger"]
            if set(group) != set(columns_of(TriggerTable)):
                raise ValueError(f"it has the columns {', '.join(group)}")
            for name, dataset in group.items():
                check_decisions(name, dataset, lines.get(name))
        return lines

    def fired(
        self, lines: str | Iterable[str] | None = None, *, prescaled: bool = True
    ) -> BoolArray:
        """Whether the trigger keeps each event by some of its lines, shape (n_events,).

        Parameters
        ----------
        lines
            Names of lines: those of one level are alternatives, and where lines of both levels are
            named, an event needs one of each. Not given: the column ``physics``, which is any line
            that runs without a prescale, at both levels. That is optimistic: an analysis should
            name the lines that it relies on.
        prescaled
            Take lines of level one as they are kept, by a line that is off nothing; else as they
            fire, before their prescales. The high level sees only events that level one kept, so
            that its lines have no such choice.

        Raises
        ------
        ConfigError
            An unknown line, none, or one of the high level before prescales.
        """
        known = self.trigger_lines
        if lines is None:
            return self.column("trigger", "physics")
        names = line_names(lines)
        levels = ("l1_prescaled", "hlt") if prescaled else ("l1",)
        choices = [name for level in levels for name in known[level]]
        for name in names:
            if name in known["hlt"] and name not in choices:
                raise ConfigError(
                    f"'{name}' is a line of the high level, which sees what level one keeps after "
                    "its prescales: leave out prescaled=False"
                )
            if name not in choices:
                where = f"'{self.path}': the trigger of {self.experiment.name}"
                told = did_you_mean(name, choices, f"darkbelle experiments {self.experiment.name}")
                raise ConfigError(
                    f"{where} has no line '{name}', {told} (experiments have lines of their own: "
                    "of a campaign name the folder of one, as DIR/belle2)"
                )
        passed = np.ones(len(self), dtype=bool)
        for level in levels:
            own = [i for i, name in enumerate(known[level]) if name in names]
            for rows, decisions in self.blocks("trigger", level) if own else ():
                passed[rows] &= decisions[:, own].any(axis=1)
        return passed

    def column(self, collection: str, name: str) -> Array:
        """One column as it is stored, event after event."""
        with self._damage(f"/{collection}/{name}"):
            return self._read(collection, name, ())

    def blocks(self, collection: str, name: str) -> Iterator[tuple[slice, Array]]:
        """One column in blocks of rows, for what is too large to be read at once."""
        with self._damage(f"/{collection}/{name}"):
            dataset = self._dataset(collection, name)
            for start in range(0, len(dataset), CHUNK_ROWS):
                rows = slice(start, start + CHUNK_ROWS)
                yield rows, self._read(collection, name, rows)

    def rows(self, collection: str, name: str, rows: slice) -> Array:
        """Some rows of a column as they are stored."""
        with self._damage(f"/{collection}/{name}"):
            values = self._read(collection, name, rows)
            _check_length(name, values, rows.stop - rows.start)
            return values

    def units(self, collection: str) -> dict[str, str]:
        """Names and units of the columns of a collection."""
        with self._damage(f"/{collection}"):
            group = self._file[collection]
            return {name: str(dataset.attrs["unit"]) for name, dataset in group.items()}

    def attributes_of(self, collection: str) -> dict[str, dict[str, Any]]:
        """What the file says of each column of a collection: its unit, description and more."""
        with self._damage(f"/{collection}"):
            group = self._file[collection]
            return {name: dict(dataset.attrs) for name, dataset in group.items()}

    def names(self, collection: str, name: str) -> tuple[str, ...]:
        """What the columns of a matrix are, nothing for a column that is none."""
        with self._damage(f"/{collection}/{name}"):
            names = str(self._file[collection][name].attrs.get("names", ""))
            return tuple(names.split(", ")) if names else ()

    def _columns(self, collection: str) -> dict[str, Array]:
        """All columns of a collection, of the lengths that they must have."""
        with self._damage(f"/{collection}"):
            columns = {name: self.column(collection, name) for name in self._file[collection]}
            n_rows = len(self)
            if collection not in _ONE_ROW_AN_EVENT:
                n_rows = columns["offsets"][-1]
                if len(columns["offsets"]) != len(self) + 1 or columns["offsets"][0] != 0:
                    raise ValueError("offsets do not fit the events")
            for name, values in columns.items():
                if name != "offsets":
                    _check_length(name, values, n_rows)
            return columns

    def _read(self, collection: str, name: str, rows: slice | tuple[()]) -> Array:
        """Some rows of a column; the weights are those of the variation."""
        values: Array = self._dataset(collection, name)[rows]
        varied = self.variation
        if varied and varied.kind is VariationKind.WEIGHT and (collection, name) == _WEIGHT:
            values = values * self._file[WEIGHTS][varied.name][rows]
        return values

    def _dataset(self, collection: str, name: str) -> h5py.Dataset:
        """What holds a column, with a row for each event where it must have that."""
        dataset = self._file[collection][name]
        if self.variation is not None:
            shifted = f"{VARIATIONS}/{self.variation.name}/{collection}/{name}"
            dataset = self._file.get(shifted, dataset)
        if collection in _ONE_ROW_AN_EVENT:
            _check_length(name, dataset, len(self))
        return dataset

    @contextmanager
    def _damage(self, where: str) -> Iterator[None]:
        """Turn what a damaged file makes go wrong into one clear error."""
        try:
            yield
        except DAMAGES as error:
            reason = str(error).splitlines()[0]
            raise SampleFormatError(f"'{self.path}': {where} is damaged: {reason}") from None

    def __repr__(self) -> str:
        varied = f", {self.variation.name}" if self.variation else ""
        return f"<Sample '{self.path}': {self.attributes['process']}, {len(self)} events{varied}>"


def open(path: str | Path) -> Sample:
    """Open a sample for reading, cf. `Sample`."""
    return Sample(path)


@lru_cache(maxsize=16)
def _experiment(card: str) -> Experiment:
    """The same frozen card for all samples that were made with it: to check one takes long."""
    return Experiment.model_validate_json(card)


def _check_length(name: str, values: Array | h5py.Dataset, n_rows: int) -> None:
    if len(values) != n_rows:
        raise ValueError(f"{name} has {len(values)} rows instead of {n_rows}")


def _record(fields: dict[str, Any], name: str | None = None) -> Any:
    """A flat record array without copies, with the behaviour of ``vector``."""
    return ak.zip(fields, depth_limit=1, with_name=name, behavior=vector.backends.awkward.behavior)


def _ragged(flat: Any, offsets: Array) -> Any:
    """Rows grouped into events."""
    layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), ak.to_layout(flat))
    return ak.Array(layout, behavior=vector.backends.awkward.behavior)
