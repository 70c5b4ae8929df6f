"""All pictures of samples as files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from darkbelle.errors import ConfigError, OutputError, did_you_mean
from darkbelle.samples.files.aside import check_target
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.efficiencies import efficiencies
from darkbelle.samples.pictures.kinematics import (
    clusters,
    kinematics,
    observables,
    tracks,
    vertices,
)
from darkbelle.samples.pictures.masses import masses
from darkbelle.samples.pictures.resolutions import pulls, resolutions
from darkbelle.samples.pictures.style import NothingToDrawError, save_figure
from darkbelle.samples.pictures.trigger import trigger
from darkbelle.samples.pictures.vertex_maps import vertex_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "draw_samples"]

PICTURES: Final[dict[str, Callable[..., Figure]]] = {
    draw.__name__: draw
    for draw in (
        *(observables, kinematics, tracks, clusters, vertices, resolutions, pulls),
        *(efficiencies, trigger, masses, vertex_map),
    )
}
"""What is drawn, by the names of the files and of the option ``--what``."""


def draw_samples(
    samples: Sequence[Sample],
    folder: Path,
    *,
    what: Collection[str] = (),
    file_format: str = "png",
    force: bool = False,
) -> list[Path]:
    """Draw samples over each other into a folder, which is made if needed.

    Parameters
    ----------
    what
        Names of pictures; all that the samples have something for, if none is given.
    file_format
        One of png, pdf, svg.
    force
        Replace pictures that are there.

    Raises
    ------
    ConfigError
        There is no such picture; or no event, or nothing to draw for a picture that was asked for.
    OutputError
        The folder or a picture cannot be written, or is there already.
    """
    if not any(len(sample) for sample in samples):
        names = ", ".join(f"'{sample.path}'" for sample in samples)
        raise ConfigError(f"there is nothing to draw: no events are in {names}")
    for name in what:
        if name not in PICTURES:
            raise ConfigError(f"there is no picture '{name}', {did_you_mean(name, PICTURES)}")
    paths = {
        name: folder / f"{name}.{file_format}" for name in PICTURES if not what or name in what
    }
    for path in paths.values() if folder.is_dir() else ():
        check_target(path, force=force)
    drawn: dict[Path, Figure] = {}
    for name, path in paths.items():
        try:
            drawn[path] = PICTURES[name](*samples)
        except NothingToDrawError as error:
            if what:
                raise ConfigError(f"{name}: {error}") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write pictures to '{folder}': {error.strerror}") from None
    for path, figure in drawn.items():
        save_figure(figure, path, force=force)
    return [*drawn]
