"""Processes, experiments and samples in words."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import awkward as ak
import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from darkbelle.gen import Outcome, Process
from darkbelle.geometry import Experiment
from darkbelle.samples.observables import observables_of
from darkbelle.samples.reading import Sample

__all__ = ["describe_experiment", "describe_process", "describe_sample"]


def describe_process(process: type[Process]) -> str:
    """Parameters with unit, range and default, observables, papers."""
    rows = [(name, *_describe_parameter(field)) for name, field in process.model_fields.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [f"{process.name}: {process.summary}", "", "parameters"]
    lines += [
        f"  {name:<{widths[0]}}  {default:<{widths[1]}}  {allowed:<{widths[2]}}  {meaning}"
        for name, default, allowed, meaning in rows
    ]
    for heading, entries in (
        (
            "observables",
            [
                f"{name} [{described.unit}]: {described.description}"
                for observable_set in observables_of(process)
                for name, described in observable_set.columns.items()
            ],
        ),
        ("papers", list(process.papers)),
    ):
        if entries:
            lines += ["", heading, *(f"  {entry}" for entry in entries)]
    return "\n".join(lines)


def _describe_parameter(field: FieldInfo) -> tuple[str, str, str]:
    """Default, allowed values and meaning of a parameter."""
    extra = field.json_schema_extra
    unit = f" {extra['unit']}" if isinstance(extra, dict) and extra.get("unit") else ""
    signs = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))
    bounds = [
        f"{sign} {getattr(bound, attribute):.4g}{unit}"
        for bound in field.metadata
        for kind, attribute, sign in signs
        if isinstance(bound, kind)
    ]
    choices = [repr(choice) for choice in _literals(field.annotation)]
    allowed = ", ".join(bounds) or " | ".join(choices) or unit.strip()
    default = "required" if field.is_required() else f"= {field.default}"
    return default, allowed, field.description or ""


def _literals(annotation: Any) -> tuple[Any, ...]:
    """Values of a Literal, else nothing."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def describe_experiment(experiment: Experiment) -> str:
    """Every value of the card, table by table, each table with its source and trust."""
    lines = [f"{experiment.name}: {experiment.description}"]
    lines += _describe_table(
        experiment.model_dump(mode="json", exclude={"name", "description"}), ""
    )
    return "\n".join(lines)


def _describe_table(table: dict[str, Any], path: str) -> list[str]:
    """A table's own values, then its subtables."""
    lines: list[str] = []
    plain = {k: v for k, v in table.items() if not isinstance(v, dict) and not _is_tables(v)}
    if plain:
        lines += ["", f"[{path}]" if path else ""]
        for key, value in plain.items():
            if value is not None:
                lines.append(f"{key} = {_format_value(value)}")
    if table.get("variation"):
        lines.append(f"variation = {_format_value(table['variation'])}")
    for key, value in table.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict) and key != "variation":
            lines += _describe_table(value, where)
        elif _is_tables(value):
            for i, entry in enumerate(value):
                lines += _describe_table(entry, f"{where}.{entry.get('name', i)}")
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_format_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_format_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def describe_sample(sample: Sample) -> str:
    """Origin, cross-section and contents of a sample."""
    attributes = sample.attributes
    lines = [
        f"{sample.path}: {len(sample)} events",
        f"  process        {sample.process.name}",
        *(f"    {name:<12} {value}" for name, value in sample.process if value is not None),
        f"  experiment     {sample.experiment.name} (card {attributes['card_sha256'][:12]})",
    ]
    if (cross_section := sample.cross_section) is not None:
        value, error = cross_section.value, cross_section.error
        lines.append(f"  cross-section  {value:.5g} +- {error:.2g} fb")
        if value > 0:
            lines.append(f"  equivalent to  {len(sample) / value:.4g} /fb")
    for name, text in (
        ("seed", "seed"),
        ("lumi", "produced for [1/fb]"),
        ("version", "made by darkbelle"),
        ("format_version", "format"),
    ):
        if name in attributes:
            lines.append(f"  {text:<14} {attributes[name]}")
    lines.append(f"  sum of weights {attributes['sum_w']:.8g}")
    lines.append(
        f"  contents       {ak.count(sample.particles.pdg_id)} particles, "
        f"{ak.count(sample.tracks.charge)} tracks"
    )
    final = ak.to_numpy(ak.flatten(sample.particles.outcome[sample.particles.status == 1]))
    codes, counts = np.unique(final, return_counts=True)
    lines.append("  final particles")
    lines += [
        f"    {Outcome(code).name.lower():<20} {count}"
        for code, count in zip(codes, counts, strict=True)
    ]
    return "\n".join(lines)
