"""Sectors of the muon system at level one."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from darkbelle.detsim.klm import KlmResponse
from darkbelle.detsim.trigger.sectors import Sectors, find_sectors
from darkbelle.geometry import load
from darkbelle.units import deg

CARD = load("belle2").trigger.l1.klm.model_copy(
    update={"barrel_efficiency": 1.0, "endcap_efficiency": 1.0}
)


def sectors(
    phi: list[float], in_barrel: list[int], in_endcap: list[int], z: float = 50.0, **card: float
) -> dict[str, Sectors]:
    """Sectors of clusters at some azimuths [deg], one an event, with so many layers."""
    n = len(phi)
    columns = {field.name: np.zeros(n) for field in fields(KlmResponse)}
    columns |= {
        "phi": np.array(phi) * deg,
        "z": np.full(n, z),
        "n_in_barrel": np.array(in_barrel),
        "n_layers": np.array(in_barrel) + np.array(in_endcap),
    }
    changed = CARD.model_copy(update=card)
    return find_sectors(KlmResponse(**columns), np.arange(n), n, changed, np.random.default_rng(1))


def test_barrel_sectors_are_centred_on_the_axes() -> None:
    found = sectors([0, 20, 25, 90, -90, 180, -20], [8] * 7, [0] * 7)["klm_barrel"]
    assert found.fired.argmax(axis=1).tolist() == [0, 0, 1, 2, 6, 4, 0]
    assert (found.fired.sum(axis=1) == 1).all()
    np.testing.assert_allclose(found.centre / deg, np.arange(8) * 45)


def test_quadrants_of_the_endcaps_lie_between_the_axes() -> None:
    phi, layers = [10, 80, 100, 190, -10], [8] * 5
    for z, there, not_there in ((300.0, "klm_forward", "klm_backward"),
                                (-300.0, "klm_backward", "klm_forward")):  # fmt: skip
        found = sectors(phi, [0] * 5, layers, z)
        assert found[there].fired.argmax(axis=1).tolist() == [0, 0, 1, 2, 3]
        assert not found[not_there].fired.any()
        assert not found["klm_barrel"].fired.any()
        np.testing.assert_allclose(found[there].centre / deg, [45, 135, 225, 315])


def test_layers_of_two_sections_do_not_add_up() -> None:
    found = sectors([0, 0, 0], [7, 8, 9], [8, 7, 8])
    assert found["klm_barrel"].fired.any(axis=1).tolist() == [False, True, True]
    assert found["klm_forward"].fired.any(axis=1).tolist() == [True, False, True]


def test_efficiencies_are_those_of_the_section() -> None:
    n = 20_000
    found = sectors([0.0] * n, [8] * n, [8] * n, barrel_efficiency=0.9, endcap_efficiency=0.6)
    assert found["klm_barrel"].fired.any(axis=1).mean() == pytest.approx(0.9, abs=0.01)
    assert found["klm_forward"].fired.any(axis=1).mean() == pytest.approx(0.6, abs=0.015)
