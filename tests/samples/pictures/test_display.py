"""Displays: everything is drawn where it is, nothing is mirrored, no text covers another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from darkbelle import samples
from darkbelle.errors import ConfigError
from tests.samples.pictures.looks import from_text, grey, line_of, overlaps, radii_of_circles
from tests.samples.pictures.made_event import (
    CLUSTERS,
    COV,
    EXPERIMENT,
    FIRST_HIT,
    FITTED,
    HIT,
    MINUS,
    PHOTON_P,
    PLUS,
    VERTEX,
    produce,
)

STORED = Path(__file__).with_name("display.txt")
"""The panels of the made-up event, as `as_text(grey(figure))` tells them."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> samples.Sample:
    return produce(tmp_path_factory.mktemp("display") / "one.h5")


@pytest.fixture(scope="module")
def figure(sample: samples.Sample) -> Figure:
    return samples.pictures.display(sample, 0)


def side(point: np.ndarray) -> list[float]:
    """z, and the distance from the axis with the sign of y."""
    return [point[2], np.copysign(np.hypot(point[0], point[1]), point[1])]


def test_there_are_two_views_and_one_of_the_vertices(figure: Figure):
    names = [(axis.get_xlabel(), axis.get_ylabel()[:3]) for axis in figure.axes]
    assert names == [("$x$ [cm]", "$y$"), ("$z$ [cm]", "$r$"), ("$x$ [cm]", "$y$")]
    for point in (VERTEX, np.zeros(3)):
        low, high = figure.axes[2].viewLim.get_points()
        assert np.all(low < point[:2])
        assert np.all(point[:2] < high)
    assert np.all(high - low < 20)


def test_layers_are_those_of_the_card(figure: Figure):
    layers = [layer.radius_cm for layer in EXPERIMENT.silicon.values()]
    for wires in EXPERIMENT.drift_chamber.superlayers:
        layers += [wires.radius_cm[0], wires.radius_cm[-1]]
    layers += [EXPERIMENT.calorimeter.inner_radius_cm, EXPERIMENT.klm.coil.radius_cm]
    layers += EXPERIMENT.klm.barrel.positions_cm
    drawn = np.array(radii_of_circles(figure.axes[0]))
    for radius in layers:
        assert np.count_nonzero(np.isclose(drawn, radius)) == 1, radius
    outermost = EXPERIMENT.silicon["svd6"]
    (sheet,) = (
        line
        for line in figure.axes[1].lines
        if len(line.get_ydata()) and np.all(line.get_ydata() == -outermost.radius_cm)
    )
    assert sheet.get_xdata().tolist() == [outermost.z_min_cm, outermost.z_max_cm]


def test_hits_and_vertices_are_where_they_are(figure: Figure):
    across, lengthwise, _ = figure.axes
    np.testing.assert_allclose(line_of(across, "KLM cluster"), [HIT[:2]], rtol=1e-6)
    np.testing.assert_allclose(line_of(lengthwise, "KLM cluster"), [side(HIT)], rtol=1e-6)
    np.testing.assert_allclose(line_of(across, "fitted vertex"), [FITTED[:2]], rtol=1e-6)
    np.testing.assert_allclose(line_of(lengthwise, "fitted vertex"), [side(FITTED)], rtol=1e-6)
    np.testing.assert_allclose(line_of(across, "true vertex"), [VERTEX[:2]], rtol=1e-6)
    np.testing.assert_allclose(line_of(lengthwise, "true vertex"), [side(VERTEX)], rtol=1e-6)


def test_towers_stand_on_the_crystals_and_are_as_long_as_energies(figure: Figure):
    lengths = []
    for label, (_, theta, phi) in zip(
        ("cluster without track", "cluster of a track"), CLUSTERS, strict=True
    ):
        direction = np.array([np.cos(phi), np.sin(phi), 1 / np.tan(theta)])
        face = EXPERIMENT.calorimeter.inner_radius_cm * direction
        for axis, expected in zip(figure.axes, (face[:2], side(face)), strict=False):
            (tower,) = (patch for patch in axis.patches if patch.get_label() == label)
            corners = tower.get_xy()[:4]
            np.testing.assert_allclose((corners[0] + corners[3]) / 2, expected, rtol=1e-5)
        length = np.linalg.norm((corners[1] + corners[2]) / 2 - (corners[0] + corners[3]) / 2)
        lengths.append(length)
    assert lengths[1] / lengths[0] == pytest.approx(CLUSTERS[1][0] / CLUSTERS[0][0], rel=1e-5)


