"""Expected counts: scales, errors, couplings, workspaces and limits."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.stats import poisson

from darkbelle import gen, geometry, samples
from darkbelle.errors import ConfigError
from darkbelle.samples.files.flat import read_table
from darkbelle.samples.fits.couplings import rescaling
from darkbelle.samples.fits.limits import expected_limits
from darkbelle.samples.fits.templates import FORMAT, templates
from darkbelle.samples.fits.workspace import Channel, channels_of, workspace
from darkbelle.samples.fits.yields import expected_yield

EDGES = (3.0, 3.7, 4.0, 4.3, 6.0)
SELECTION = "has_dimuon == 1 and missing_energy > 2"


@pytest.fixture(scope="module")
def both(signal, background):
    """Templates of signal and background."""
    asked = {"observable": "recoil_mass2", "edges": EDGES, "lumi": 100.0, "selection": SELECTION}
    return templates(signal, **asked)[0], templates(background, **asked)[0]


def test_counts_are_the_luminosity_times_the_cross_section(signal, both):
    with samples.open(signal) as sample:
        events, xsec = sample.events, sample.cross_section.value
        passed = (events.has_dimuon == 1) & (events.missing_energy > 2)
        content = np.histogram(events.recoil_mass2[passed], EDGES)[0]
        n = sample.attributes["n_generated"]
    template, _ = both
    assert template.expected == pytest.approx(100 * xsec * content / n)
    assert template.variance == pytest.approx((100 * xsec / n) ** 2 * content)
    assert template.unit == "GeV^2"


def test_variations_are_those_of_the_sample(signal, both):
    """A shift by its own columns; weights but for what all of them add to the sum by chance."""
    template, _ = both
    assert template.systematics == ("muon_id", "tracking", "momentum_resolution")
    with samples.open(signal) as sample:
        scale = 100 * sample.cross_section.value / sample.attributes["n_generated"]
        for name in ("momentum_resolution_up", "tracking_down"):
            varied = sample.varied(name)
            passed = (varied.events.has_dimuon == 1) & (varied.events.missing_energy > 2)
            weight = np.asarray(varied.events.weight)
            x = np.asarray(varied.events.recoil_mass2)
            content = scale * np.histogram(x[passed], EDGES, weights=weight[passed])[0]
            rel = 1e-9 if name.startswith("momentum") else 0.01
            assert template.varied[name] == pytest.approx(content, rel=rel)
    lost = 1 - template.varied["tracking_down"].sum() / template.expected.sum()
    assert lost == pytest.approx(2 * 0.0024, abs=0.003)  # two tracks by the error of the card


def test_histogram_has_all_of_it(both):
    template, _ = both
    found = template.histogram()
    assert next(iter(found.axes["variation"])) == "nominal"
    assert found[:, "nominal"].values() == pytest.approx(template.expected)
    assert found[:, "nominal"].variances() == pytest.approx(template.variance)
    assert found[:, "tracking_up"].values() == pytest.approx(template.varied["tracking_up"])
    assert found.axes[0].label == "recoil_mass2 [GeV^2]"


def test_yield_is_the_sum_of_bins_and_scales_with_couplings(signal, both):
    template, _ = both
    asked = {"lumi": 100.0, "selection": f"{SELECTION} and 3 <= recoil_mass2 < 6"}
    found = expected_yield(signal, **asked)
    assert found.value == pytest.approx(template.expected.sum())
    assert found.stat**2 == pytest.approx(template.variance.sum())
    assert found.shifts["tracking"] == pytest.approx(template.shift("tracking").sum())
    assert found.error == pytest.approx(np.hypot(np.hypot(found.stat, found.rate), found.syst))
    stronger = expected_yield(signal, **asked, couplings={"coupling": 0.03})
    assert stronger.value == pytest.approx(9 * found.value)
    assert str(found).startswith(f"{found.value:.4g} +- ")


def test_lifetimes_follow_couplings():
    """h' of inelastic dark matter: 1/sin^2(theta), and the rate of its decays stays."""
    collider = geometry.load("belle2").collider
    masses = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5}
    process = gen.InelasticDarkMatter(**masses, epsilon=1e-3, sin_theta=1e-4, ctau_hp=(0.01, 100))
    other, scaled = rescaling(process, collider, {"sin_theta": 3e-4})
    model = gen.InelasticDarkMatter(**masses, epsilon=1e-3, sin_theta=3e-4)
    assert other == model
    assert scaled.lifetimes["ctau_hp"] == pytest.approx(model.long_lived["ctau_hp"].decay.ctau)
    assert "ctau" not in scaled.lifetimes  # that of chi2 knows epsilon alone
    assert scaled.rate == pytest.approx(1, rel=1e-3)
    _, longer = rescaling(process, collider, {"ctau_hp": 2.0})
    assert (longer.rate, longer.lifetimes) == (1.0, {"ctau_hp": 2.0})
    with pytest.raises(ConfigError, match="'m_ap' is no coupling or lifetime, known: alpha_d"):
        rescaling(process, collider, {"m_ap": 2.0})


