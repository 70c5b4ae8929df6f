"""Limits that a card sets, the same at both levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from darkbelle.detsim.trigger.selections import SeenClusters, SeenTracks, in_ranges, of_energy
from darkbelle.geometry.trigger import CellClusterCut, ClusterCut, TrackCut

VALUES = np.array([0.0, 1.0, 2.0, 3.0])
COLUMNS = {  # key of the card: column that it limits
    "d0_cm": "d0",
    "z0_cm": "z0",
    "min_cdc_hits": "n_hits_cdc",
    "pt_gev": "pt",
    "p_cms_gev": "p_cms_size",
    "e_over_p": "e_over_p",
    "e_lab_gev": "energy",
    "e_lab_max_gev": "energy",
    "e_cms_gev": "e_cms",
    "e_cms_max_gev": "e_cms",
}


def tracks(**columns: Any) -> SeenTracks:
    """Four good tracks; columns that are not given are halves, which no limit here is."""
    n = len(VALUES)
    names = ("pt", "p_cms_size", "energy", "e_cms", "e_over_p", "d0", "z0", "n_hits_cdc")
    return SeenTracks(
        offsets=np.array([0, n]),
        event=np.zeros(n, np.int64),
        p_lab=np.zeros((4, n)),
        p_cms=np.zeros((4, n)),
        charge=np.ones(n, np.int8),
        is_good=np.ones(n, dtype=bool),
        **{name: columns.get(name, np.full(n, 0.5)) for name in names},
    )


def test_every_limit_of_tracks_is_tested() -> None:
    assert COLUMNS.keys() == TrackCut.model_fields.keys()


@pytest.mark.parametrize("key", COLUMNS)
def test_a_limit_of_tracks_is_that_of_its_column(key: str) -> None:
    """Above the least, below the most; a number of hits is reached."""
    seen = tracks(**{COLUMNS[key]: VALUES})
    limit = 2 if key == "min_cdc_hits" else 2.0
    passes = seen.select(TrackCut(**{key: limit}))
    if key == "min_cdc_hits":
        expected = VALUES >= 2
    elif key in ("d0_cm", "z0_cm") or "_max_" in key:
        expected = VALUES < 2
    else:
        expected = VALUES > 2
    np.testing.assert_array_equal(passes, expected)
    assert seen.select(TrackCut()).all()


@pytest.mark.parametrize("cut", [CellClusterCut, ClusterCut, TrackCut])
def test_limits_of_energy_mean_the_same_everywhere(cut: Any) -> None:
    lab, cms = VALUES, VALUES[::-1]
    assert of_energy(cut(), lab, cms).all()
    limits = cut(e_lab_gev=0.0, e_lab_max_gev=3.0, e_cms_gev=1.0, e_cms_max_gev=3.0)
    assert of_energy(limits, lab, cms).tolist() == [False, True, False, False]


def test_clusters_pass_by_angle_and_track() -> None:
    n = len(VALUES)
    seen = SeenClusters(
        offsets=np.array([0, n]),
        event=np.zeros(n, np.int64),
        p_cms=np.ones((4, n)),
        energy=np.ones(n),
        theta_deg=np.array([0.0, 30.0, 90.0, 180.0]),
        is_neutral=np.array([True, True, False, False]),
    )
    assert seen.select(ClusterCut(theta_deg=((0.0, 90.0),))).tolist() == [True, True, False, False]
    assert seen.select(ClusterCut(theta_deg=((30.0, 180.0),))).tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert seen.select(ClusterCut(neutral=True)).tolist() == [True, True, False, False]


def test_one_of_several_ranges_is_enough() -> None:
    theta = np.array([0.0, 10.0, 50.0, 120.0, 180.0])
    inside = in_ranges(theta, ((0.0, 20.0), (100.0, 180.0)))
    assert inside.tolist() == [True, True, False, True, True]
