"""Pictures of samples: each function takes samples, over each other, and returns a figure.

They need the extra ``[plot]``, which is imported when something is drawn.
"""

from __future__ import annotations

from darkbelle.samples.pictures.display import display
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
from darkbelle.samples.pictures.shapes import draw_shapes
from darkbelle.samples.pictures.style import (
    NothingToDrawError,
    check_picture,
    in_style,
    new_figure,
    save_figure,
)
from darkbelle.samples.pictures.trigger import trigger
from darkbelle.samples.pictures.vertex_maps import vertex_map
from darkbelle.samples.pictures.writing import PICTURES, draw_samples

__all__ = [
    "PICTURES",
    "NothingToDrawError",
    "check_picture",
    "clusters",
    "display",
    "draw_samples",
    "draw_shapes",
    "efficiencies",
    "in_style",
    "kinematics",
    "masses",
    "new_figure",
    "observables",
    "pulls",
    "resolutions",
    "save_figure",
    "tracks",
    "trigger",
    "vertex_map",
    "vertices",
]