def test_workspace_says_what_the_templates_say(both):
    """Read by pyhf: expectations, and what one standard deviation of a parameter makes of them."""
    import pyhf

    signal, background = both
    specification = workspace([Channel(signal, [background])], rate_errors={"tautau": 0.1})
    model = pyhf.Workspace(specification).model()
    init = np.array(model.config.suggested_init())
    names = model.config.parameters
    shared = set(signal.systematics) & signal.correlated
    own = set(signal.systematics) - signal.correlated
    assert shared
    assert own
    assert shared | {f"{name}_belle2" for name in own} <= set(names)
    expected = model.expected_data(init, include_auxdata=False)
    assert expected == pytest.approx(signal.expected + background.expected)

    def moved(name, value=1.0):
        point = init.copy()
        point[model.config.par_slice(name)] = value
        return model.expected_data(point, include_auxdata=False)

    for name in (*shared, *(f"{name}_belle2" for name in own)):
        up = signal.varied[f"{name.removesuffix('_belle2')}_up"] + background.expected
        assert moved(name) == pytest.approx(up, rel=1e-3)
    assert moved("xsec_tautau") == pytest.approx(signal.expected + 1.1 * background.expected)
    assert moved("lumi_belle2") == pytest.approx(1.01 * expected)
    assert moved("mu", 0.0) == pytest.approx(background.expected)
    spread = dict(zip(names, [model.config.param_set(n) for n in names], strict=True))
    for name, one in (("belle2", background), ("signal_belle2", signal)):
        filled = one.expected > 0  # pyhf keeps the parameters of other bins
        sigmas = np.sqrt(np.where(filled, one.variance, 1)) / np.where(filled, one.expected, 1)
        assert spread[f"staterror_{name}"].sigmas == pytest.approx(sigmas)
    assert json.loads(json.dumps(specification)) == specification


