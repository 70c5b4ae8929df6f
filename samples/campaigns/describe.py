"""What a campaign will take, and what came of it, in words."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from darkbelle.samples.campaigns.forecast import Cost, Forecast
from darkbelle.samples.campaigns.plan import Failure
from darkbelle.samples.campaigns.running import Report
from darkbelle.samples.wording import counted

__all__ = ["describe_failures", "describe_forecast", "describe_missing", "describe_report"]

_MEGABYTE = 1e6


def describe_forecast(forecast: Forecast, workers: int) -> str:
    """A row an experiment, and how well this is known."""
    rows = [_forecast_row(name, cost) for name, cost in forecast.costs.items()]
    total = sum(forecast.costs.values(), Cost())
    if len(rows) > 1:
        rows.append(_forecast_row("all", total))
    heading = ("experiment", "points", "parts", "events", "MB", "time of one worker")
    told = [*_table(heading, rows), f"estimated from {counted(forecast.n_tried, 'point')}"]
    if workers > 1:
        told[-1] += f"; with {workers} workers about {_time(total.seconds / workers)}"
    if forecast.failures:
        told.append(describe_failures(forecast.failures, forecast.n_tried))
    return "\n".join(told)


def _forecast_row(name: str, cost: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{cost.n_points:,}",
        f"{cost.n_parts:,.0f}",
        f"{cost.n_events:,.0f}",
        f"{cost.n_bytes / _MEGABYTE:,.0f}",
        _time(cost.seconds),
    )


def describe_report(report: Report) -> str:
    """A row an experiment, and what was made, kept and made again."""
    rows = [_report_row(report, name) for name in report.plan.experiments]
    heading = (
        *("experiment", "points", "parts", "events", "MB"),
        *("made", "seconds", "events/s", "failed"),
    )
    n_made, n_all = len(report.made), len(report.entries)
    told = f"{counted(n_made, 'part')} made in {_time(report.seconds)}"
    if n_all > n_made:
        told += f", {n_all - n_made:,} were there"
    lines = [*_table(heading, rows), told]
    if report.redone:
        shown = ", ".join(report.redone[:3]) + (" ..." if report.redone[3:] else "")
        lines.append(f"{counted(len(report.redone), 'part')} damaged or missing: {shown}")
    if report.found:
        n_found = counted(len(report.found), "part")
        lines.append(f"{n_found} found whole without the manifest, and kept")
    if warnings := report.plan.warnings:
        lines.append(f"{counted(len(warnings), 'warning')}: {warnings[0]}")
    return "\n".join(lines)


def _report_row(report: Report, experiment: str) -> tuple[str, ...]:
    """Totals of one experiment; time and rate of one worker, of the parts made now."""
    entries = [entry for entry in report.entries if entry.experiment == experiment]
    made = [entry for entry in entries if entry.file in report.made]
    seconds = sum(entry.seconds or 0.0 for entry in made)
    rate = sum(entry.n_events for entry in made) / seconds if seconds else 0.0
    return (
        experiment,
        f"{len({entry.point for entry in entries}):,}",
        f"{len(entries):,}",
        f"{sum(entry.n_events for entry in entries):,}",
        f"{sum(entry.bytes for entry in entries) / _MEGABYTE:,.1f}",
        f"{len(made):,}",
        f"{seconds:,.1f}",
        f"{rate:,.0f}",
        f"{sum(failure.point.experiment == experiment for failure in report.failures):,}",
    )


def describe_failures(failures: Sequence[Failure], n_points: int) -> str:
    """How many of some points cannot be made, and why the first one cannot."""
    others = "" if len(failures) == 1 else f" (and {len(failures) - 1:,} more)"
    n_all = counted(n_points, "point")
    return f"{len(failures):,} of {n_all} cannot be made: {failures[0]}{others}"


def describe_missing(folder: Path, n_missing: int, n_parts: int) -> str:
    """How many parts of a campaign were not made yet, and what makes them."""
    lacking = f"{n_missing:,} of {counted(n_parts, 'part')}"
    return f"'{folder}' lacks {lacking}: 'darkbelle produce' of the campaign makes the rest"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side, the first one to the left."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heading, *rows)
    ]


def _time(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(datetime.timedelta(seconds=round(seconds)))