def test_true_ways_begin_bend_and_end_as_they_should(figure: Figure):
    across, lengthwise, _ = figure.axes
    for charge, p, label in ((-1, MINUS, r"$\mu^{-}$"), (1, PLUS, r"$\mu^{+}$")):
        name = f"{label}  {np.linalg.norm(p):.2f} GeV"
        way = line_of(across, name)
        np.testing.assert_allclose(way[0], VERTEX[:2], atol=1e-9)
        assert np.hypot(*way[-1]) == pytest.approx(EXPERIMENT.klm.barrel.last_layer_cm)
        chord = way[150] - way[0]
        turn = p[0] * chord[1] - p[1] * chord[0]
        assert np.sign(turn) == -charge  # the field points to whoever looks
        np.testing.assert_allclose(line_of(lengthwise, name)[0], side(VERTEX), atol=1e-9)
    way = line_of(across, rf"$\gamma$  {np.linalg.norm(PHOTON_P):.2f} GeV")
    np.testing.assert_allclose(way[-1], PHOTON_P[:2] * 125 / np.hypot(*PHOTON_P[:2]))
    way = line_of(across, f"$S$  {np.linalg.norm(MINUS + PLUS):.2f} GeV")
    np.testing.assert_allclose(way[[0, -1]], [[0, 0], VERTEX[:2]], atol=1e-9)


def test_what_leaves_no_trace_is_dashed(figure: Figure):
    lines = {line.get_label().partition("  ")[0]: line for line in figure.axes[0].lines}
    styles = {name: lines[name].get_linestyle() for name in (r"$S$", r"$\chi_1$", r"$\mu^{-}$")}
    assert styles == {"$S$": "--", r"$\chi_1$": "--", r"$\mu^{-}$": "-"}


def test_fitted_tracks_reach_from_the_first_hit_to_the_calorimeter(figure: Figure):
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.2]
    ways = [np.asarray(line.get_xydata()) for line in thick if len(line.get_xydata())]
    assert len(ways) == 2
    for way in ways:
        assert np.hypot(*way[0]) == pytest.approx(FIRST_HIT)
        assert np.hypot(*way[-1]) == pytest.approx(EXPERIMENT.calorimeter.inner_radius_cm)
    true = line_of(figure.axes[0], rf"$\mu^{{-}}$  {np.linalg.norm(MINUS):.2f} GeV")
    apart = np.linalg.norm(true[:, None] - ways[0][None, ::20], axis=-1).min(axis=0)
    assert apart.max() < 0.5  # cm, half of what lies between two points


def test_ellipses_hold_two_thirds(figure: Figure):
    """-2 log(1 - 0.6827) variances, as in two dimensions."""
    ellipse = figure.axes[2].patches[-1].get_xy()
    half = np.ptp(ellipse, axis=0) / 2
    np.testing.assert_allclose(half, np.sqrt(2.2957 * np.diag(COV)[:2]), rtol=2e-3)


def test_all_is_inside_the_axes(figure: Figure):
    for axis in figure.axes[:2]:
        low, high = axis.viewLim.get_points()
        for artist in [*axis.lines, *axis.patches]:
            points = np.asarray(
                artist.get_xydata() if hasattr(artist, "get_xydata") else artist.get_xy()
            )
            assert np.all(np.isnan(points) | ((points >= low) & (points <= high)))


def test_it_is_said_what_is_seen(figure: Figure):
    head = figure._suptitle.get_text()
    assert head.startswith("darkbelle simulation, Belle II\nevent 0, kept by the trigger; ")
    assert "level one: ffy; high level: ge3_loose_tracks" in head.replace("\n", " ")
    (legend,) = figure.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert told[0] == f"$S$  {np.linalg.norm(MINUS + PLUS):.2f} GeV"
    assert {"fitted track", "KLM cluster", "true vertex", "fitted vertex"} <= {*told}


def test_no_text_covers_another(figure: Figure):
    assert overlaps(figure) == []


def test_it_looks_as_it_did(figure: Figure):
    """Coarsely, whatever fonts and versions; a mirrored panel does not pass."""
    stored = from_text(STORED.read_text(encoding="utf-8"))
    for seen, expected in zip(grey(figure), stored, strict=True):
        as_it_is, *mirrored = (
            np.sqrt(np.mean((shades - expected) ** 2))
            for shades in (seen, seen[::-1], seen[:, ::-1], seen.T)
        )
        assert as_it_is < 0.01  # 0.004 between matplotlib 3.9 and 3.11
        assert min(mirrored) > 0.02


def test_an_event_that_is_not_there(sample: samples.Sample):
    with pytest.raises(ConfigError, match=r"one.h5' has 1 event, 0 to 0: there is no event 7"):
        samples.pictures.display(sample, 7)


def test_without_displaced_vertices_there_are_two_panels(triggered):
    figure = samples.pictures.display(triggered.sample, 2)
    assert len(figure.axes) == 2
    assert overlaps(figure) == []


def test_the_command(run, sample: samples.Sample):
    file = str(sample.path)
    status, out, _ = run("display", file, "--event", "0", "-o", "event.svg")
    assert (status, out) == (0, "event.svg\n")
    assert Path("event.svg").read_text(encoding="utf-8").startswith("<?xml")
    for arguments, told in (
        (("--event", "1", "-o", "other.png"), "there is no event 1"),
        (("-o", "other.bmp"), "pictures are written as png, pdf, svg"),
        (("-o", "event.svg"), "exists already"),
    ):
        status, _, error = run("display", file, *arguments)
        assert status == 2
        assert told in error
    assert [path.name for path in Path().iterdir()] == ["event.svg"]
