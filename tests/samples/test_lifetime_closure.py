"""One sample of a range of lifetimes against samples of each: the same efficiencies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from darkbelle import geometry, samples
from darkbelle.gen.processes import find_process
from darkbelle.samples.efficiency.selecting import passed_by, selection_of

CLOSURES = [
    (
        "b-to-k-scalar",
        {"mass": 1.0},
        {"ctau": "0.01,100"},
        [{"ctau": ctau} for ctau in (0.01, 0.1, 1.0, 10.0, 100.0)],
        "has_b_tracks.k_plus_mumu and b_tracks_flight_xy.k_plus_mumu > 0.05",
    ),
    (
        "inelastic-dark-matter",
        {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5},
        {"ctau": "0.01,100", "ctau_hp": "0.1,10"},
        [
            {"ctau": ctau, "ctau_hp": ctau_hp}
            for ctau, ctau_hp in ((0.01, 1.0), (0.1, 0.1), (1.0, 10.0), (10.0, 0.3), (100.0, 1.0))
        ],
        "has_two_vertices and hp_flight_xy > 0.05 and 0 < chi_pointing_angle < 1",
    ),
    (
        "dark-higgsstrahlung",
        {"m_ap": 0.3, "m_hp": 1.0},
        {"ctau": "0.01,100"},
        [{"ctau": ctau} for ctau in (0.01, 0.1, 1.0, 10.0, 100.0)],
        "n_vertices > 0 and decay_radius > 0.05",
    ),
]


def sample(path: Path, name: str, parameters: dict[str, Any], n: int, seed: int) -> samples.Sample:
    run = samples.Run(find_process(name)(**parameters), geometry.load("belle2"), seed)
    samples.produce(run, path, n_events=n)
    return samples.open(path)


@pytest.mark.validation
@pytest.mark.parametrize(
    ("name", "parameters", "ranges", "points", "selection"), CLOSURES, ids=["b", "idm", "three"]
)
def test_one_sample_serves_every_lifetime(
    name: str,
    parameters: dict[str, Any],
    ranges: dict[str, str],
    points: list[dict[str, float]],
    selection: str,
    tmp_path: Path,
):
    """From 1e-2 to 1e2 cm; chi2 with the covariance of shares that have events in common."""
    n_direct, n_ranged = 8_192, 40_960
    select = selection_of(selection)
    direct = [
        samples.efficiency_map(
            sample(tmp_path / f"{i}.h5", name, parameters | point, n_direct, 10 + i).path, selection
        )
        for i, point in enumerate(points)
    ]
    ranged = sample(tmp_path / "range.h5", name, parameters | ranges, n_ranged, 1)
    passed, weight = passed_by(select, ranged), ranged.column("events", "weight")
    terms, found = [], []
    for point in points:
        own = weight * samples.lifetime_weights(ranged, **point)
        eff = own[passed].sum() / own.sum()
        found.append(eff)
        terms.append(own * (passed - eff) / own.sum())
    covariance = np.stack(terms) @ np.stack(terms).T
    expected = np.array([one["eff"][0] for one in direct])
    assert np.all(expected * n_direct > 20)
    covariance += np.diag([one["eff_stat"][0] ** 2 for one in direct])
    difference = np.array(found) - expected
    chi2 = difference @ np.linalg.solve(covariance, difference)
    assert stats.chi2.sf(chi2, len(points)) > 0.01
    # As the map has it, where the parameters are all lifetimes.
    map_ = samples.efficiency_map(ranged.path, selection, ctau={k: [points[0][k]] for k in ranges})
    assert map_["eff"][0] == pytest.approx(found[0], rel=1e-9)