def test_limits_are_those_of_pyhf():
    """Its own scan, with five fits a strength; its search without a scan is at 95 % always."""
    import pyhf
    from pyhf.infer.intervals.upper_limits import upper_limit

    model = pyhf.simplemodels.uncorrelated_background([4.0, 6.0], [20.0, 30.0], [3.0, 4.0])
    specification = {
        "channels": model.spec["channels"],
        "observations": [{"name": "singlechannel", "data": [20.0, 30.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    found = expected_limits(specification, level=0.9)
    data = [20.0, 30.0, *model.config.auxdata]
    _, expected = upper_limit(data, model, scan=np.linspace(0.5, 4, 36), level=0.1)
    assert found == pytest.approx(np.array(expected, float), rel=0.01)


def test_limit_of_a_count_is_near_the_exact_one():
    """CLs of a Poisson count, 100 expected: quantiles of the exact limits."""
    sample = {"name": "b", "data": [100.0], "modifiers": []}
    poi = [{"name": "mu", "type": "normfactor", "data": None}]
    specification = {
        "channels": [
            {"name": "c", "samples": [{"name": "s", "data": [10.0], "modifiers": poi}, sample]}
        ],
        "observations": [{"name": "c", "data": [100.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    found = expected_limits(specification)[2]
    mu = np.linspace(0.5, 4, 3501)
    cls = poisson.cdf(100, 100 + 10 * mu) / poisson.cdf(100, 100)
    assert found == pytest.approx(mu[np.argmin(np.abs(cls - 0.1))], rel=0.03)


def flat_background(scale: float):
    """A peak on it, of another number of events a strength, with errors of both rates."""
    signal = scale * np.array([0.0, 0, 1, 6.5, 17.5, 17.5, 6.5, 1, 0, 0])
    background = np.array([16.0, 12, 4, 4, 4, 4, 4, 4, 12, 16])

    def sample(name, data, error, spread, *more):
        rate = {"hi": 1 + error, "lo": 1 / (1 + error)}
        modifiers = [
            {"name": f"rate_{name}", "type": "normsys", "data": rate},
            {"name": "stat", "type": "staterror", "data": spread.tolist()},
            *more,
        ]
        return {"name": name, "data": data.tolist(), "modifiers": modifiers}

    none = np.zeros(10)
    samples_ = [
        sample(
            "s", signal, 0.03, 0.01 * signal, {"name": "mu", "type": "normfactor", "data": None}
        ),
        sample("b", 0.6 * background, 0.3, none),
        sample("c", 0.4 * background, 0.5, none),
    ]
    return {
        "channels": [{"name": "c", "samples": samples_}],
        "observations": [{"name": "c", "data": background.tolist()}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_limits_do_not_depend_on_the_coupling_of_the_sample(scale: float):
    """Errors are profiled at any strength; SLSQP stops at once here and gives 7 to 12 % less."""
    expected, found = (one * expected_limits(flat_background(one)) for one in (1.0, scale))
    assert found == pytest.approx(expected, rel=0.002)


def test_what_does_not_fit_together(both):
    signal, background = both
    other = templates_like(background, edges=np.array([0.0, 1, 2, 3, 4]))
    with pytest.raises(ConfigError, match="background tautau: its bins are not the signal's"):
        Channel(signal, [other])
    with pytest.raises(ConfigError, match="its experiment is belle, the signal's is belle2"):
        Channel(signal, [templates_like(background, experiment="belle")])
    with pytest.raises(ConfigError, match="2 points of parameters in belle2"):
        channels_of([signal, signal], [])
    with pytest.raises(
        ConfigError, match="no sample 'tautua', only 'mumu-zprime', 'signal', 'tautau'"
    ):
        workspace([Channel(signal, [background])], rate_errors={"tautua": 0.1})
    with pytest.raises(ConfigError, match="observed: needs 4 counts"):
        Channel(signal, [background], observed=[1.0])


def templates_like(template, **changes):
    return replace(template, **changes)


def test_two_experiments_share_what_their_cards_share(both):
    """The same name moves both, others have a parameter each."""
    import pyhf

    signal, background = both
    channels = [
        Channel(
            templates_like(signal, experiment=name), [templates_like(background, experiment=name)]
        )
        for name in ("belle2", "belle2-2019")
    ]
    names = pyhf.Workspace(workspace(channels)).model().config.parameters
    for systematic in signal.systematics:
        separate = [f"{systematic}_{name}" for name in ("belle2", "belle2-2019")]
        wanted = [systematic] if systematic in signal.correlated else separate
        assert [name for name in names if name.startswith(systematic)] == wanted


def test_command_writes_workspaces_and_tables(run, signal, background, both, tmp_path):
    asked = (
        *("template", str(signal), "--background", str(background), "--lumi", "belle2=100"),
        *("--observable", "recoil_mass2", "--bins", "3,3.7,4,4.3,6", "--selection", SELECTION),
    )
    status, told, _ = run(*asked, "--rate-error", "tautau=0.1", "-o", "ws.json")
    assert (status, told) == (0, "ws.json: 1 channel\n")
    expected = workspace([Channel(both[0], [both[1]])], rate_errors={"tautau": 0.1})
    assert json.loads((tmp_path / "ws.json").read_text()) == expected
    status, told, _ = run(*asked, "-o", "counts.h5")
    assert (status, told) == (0, "counts.h5: 2 templates\n")
    table = read_table("counts.h5", format_name=FORMAT)
    assert table["expected"] == pytest.approx(np.concatenate([t.expected for t in both]))
    with h5py.File("counts.h5") as file:
        assert file["expected_tracking_up"][:4] == pytest.approx(both[0].varied["tracking_up"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--bins", "4,0,1", "-o", "x.txt"), "tables are kept as .csv or .h5"),
        (("--bins", "0,0,1", "-o", "x.json"), "needs NUMBER,LOW,HIGH with 1 <= NUMBER"),
        (("--bins", "1000000000,0,1", "-o", "x.json"), "NUMBER <= 100000"),
        (("--bins", "4,0,9", "--lumi-error", "nan", "-o", "x.json"), "lumi_error must be 0 or"),
        (("--bins", "4", "-o", "x.json"), "needs NUMBER,LOW,HIGH or edges of bins"),
        (("--bins", "4,0,1", "--coupling", "mass=1", "-o", "x.json"), "'mass' is no coupling"),
        (("--bins", "4,0,1", "--coupling", "g", "-o", "x.json"), "--coupling g: must read"),
        (("--bins", "4,0,1", "--lumi", "belle=3", "-o", "x.json"), "--lumi belle=3"),
        (
            ("--bins", "4,0,1", "--rate-error", "bhabha=0.1", "-o", "x.json"),
            "no sample 'bhabha', only",
        ),
    ],
)
def test_what_the_command_refuses(run, signal, tmp_path, arguments, told):
    lumi = () if "--lumi" in arguments else ("--lumi", "1")
    if told == "--lumi belle=3":
        told = "lumi: none is given for belle2"
    status, _, error = run(
        "template", str(signal), "--observable", "recoil_mass", *lumi, *arguments
    )
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("x.*"))


def test_samples_without_events_or_rates(tmp_path):
    experiment = geometry.load("belle2")
    for name, process, n_events in (
        ("empty", gen.MuMuZPrime(mass=2.0), 0),
        ("gun", gen.ParticleGun(p=1.0), 1),
    ):
        run = samples.Run(process, experiment, 1, chunk_size=16)
        samples.produce(run, tmp_path / f"{name}.h5", n_events=n_events)
    (template,) = templates(tmp_path / "empty.h5", "recoil_mass2", EDGES, 1.0)
    assert not template.expected.any()
    assert not template.variance.any()
    assert expected_yield(tmp_path / "empty.h5", 1.0).error == 0
    with pytest.raises(ConfigError, match=r"gun.h5': particle-gun has no cross-section"):
        templates(tmp_path / "gun.h5", "n_tracks", [0, 1, 2], 1.0)
    with pytest.raises(ConfigError, match=r"lumi must be positive and finite \(got -1 1/fb\)"):
        templates(tmp_path / "empty.h5", "recoil_mass2", EDGES, -1)


def test_a_workspace_without_signal_has_no_limit(both):
    signal, background = both
    nothing = templates_like(signal, expected=0 * signal.expected, varied={})
    with pytest.raises(ConfigError, match="there is no signal in the bins"):
        expected_limits(workspace([Channel(nothing, [background])]))
