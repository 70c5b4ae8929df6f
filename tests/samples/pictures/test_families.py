"""Families of pictures: what is drawn are the numbers of the samples, told apart and readable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex

from darkbelle import gen, geometry, samples
from darkbelle.samples import pictures
from darkbelle.samples.pictures.columns import Truth
from darkbelle.samples.pictures.efficiencies import _edges_of_radius
from darkbelle.samples.pictures.histograms import Series, draw_histograms
from darkbelle.samples.pictures.labels import detector_name, labels_of, particle_name
from darkbelle.samples.pictures.masses import Peaks
from darkbelle.samples.pictures.style import COLOURS, LINES, MARKERS, in_style, new_figure
from darkbelle.samples.pictures.vertex_maps import fitted_vertices, true_vertices
from darkbelle.samples.production import Run
from tests.pilot import short_pilot
from tests.samples.pictures.looks import overlaps

EXPERIMENT = geometry.load("belle2")


@dataclass(frozen=True)
class Two:
    """Samples of two masses, with displaced decays."""

    light: samples.Sample
    heavy: samples.Sample


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("two")
    paths = []
    with short_pilot():
        for mass in (0.5, 2.0):
            process = gen.MuMuScalar(mass=mass, coupling=1e-3, decay="mumu", ctau=1.0)
            paths.append(folder / f"{mass:g}.h5")
            run = Run(process, EXPERIMENT, seed=1, chunk_size=200)
            samples.produce(run, paths[-1], n_events=200)
    return Two(*map(samples.open, paths))


# ---- style and labels ----------------------------------------------------------------------------


def test_settings_of_the_user_stay(two: Two):
    with mpl.rc_context({"font.size": 31.0, "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        figure = pictures.masses(two.light)
        assert dict(mpl.rcParams) == before
    axis = figure.axes[0]
    assert to_hex(axis.get_facecolor()) == "#ffffff"
    assert axis.xaxis.label.get_fontsize() < 12


def test_series_are_told_apart_without_colours():
    looks = {(LINES[i % len(LINES)], MARKERS[i % len(MARKERS)]) for i in range(len(COLOURS))}
    assert len(looks) == len(COLOURS)


def test_labels_say_what_differs(two: Two, triggered):
    assert labels_of([two.light]) == [""]
    assert labels_of([two.light, two.heavy]) == ["mass = 0.5", "mass = 2.0"]
    assert labels_of([two.light, two.light]) == [str(two.light.path)] * 2
    assert labels_of([two.light, triggered.sample]) == ["mumu-scalar", "mumu-zprime"]
    labels = labels_of([two.light, two.heavy, triggered.sample])
    assert labels[0].startswith("mumu-scalar, ")
    assert len({*labels}) == 3


def test_names():
    assert detector_name(EXPERIMENT) == "Belle II"
    assert detector_name(geometry.load("belle")) == "Belle"
    names = [particle_name(code) for code in (-13, 54, -52, 91, 9_000_005)]
    assert names == [r"$\mu^{+}$", "$S$", r"$\bar{\chi_1}$", "remainder", "9000005"]


# ---- numbers -------------------------------------------------------------------------------------


def stairs(axis) -> list[float]:
    """Sums of the histograms of a panel."""
    return [float(np.nansum(patch.get_data().values)) for patch in axis.patches]


def test_kinematics_hold_all_particles_and_tracks(two: Two):
    sample = two.light
    momentum, theta, number, *_ = pictures.kinematics(sample).axes
    truth = Truth(sample)
    is_charged = np.isin(np.abs(truth.pdg_id), [11, 13, 211, 321, 2212]) & (truth.status == 1)
    expected = [np.count_nonzero(is_charged), int(ak.sum(ak.num(sample.tracks)))]
    assert stairs(momentum) == stairs(theta) == expected
    assert stairs(number) == [len(sample)] * 2
    assert [text.get_text() for text in momentum.get_legend().get_texts()] == [
        "true",
        "reconstructed",
    ]


def test_several_samples_are_drawn_an_event(two: Two):
    figure = pictures.kinematics(two.light, two.heavy)
    sums = stairs(figure.axes[0])
    assert sums[:2] == pytest.approx([4, 4])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["mass = 0.5", "mass = 2.0"]
    assert "lines: true" in figure._suptitle.get_text()
    assert "per event" in figure.axes[0].get_ylabel()


def test_peaks_are_of_pairs_that_were_found_whole(two: Two):
    for sample, mass in ((two.light, 0.5), (two.heavy, 2.0)):
        peaks = Peaks.of(sample)
        chosen = peaks.pdg_id == 54
        parents = sample.particles[sample.tracks.truth_index].parent
        codes = ak.where(parents >= 0, sample.particles.pdg_id[parents], 0)
        n_whole = int(ak.sum(ak.sum(codes == 54, axis=1) == 2))
        assert np.count_nonzero(chosen) == n_whole > 100
        np.testing.assert_allclose(peaks.true[chosen], mass, rtol=1e-6)
        assert np.median(peaks.measured[chosen]) == pytest.approx(mass, abs=0.003)


def test_peaks_of_photons(tmp_path: Path):
    with short_pilot():
        process = gen.GammaAlp(mass=1.0, coupling=1e-3, decay="gammagamma")
        run = Run(process, EXPERIMENT, seed=1, chunk_size=100)
        samples.produce(run, tmp_path / "x.h5", n_events=100)
    peaks = Peaks.of(samples.open(tmp_path / "x.h5"))
    assert len(peaks.true) > 20
    assert np.median(peaks.measured) == pytest.approx(1.0, abs=0.03)


def test_efficiencies_are_of_the_daughters(two: Two):
    sample = two.heavy
    momentum, theta, radius = pictures.efficiencies(sample).axes[:3]
    truth, n_events = Truth(sample), len(sample)
    of_dark = (truth.status == 1) & (truth.parent >= 0) & (truth.pdg_id[truth.parent] == 54)
    muons = of_dark & (np.abs(truth.pdg_id) == 13)
    assert np.count_nonzero(muons) == 2 * n_events
    first = truth.offsets[:-1].repeat(ak.to_numpy(ak.num(sample.tracks)))
    rows = first + sample.column("tracks", "truth_index")
    px, py, pz = (truth.column(name)[muons] for name in ("px", "py", "pz"))
    angle = np.degrees(np.arctan2(np.hypot(px, py), pz))
    edges = np.quantile(angle, np.linspace(0, 1, 13))
    is_found = np.isin(np.flatnonzero(muons), rows)
    bars = theta.containers[0]
    drawn = bars[0].get_ydata()
    for i, share in enumerate(drawn[:-1]):
        inside = (angle >= edges[i]) & (angle < edges[i + 1])
        assert share == pytest.approx(is_found[inside].mean())
    assert 0.5 < np.mean(momentum.containers[0][0].get_ydata()) <= 1
    assert radius.containers[0][0].get_xdata().max() < 110


def test_maps_show_all_vertices(two: Two):
    sample = two.light
    figure = pictures.vertex_map(sample)
    across, lengthwise, across_fits, _ = figure.axes
    true, fitted = true_vertices(sample), fitted_vertices(sample)
    assert len(true.T) >= len(sample)
    radius = np.hypot(true[0], true[1])
    points = np.asarray(across.lines[-1].get_xydata())
    np.testing.assert_array_equal(points, true[:2].T)
    points = np.asarray(lengthwise.lines[-1].get_xydata())
    np.testing.assert_array_equal(points, np.stack([true[2], radius], axis=-1))
    points = np.asarray(across_fits.lines[-1].get_xydata())
    np.testing.assert_array_equal(points, fitted[:2].T)
    assert len(fitted.T) > 100


def test_a_bin_of_the_radius_holds_what_is_prompt():
    edges = _edges_of_radius(np.concatenate([np.zeros(500), np.linspace(1, 50, 480)]))
    assert edges[:2].tolist() == [0.0, 0.1]
    assert len(edges) == 14
    np.testing.assert_allclose(np.diff(edges)[2:], 49 / 12, rtol=0.05)
    assert _edges_of_radius(np.zeros(0)).size == 0


def test_what_was_chosen_most_often_is_drawn_of_an_observable(two: Two):
    """One sample, a column each for the pairs of four tracks; what no event has is left out."""
    figure = pictures.observables(two.light)
    panel = next(a for a in figure.axes if a.get_xlabel().startswith("four track mumu"))
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels == ["fast fast", "fast slow", "slow fast", "slow slow"]


def test_a_logarithmic_scale_has_two_decades():
    _, (axis,) = in_style(lambda: new_figure(1, 1))()
    draw_histograms(
        axis,
        [Series(np.ones(3), np.full(3, 1e-4))],
        np.linspace(0, 2, 5),
        label="x",
        unit="cm",
        logarithmic=True,
    )
    low, high = axis.get_ylim()
    assert low == pytest.approx(1.5e-4)
    assert high >= 100 * low


# ---- readable ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trigger", "efficiencies", "masses", "vertex_map"])
def test_no_text_covers_another(two: Two, name: str):
    assert overlaps(pictures.PICTURES[name](two.light, two.heavy)) == []


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_draws_what_it_is_asked(run, two: Two, monkeypatch: pytest.MonkeyPatch):
    files = str(two.light.path), str(two.heavy.path)
    status, out, _ = run("plot", *files, "-o", "new", "--what", "masses", "--format", "pdf")
    assert (status, out) == (0, "new/masses.pdf\n")
    assert Path("new/masses.pdf").read_bytes().startswith(b"%PDF")
    status, _, error = run("plot", *files, "-o", "new", "--what", "masses", "--format", "pdf")
    assert (status, "exists already" in error) == (2, True)
    status, _, error = run("plot", *files, "-o", "other", "--what", "mases")
    assert (status, error) == (2, "Error: there is no picture 'mases', did you mean 'masses'?\n")
    assert not Path("other").exists()


def test_what_has_nothing_to_draw_is_said_or_left_out(run, triggered, tmp_path: Path):
    """Neutrinos leave no tracks and no clusters; a sample may have no events at all."""
    gun = gen.ParticleGun(p=1.0, pdg_id=12)
    for name, n in (("gun", 20), ("empty", 0)):
        path = tmp_path / f"{name}.h5"
        samples.produce(Run(gun, EXPERIMENT, seed=1, chunk_size=20), path, n_events=n)
    for what, told in (
        ("observables", "there are no observables, or none that all samples have"),
        ("tracks", "there are no tracks"),
        ("pulls", "there are no tracks"),
        ("vertices", "there are no vertices"),
        ("resolutions", "there are too few tracks and photons"),
    ):
        status, _, error = run("plot", "gun.h5", "-o", "x", "--what", what)
        assert (status, error) == (2, f"Error: {what}: {told}\n")
    status, _, error = run("plot", "empty.h5", "-o", "x")
    assert (status, error) == (2, "Error: there is nothing to draw: no events are in 'empty.h5'\n")
    assert not Path("x").exists()
    status, out, _ = run("plot", "gun.h5", "-o", "x")
    assert (status, out.split()) == (0, ["x/kinematics.png", "x/trigger.png"])


def test_panels_without_entries_say_so(two: Two, tmp_path: Path):
    gun = gen.ParticleGun(p=1.0, pdg_id=12)
    samples.produce(Run(gun, EXPERIMENT, seed=1, chunk_size=20), tmp_path / "x.h5", n_events=20)
    figure = pictures.kinematics(samples.open(tmp_path / "x.h5"))
    told = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert told == [["none"], ["none"], [], ["none"], ["none"], []]


def test_the_recoil_is_of_one_dark_state(tmp_path: Path):
    """Of a Z' that leaves no trace; two dark states have none, nor has what is the pair."""
    names = {}
    with short_pilot():
        for process in (
            gen.MuMuZPrime(mass=4.0, decay="invisible"),
            gen.DarkHiggsstrahlung(m_ap=1.0, m_hp=3.0),
            gen.MuMuScalar(mass=2.0, decay="mumu"),
        ):
            path = tmp_path / f"{process.name}.h5"
            samples.produce(Run(process, EXPERIMENT, seed=1, chunk_size=100), path, n_events=100)
            figure = pictures.masses(samples.open(path))
            names[process.name] = [axis.get_xlabel() for axis in figure.axes]
    assert names["mumu-zprime"] == [r"$M_\mathrm{recoil}$ [GeV]"]
    assert names["mumu-scalar"] == ["$m$($S$) [GeV]"]
    assert names["dark-higgsstrahlung"] == ["$m$($A'$) [GeV]", "$m$($h'$) [GeV]"]
