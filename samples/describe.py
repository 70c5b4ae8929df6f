"""Processes, experiments and samples in words."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from darkbelle.errors import ConfigError
from darkbelle.gen import Outcome, Process, Status
from darkbelle.gen.processes import find_source
from darkbelle.geometry import Experiment
from darkbelle.geometry.trigger import Menu
from darkbelle.samples.efficiency.intervals import line_shares, trigger_efficiency
from darkbelle.samples.files.hdf5 import UNKNOWN_CODES
from darkbelle.samples.files.merging import weights_of_cross_section
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.observables import observables_of
from darkbelle.samples.wording import flat
from darkbelle.settings import Settings

__all__ = ["describe_experiment", "describe_process", "describe_sample", "in_words"]

_LONGEST_LINE = 160
"""Characters of a table of the card that is written in a line."""
_WIDTH, _CHOICES = 119, 36
"""Characters of a line, and of those in which choices are listed."""


def describe_process(process: type[Process]) -> str:
    """Parameters with unit, range and default, observables, papers."""
    lines = [f"{process.name}: {process.summary}", "", "parameters"]
    lines += _format_rows(list(_parameter_rows(process)))
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
            wrapped = [wrap(entry, _WIDTH - 2, subsequent_indent="  ") for entry in entries]
            lines += ["", heading, *(f"  {line}" for entry in wrapped for line in entry)]
    return "\n".join(lines)


def _format_rows(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A table whose last two columns are wrapped."""
    wrapped = [(name, default, wrap(allowed, _CHOICES)) for name, default, allowed, _ in rows]
    first, second = (max((len(row[i]) for row in rows), default=0) for i in range(2))
    third = max((len(line) for *_, allowed in wrapped for line in allowed), default=0)
    indent = first + second + third + 8
    lines = []
    for (name, default, allowed), (*_, meaning) in zip(wrapped, rows, strict=True):
        cells = [name], [default], allowed, wrap(meaning, _WIDTH - indent)
        lines += [
            f"  {a:<{first}}  {b:<{second}}  {c:<{third}}  {d}".rstrip()
            for a, b, c, d in zip_longest(*cells, fillvalue="")
        ]
    return lines


def _parameter_rows(settings: type[Settings], prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Name, default, allowed values and meaning of each parameter, a class's own ones first."""
    own_first = sorted(settings.model_fields.items(), key=lambda f: f[0] not in _own(settings))
    for name, field in own_first:
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            yield from _parameter_rows(kind, f"{prefix}{name}.")
        else:
            yield (f"{prefix}{name}", *_describe_parameter(field))


def _own(settings: type[Settings]) -> Collection[str]:
    """Parameters that a class does not inherit from another module."""
    others = (base for base in settings.__mro__ if base.__module__ != settings.__module__)
    inherited = {name for base in others for name in getattr(base, "model_fields", ())}
    return settings.model_fields.keys() - inherited


def _describe_parameter(field: FieldInfo) -> tuple[str, str, str]:
    """Default, allowed values and meaning of a parameter."""
    extra = field.json_schema_extra
    unit = f" {extra['unit']}" if isinstance(extra, dict) and extra.get("unit") else ""
    signs = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))
    bounds = [
        f"{sign} {getattr(bound, attribute):.4g}"
        for bound in (*field.metadata, *_alternatives(field.annotation))
        for kind, attribute, sign in signs
        if isinstance(bound, kind)
    ]
    choices = [str(choice) for choice in _literals(field.annotation)]
    allowed = (bounds and ", ".join(bounds) + unit) or " | ".join(choices) or unit.strip()
    if "[range]" in [getattr(said, "tag", "") for said in _alternatives(field.annotation)]:
        allowed += " or LOW,HIGH"
    if field.is_required():
        default = "required"
    elif field.default is None:
        default = str(extra["none"]) if isinstance(extra, dict) else "none"
    else:
        default = f"= {in_words(field.default)}"
    return default, allowed, field.description or ""


def _alternatives(annotation: Any) -> Iterator[Any]:
    """What is said of the types that a value may have."""
    for part in get_args(annotation):
        if isinstance(part, FieldInfo):
            yield from part.metadata
        else:
            yield part
            yield from _alternatives(part)


def in_words(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, (tuple, list)):
        is_nested = any(isinstance(entry, (tuple, list)) for entry in value)
        entries = (f"[{in_words(entry)}]" if is_nested else in_words(entry) for entry in value)
        return f"[{','.join(entries)}]" if is_nested else ",".join(entries)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _literals(annotation: Any) -> tuple[Any, ...]:
    """Values of a Literal or of an enum of words, else nothing."""
    if isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        return tuple(member.value for member in annotation)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def describe_experiment(experiment: Experiment) -> str:
    """The card as it is resolved, in TOML: it can be saved and used as a card."""
    card = experiment.model_dump(mode="json", exclude_none=True)
    trigger = experiment.trigger.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return "\n".join(_format_table(card | {"trigger": trigger}, ""))  # its defaults ask for nothing


def _format_table(table: dict[str, Any], path: str) -> list[str]:
    """Values of a table, then its subtables, unless these go into lines: a menu, or all short."""
    in_line = {
        key: f"{_format_key(key)} = {_format_value(value)}"
        for key, value in table.items()
        if (key, value) != ("variation", {})
    }
    nested = [key for key in in_line if key != "variation" and _has_tables(table[key])]
    if path.endswith(".lines.") or all(len(in_line[key]) <= _LONGEST_LINE for key in nested):
        return list(in_line.values())  # some in lines, others not, would change their order
    lines = [text for key, text in in_line.items() if key not in nested]
    for key in nested:
        where, value = f"{path}{_format_key(key)}", table[key]
        if isinstance(value, dict):
            lines += ["", f"[{where}]", *_format_table(value, f"{where}.")]
        else:
            for entry in value:
                lines += ["", f"[[{where}]]", *_format_table(entry, f"{where}.")]
    return lines


