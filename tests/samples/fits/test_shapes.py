"""Fits of shapes: toys, weights, tables, and a mass that was left out."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from scipy.special import chdtrc

from darkbelle import samples
from darkbelle.errors import ConfigError, SampleFormatError
from darkbelle.samples.fits.crystal_ball import DoubleCrystalBall
from darkbelle.samples.fits.shape_fit import PARAMETERS, ShapeFit, fit_shape
from darkbelle.samples.fits.shapes import ShapeTable, fit_shapes

TRUE = DoubleCrystalBall(2.0, 0.1, 1.3, 3.0, 1.0, 2.0)
RANGE = (1.0, 4.0)


def toy(n: int, rng: np.random.Generator) -> np.ndarray:
    """Values by the inverse of the integral."""
    x = np.linspace(*RANGE, 20_001)
    integral = TRUE.cdf(x)
    return np.interp(rng.uniform(integral[0], integral[-1], n), integral, x)


def pulls(fit: ShapeFit) -> np.ndarray:
    return (np.array(astuple(fit.shape)) - np.array(astuple(TRUE))) / fit.errors


@pytest.mark.parametrize("is_weighted", [False, True])
def test_pulls_of_toys_are_normal(is_weighted):
    """Of 80 toys: mean and width of each parameter's pulls within four standard deviations.

    With weights of 5 in the core and 1 in the tails errors of the likelihood alone are wrong.
    """
    rng = np.random.default_rng(7)
    found, p_values = [], []
    for _ in range(80):
        values = toy(8000, rng)
        weights = np.ones(len(values))
        if is_weighted:  # thinned where the weights are large, so that the sum follows the shape
            weights = 1 + 4.0 * (np.abs(values - 2.0) < 0.1)
            kept = rng.random(len(values)) < 1 / weights
            values, weights = values[kept], weights[kept]
        fit = fit_shape(values, weights, RANGE)
        found.append(pulls(fit))
        p_values.append(fit.p_value)
    found = np.array(found)
    n = len(found)
    # Powers of tails are skew: medians and central widths.
    assert np.all(np.abs(np.median(found, axis=0)) < 4 * 1.25 / np.sqrt(n))
    width = np.diff(np.quantile(found, [0.1587, 0.8413], axis=0), axis=0)[0] / 2
    assert np.all(np.abs(width - 1) < 4 * 1.2 / np.sqrt(2 * n)), dict(
        zip(PARAMETERS, width, strict=True)
    )
    assert 0.3 < np.mean(p_values) < 0.7


def test_errors_know_of_weights():
    """Doubling all weights changes nothing; the same events twice have smaller errors."""
    values = toy(5000, np.random.default_rng(1))
    one = fit_shape(values, np.ones(5000), RANGE)
    heavy = fit_shape(values, np.full(5000, 2.0), RANGE)
    more = fit_shape(np.tile(values, 4), np.ones(20_000), RANGE)
    assert heavy.errors == pytest.approx(one.errors, rel=0.02)
    assert more.errors == pytest.approx(one.errors / 2, rel=0.02)
    assert heavy.n_effective == pytest.approx(len(values))


def test_what_cannot_be_fitted():
    with pytest.raises(ConfigError, match="there are none that pass"):
        fit_shape(np.empty(0), np.empty(0))
    with pytest.raises(ConfigError, match="needs 100 effective events between"):
        fit_shape(np.linspace(0, 1, 50), np.ones(50))


@pytest.fixture(scope="module")
def fitted(scan):
    return fit_shapes(
        [path for mass, path in scan.items() if mass != 2.0],
        "recoil_mass2",
        selection="has_dimuon == 1",
        within=None,
    )


def test_a_mass_between_is_described(scan, fitted):
    """That of 2 GeV, not in the table, by a chi^2 in bins of equal expectation."""
    table, _ = fitted
    assert len(table) == 3
    shape = table.at(2.0)
    with samples.open(scan[2.0]) as sample:
        values = sample.column("events", "recoil_mass2").astype(float)
    low, high = 2.0, 8.0
    values = values[(values > low) & (values < high)]
    shares = np.linspace(shape.cdf(low), shape.cdf(high), 21)
    x = np.linspace(low, high, 10_001)
    edges = np.interp(shares, shape.cdf(x), x)
    counts = np.histogram(values, edges)[0]
    expected = len(values) / 20
    # The neighbours were fitted to as many events each: half as much again of variance.
    chi2 = np.sum((counts - expected) ** 2) / (1.5 * expected)
    assert chdtrc(19, chi2) > 1e-3
    moved = np.diff(table.at(2.05).cdf(edges))
    moved = moved / moved.sum() * len(values)
    assert chdtrc(19, np.sum((counts - moved) ** 2 / moved)) < 1e-6


def test_table_is_read_back(fitted, tmp_path):
    table, fits = fitted
    for name in ("shapes.csv", "shapes.h5"):
        table.write(tmp_path / name)
        again = ShapeTable.read(tmp_path / name)
        assert again.at(2.2) == table.at(2.2)
        assert list(again.columns) == list(table.columns)
    row = list(table["mass"]).index(2.5)
    assert astuple(table.at(2.5)) == pytest.approx(astuple(fits[row].shape))
    assert table.pdf(6.25, 2.5) == pytest.approx(float(fits[row].shape.pdf(6.25)))
    with pytest.raises(ConfigError, match=r"mass = 5 is outside of the table, 1.5 to 3"):
        table.at(5.0)
    (tmp_path / "other.csv").write_text("mass\n1\n")
    with pytest.raises(SampleFormatError, match="is no table of shapes"):
        ShapeTable.read(tmp_path / "other.csv")


def test_command(scan, run, tmp_path):
    files = [str(scan[mass]) for mass in (2.0, 2.5)]
    asked = ("--observable", "recoil_mass", "--plot", "shapes.png", "-o", "shapes.csv")
    status, told, _ = run("shape", *files, *asked)
    assert (status, told) == (0, "shapes.csv: 2 shapes\n")
    assert (tmp_path / "shapes.png").stat().st_size > 10_000
    assert ShapeTable.read("shapes.csv").at(2.2).mean == pytest.approx(2.2, abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--observable", "recoil", "-o", "s.csv"), "no column 'recoil'"),
        (("--observable", "recoil_mass", "-o", "s.txt"), "tables are kept as .csv or .h5"),
        (("--observable", "recoil_mass", "--parameter", "m", "-o", "s.csv"), "no number 'm'"),
        (("--observable", "recoil_mass", "--within", "1", "-o", "s.csv"), "needs LOW,HIGH"),
        (
            ("--observable", "recoil_mass", "--selection", "recoil_mass > 99", "-o", "s.csv"),
            "mass = 2: a shape needs events, there are none that pass",
        ),
    ],
)
def test_what_the_command_refuses(scan, run, tmp_path, arguments, told):
    status, _, error = run("shape", str(scan[2.0]), *arguments)
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("s.*"))
