"""Names, units and signs of EDM4hep, against their definitions."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.detsim.helix import pack, unpack
from darkbelle.samples.exporting.edm4hep import counterparts, from_edm4hep, to_edm4hep
from tests.samples.flying import write

HELIX = ("d0", "phi0", "omega", "z0", "tan_lambda")
TABLES = ("events", "particles", "tracks", "vertices", "clusters", "klm_clusters")
finite = st.floats(-1e6, 1e6, allow_subnormal=False)


def tracks(helix, cov=None):
    """Flat columns, as files have them."""
    columns = {f"helix_{name}": helix[:, i] for i, name in enumerate(HELIX)}
    if cov is not None:
        columns |= {f"cov_{k}": values for k, values in enumerate(pack(cov).T)}
    return columns


@given(
    table=st.sampled_from(TABLES),
    values=st.lists(finite, min_size=1, max_size=4),
    width=st.sampled_from(["f4", "f8"]),
)
def test_the_conversion_inverts(table, values, width):
    """To rounding, with every column in its place and width; others are left alone."""
    names = [*counterparts(table), "mine"]
    columns = {name: np.array(values, width) + np.array(i, width) for i, name in enumerate(names)}
    there = to_edm4hep(table, columns)
    assert len(there) == len(columns)
    back = from_edm4hep(table, there)
    assert list(back) == list(columns)
    for name, own in columns.items():
        assert back[name].dtype == own.dtype
        np.testing.assert_allclose(back[name], own, rtol=4 * np.finfo(width).eps)
    assert there["mine"] is columns["mine"]


def test_the_perigee_is_the_same_point():
    """LCIO puts it at (-D0 sin phi, D0 cos phi, Z0) [mm], basf2 at (d0 sin phi0, -d0 cos phi0)."""
    d0, phi0, omega, z0, tan_lambda = helix = np.array([[0.5, 2.0, 0.0045, -1.5, 0.7]]).T
    there = to_edm4hep("tracks", tracks(helix.T))
    assert list(there) == ["D0", "phi", "omega", "Z0", "tanLambda"]
    phi = there["phi"]
    np.testing.assert_allclose(-there["D0"] * np.sin(phi), 10 * d0 * np.sin(phi0))
    np.testing.assert_allclose(there["D0"] * np.cos(phi), 10 * -d0 * np.cos(phi0))
    np.testing.assert_allclose(there["Z0"], 10 * z0)
    np.testing.assert_allclose(1 / there["omega"], 10 / omega)  # the radius, of the same sign
    np.testing.assert_array_equal(there["tanLambda"], tan_lambda)


def test_the_covariance_is_that_of_the_converted_parameters():
    """Of parameters drawn from it and converted; the d0 row changes sign, but not its variance."""
    rng = np.random.default_rng(3)
    root = rng.normal(size=(5, 5)) * np.array([[0.01, 0.002, 1e-5, 0.02, 0.003]]).T
    cov = (root @ root.T)[None]
    drawn = rng.multivariate_normal(np.zeros(5), cov[0], 20_000)
    there = to_edm4hep("tracks", tracks(drawn))
    expected = np.cov(np.stack(list(there.values())))
    converted = to_edm4hep("tracks", tracks(drawn[:1], cov))
    packed = np.stack([converted[f"covMatrix_{k}"] for k in range(15)], axis=1)
    found = unpack(packed)[0]
    sigma = np.sqrt(np.diag(expected))
    scale = np.outer(sigma, sigma)
    np.testing.assert_allclose(found / scale, expected / scale, atol=0.05)
    np.testing.assert_array_equal(np.sign(found[0, 1:]), -np.sign(cov[0, 0, 1:]))
    assert found[0, 0] == pytest.approx(100 * cov[0, 0, 0])
    assert np.all(np.linalg.eigvalsh(found / scale) > 0)


def test_lengths_are_in_mm_and_times_in_ns():
    known = {table: counterparts(table) for table in TABLES}
    particles, vertices = known["particles"], known["vertices"]
    assert {c.name: (c.factor, c.unit) for c in particles.values()} == {
        "PDG": (1, "1"),
        "generatorStatus": (1, "1"),
        **{f"momentum_{axis}": (1, "GeV") for axis in "xyz"},
        "mass": (1, "GeV"),
        **{f"vertex_{axis}": (10, "mm") for axis in "xyz"},
        "time": (1, "ns"),
        **{f"endpoint_{axis}": (10, "mm") for axis in "xyz"},
    }
    assert [vertices[f"cov_{k}"].unit for k in range(3)] == ["mm^2", "mm mm", "mm^2"]
    assert {vertices[f"cov_{k}"].factor for k in range(6)} == {100}
    omega2 = known["tracks"]["cov_5"]
    assert (omega2.name, omega2.unit) == ("covMatrix_5", "1/mm^2")
    assert omega2.factor == pytest.approx(0.01)
    assert known["klm_clusters"]["x"].name == "position_x"
    assert known["klm_clusters"]["x"].factor == 10
    assert counterparts("trigger") == {}


def test_angles_of_clusters_keep_our_names():
    """Cluster.phi and iTheta are the directions of the shower itself there, not those of its place.

    edm4hep.yaml: "Not to be confused with direction cluster is seen from IP".
    """
    for table in ("clusters", "klm_clusters"):
        there = to_edm4hep(table, {"theta": np.array([1.0]), "phi": np.array([2.0])})
        assert {name: values.item() for name, values in there.items()} == {"theta": 1, "phi": 2}
        assert not {"theta", "phi"} & set(counterparts(table))


def test_it_is_what_the_attributes_of_files_say(tmp_path):
    """Each name that a dataset carries is used, with the sign that it says."""
    write(tmp_path / "x.h5", "particle-gun", {"p": 1.0}, n=2)
    with h5py.File(tmp_path / "x.h5") as file:
        for table in TABLES:
            told = [
                name.replace(".", "_")
                for dataset in file[table].values()
                if "edm4hep" in dataset.attrs
                for name in dataset.attrs["edm4hep"].split(", ")
            ]
            used = {there.name for there in counterparts(table).values()}
            assert {re.sub(r"^covMatrix_\d+$", "covMatrix", name) for name in used} == set(told)
        flipped = file["tracks/helix"].attrs["sign_flip"]
    negative = [c.name for c in counterparts("tracks").values() if c.factor < 0]
    assert negative == [flipped, *(f"covMatrix_{k}" for k in (1, 3, 6, 10))]
