"""Samples as awkward arrays: particles and tracks behave as vectors of the ``vector`` package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak
import numpy as np
import numpy.typing as npt
import vector.backends.awkward

from darkbelle.detsim.helix import HelixIndex, momentum, unpack
from darkbelle.errors import SampleFormatError
from darkbelle.gen import CrossSection, Process
from darkbelle.gen.processes import find_process
from darkbelle.geometry import Experiment
from darkbelle.samples.hdf5 import open_checked, read_text

__all__ = ["Sample", "open"]

Array = npt.NDArray[Any]

_ONE_ROW_AN_EVENT = ("events", "trigger")


class Sample:
    """A sample on disk; a collection is read when it is first asked for.

    Raises
    ------
    SampleFormatError
        The file is missing, damaged, unfinished, or no sample.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = open_checked(path)
        self.attributes: dict[str, Any] = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self._file.attrs.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
    def process(self) -> Process:
        """The process with its parameters; a plugin's needs the plugin."""
        return find_process(self.attributes["process"])(**self.parameters)

    @cached_property
    def experiment(self) -> Experiment:
        """The card that the sample was made with."""
        with self._damage("card"):
            return Experiment.model_validate_json(read_text(self._file, "card"))

    @property
    def cross_section(self) -> CrossSection | None:
        """Cross-section of the final state [fb], None where the process has none."""
        if "xsec" not in self.attributes:
            return None
        with self._damage("xsec_err"):
            return CrossSection(self.attributes["xsec"], self.attributes["xsec_err"])

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
        menus = self.experiment.trigger
        with self._damage("/trigger"):
            columns: dict[str, Any] = self._columns("trigger")
            for level, menu in (("l1", menus.l1), ("l1_prescaled", menus.l1), ("hlt", menus.hlt)):
                lines, names = columns[level].T, menu.line_names
                if len(lines) != len(names):
                    raise ValueError(f"{level} has {len(lines)} lines instead of {len(names)}")
                columns[level] = _record(dict(zip(names, lines, strict=True)))
            return _record(columns)

    def column(self, collection: str, name: str) -> Array:
        """One column as it is stored, event after event."""
        with self._damage(f"/{collection}/{name}"):
            values: Array = self._file[collection][name][()]
            return values

    def units(self, collection: str) -> dict[str, str]:
        """Names and units of the columns of a collection."""
        with self._damage(f"/{collection}"):
            group = self._file[collection]
            return {name: str(dataset.attrs["unit"]) for name, dataset in group.items()}

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
                if name != "offsets" and len(values) != n_rows:
                    raise ValueError(f"{name} has {len(values)} rows instead of {n_rows}")
            return columns

    @contextmanager
    def _damage(self, where: str) -> Iterator[None]:
        """Turn what a damaged file makes go wrong into one clear error."""
        try:
            yield
        except (KeyError, IndexError, OSError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise SampleFormatError(f"'{self.path}': {where} is damaged: {reason}") from None

    def __repr__(self) -> str:
        return f"<Sample '{self.path}': {self.attributes['process']}, {len(self)} events>"


def open(path: str | Path) -> Sample:
    """Open a sample for reading, cf. `Sample`."""
    return Sample(path)


def _record(fields: dict[str, Any], name: str | None = None) -> Any:
    """A flat record array without copies, with the behaviour of ``vector``."""
    return ak.zip(fields, depth_limit=1, with_name=name, behavior=vector.backends.awkward.behavior)


def _ragged(flat: Any, offsets: Array) -> Any:
    """Rows grouped into events."""
    layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), ak.to_layout(flat))
    return ak.Array(layout, behavior=vector.backends.awkward.behavior)
