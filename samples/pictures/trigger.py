"""How often the lines of the trigger fire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from darkbelle.geometry.trigger import Menu
from darkbelle.samples.efficiency.intervals import line_shares, trigger_efficiency
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.labels import labels_of, print_head
from darkbelle.samples.pictures.style import COLOURS, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["trigger"]

FloatArray = npt.NDArray[np.float64]

_HATCHES: Final = ("", "////", "....", "xxxx", "----")
"""What tells bars of several samples apart in print without colours."""
_INCH_A_LINE: Final = 0.17
_STAGES: Final = {"l1": "before prescale", "l1_prescaled": "after prescale"}


@in_style
def trigger(*samples: Sample) -> Figure:
    """Shares of events in which lines that run fire, before and after prescales, and are kept.

    Lines that fire in no event are left out. Errors are binomial, from the number of equal events
    that know as much, (sum w)^2 / sum w^2.
    """
    figure, (level_one, high_level) = new_figure(1, 2, width=4.6)
    menus = [sample.experiment.trigger for sample in samples]
    _draw_level(level_one, samples, [menu.l1 for menu in menus], tuple(_STAGES))
    _draw_level(high_level, samples, [menu.hlt for menu in menus], ("hlt",))
    level_one.set_title("level one", loc="left", fontsize="medium")
    high_level.set_title("high level", loc="left", fontsize="medium")
    handles, labels = level_one.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize="small", ncols=2, loc="outside lower left")
    most = max(len(axis.get_yticks()) for axis in (level_one, high_level))
    for axis in (level_one, high_level):
        axis.set_ylim(most - 0.4, -0.6)
    inches = _INCH_A_LINE * max(1.0, 0.6 * len(samples))
    figure.set_figheight(max(3.4, 1.5 + inches * most))
    print_head(figure, samples)
    return figure


def _draw_level(
    axis: Axes, samples: Sequence[Sample], menus: Sequence[Menu], levels: tuple[str, ...]
) -> None:
    """Bars of lines, first to last from the top, those of each stage over those before it."""
    shares = {level: [line_shares(sample, level) for sample in samples] for level in levels}
    if "hlt" in levels:
        for sample, of_lines in zip(samples, shares["hlt"], strict=True):
            of_lines["physics"] = trigger_efficiency(sample).eff
    rows = _rows(menus, shares[levels[0]])
    if "hlt" in levels:
        rows["physics"] = "physics"
    height = 0.8 / len(samples)
    for i, (sample, label) in enumerate(zip(samples, labels_of(samples), strict=True)):
        places = np.arange(len(rows)) + height * (i - (len(samples) - 1) / 2)
        for level in levels:
            share = np.array([shares[level][i].get(name, np.nan) for name in rows])
            is_last = level == levels[-1]
            stage = _STAGES[level] if level in _STAGES and len(samples) == 1 else ""
            axis.barh(
                places,
                100 * share,
                height,
                xerr=100 * _errors(sample, share) if is_last else None,
                color=COLOURS[i % len(COLOURS)],
                alpha=0.85 if is_last else 0.35,
                hatch=_HATCHES[i % len(_HATCHES)],
                edgecolor="white",
                linewidth=0,
                error_kw={"elinewidth": 0.6},
                label=stage or (label if is_last and label else None),
            )
    axis.set_yticks(range(len(rows)), labels=list(rows.values()), fontsize="x-small")
    axis.tick_params(axis="y", which="both", left=False, right=False)
    axis.set_xlim(0, 105)
    axis.set_xlabel("events [%]")


def _rows(menus: Sequence[Menu], fired: Sequence[dict[str, float]]) -> dict[str, str]:
    """Labels of the lines that run and fired in some sample, with their prescales."""
    rows: dict[str, str] = {}
    for menu, shares in zip(menus, fired, strict=True):
        for name, ratio in zip(menu.line_names, menu.ratios, strict=True):
            if ratio > 0 and shares[name] > 0:
                rows.setdefault(name, name if ratio == 1 else f"{name} / {ratio}")
    return rows


def _errors(sample: Sample, share: FloatArray) -> FloatArray:
    """Binomial errors of weighted shares."""
    weight = sample.column("events", "weight")
    n_effective = weight.sum() ** 2 / max((weight**2).sum(), np.finfo(float).tiny)
    errors: FloatArray = np.sqrt(np.clip(share * (1 - share), 0, None) / max(n_effective, 1))
    return errors