def _has_tables(value: Any) -> bool:
    """Whether TOML can write it under headings of its own."""
    entries = value if isinstance(value, list) else [value]
    return bool(entries) and all(isinstance(entry, dict) for entry in entries)


def _format_key(key: str) -> str:
    """A key as TOML writes it: in quotes where it needs them."""
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _format_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        entries = [f"{_format_key(k)} = {_format_value(v)}" for k, v in value.items()]
        return "{ " + ", ".join(entries) + " }" if entries else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_format_value(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are alike


def describe_sample(sample: Sample) -> str:
    """Origin, cross-section and contents of a sample."""
    attributes = sample.attributes
    lines = [
        f"{sample.path}: {len(sample)} events",
        f"  process        {attributes['process']}",
        *_describe_parameters(sample),
        f"  experiment     {sample.experiment.name} (card {attributes['card_sha256'][:12]})",
    ]
    if (cross_section := sample.cross_section) is not None:
        value, error = cross_section.value, cross_section.error
        lines.append(f"  cross-section  {value:.5g} +- {error:.2g} fb")
        if value > 0:
            lines.append(f"  equivalent to  {weights_of_cross_section(attributes) / value:.4g} /fb")
    lines += [
        f"  {name:<14} keeps {_percent(share)}" for name, share in sample.efficiencies.items()
    ]
    for name, text in (
        ("seed", "seed"),
        ("lumi", "produced for [1/fb]"),
        ("systematics", "variations of"),
        ("version", "made by darkbelle"),
        ("format_version", "format"),
    ):
        if name in attributes:
            lines.append(f"  {text:<14} {attributes[name]}")
    lines += _describe_unknown(attributes)
    lines.append(f"  sum of weights {attributes['sum_w']:.8g}")
    if attributes["sum_w2"] != attributes["sum_w"]:
        effective = attributes["sum_w"] ** 2 / attributes["sum_w2"]
        lines.append(f"  as good as     {effective:.8g} events of one weight")
    outcome = sample.column("particles", "outcome")
    contents = ", ".join(
        f"{sample.column(name, 'offsets')[-1]} {name.replace('_', ' ')}"
        for name in ("particles", "tracks", "vertices", "clusters", "klm_clusters")
    )
    lines.append(f"  contents       {contents}")
    final = outcome[sample.column("particles", "status") == Status.FINAL]
    names = {int(known): known.name.lower() for known in Outcome}
    lines.append("  final particles")
    lines += [
        f"    {names.get(int(code), f'outcome {code}'):<20} {count}"
        for code, count in zip(*np.unique(final, return_counts=True), strict=True)
    ]
    return "\n".join([*lines, *_describe_trigger(sample)])


def _describe_unknown(attributes: Mapping[str, Any]) -> list[str]:
    """Final particles whose codes nobody knows, which are not seen."""
    counts = json.loads(attributes.get(UNKNOWN_CODES, "{}"))
    told = ", ".join(f"{count} of code {code}" for code, count in counts.items())
    return [f"  unknown, unseen {told}"] if told else []


def _describe_parameters(sample: Sample) -> list[str]:
    """Parameters in the order in which the process is described, where it is installed."""
    given = {name: value for name, value in flat(sample.parameters) if value not in (None, [])}
    try:
        known = [name for name, *_ in _parameter_rows(find_source(sample.attributes["process"]))]
    except ConfigError:
        known = []
    given = {name: given[name] for name in dict.fromkeys([*known, *given]) if name in given}
    width = max(12, *(len(name) for name in given)) if given else 0
    return [f"    {name:<{width}} {in_words(value)}" for name, value in given.items()]


def _describe_trigger(sample: Sample) -> list[str]:
    """How often the lines that run fire, and what those of physics keep."""
    if len(sample) == 0:
        return []
    menus = sample.experiment.trigger
    rows = [("trigger, level one", "prescale", "before", "after")]
    rows += _describe_menu(sample, menus.l1, "l1", "l1_prescaled")
    rows.append(("trigger, high level", "prescale", "", "after"))
    rows += _describe_menu(sample, menus.hlt, None, "hlt")
    width = max(len(row[0]) for row in rows if row[1])
    lines = [
        f"  {name:<{width}}  {ratio:>8}  {before:>9}  {after:>9}".rstrip()
        for name, ratio, before, after in rows
    ]
    return [*lines, f"  trigger, physics  {trigger_efficiency(sample)}"]


def _describe_menu(
    sample: Sample, menu: Menu, before: str | None, after: str
) -> list[tuple[str, str, str, str]]:
    """Rows of the lines that run, and how many others the sample knows."""
    ratios = dict(zip(menu.line_names, menu.ratios, strict=True))
    first, last = (
        {name: _percent(share) for name, share in line_shares(sample, level).items()}
        if level
        else dict.fromkeys(ratios, "")
        for level in (before, after)
    )
    rows = [
        (f"  {name}", str(ratio), first[name], last[name])
        for name, ratio in ratios.items()
        if ratio > 0
    ]
    if n_off := len(ratios) - len(rows):
        rows.append((f"  and {n_off} off: sample.trigger.{before or after}", "", "", ""))
    return rows


def _percent(share: float) -> str:
    """Two digits, whole numbers from 10 % on."""
    percent = 100 * share
    n_decimals = max(0, 1 - math.floor(math.log10(percent))) if percent > 0 else 0
    return f"{percent:.{n_decimals}f} %"
