"""Samples of workspaces and their errors: names, what is common to whom, what limits depend on."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass, field, replace

import h5py
import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.processes import ExternalEvents, PythiaEvents
from darkbelle.samples.files.flat import read_table
from darkbelle.samples.fits.limits import expected_limits
from darkbelle.samples.fits.names import told_apart
from darkbelle.samples.fits.templates import FORMAT, Template, templates
from darkbelle.samples.fits.workspace import Channel, workspace
from darkbelle.samples.fits.yields import expected_yield


def made_up(name: str, expected, *, n=None, parameters=None, **more) -> Template:
    """A template of the process and variant in a name, exact or of n events in each bin."""
    process, _, variant = name.partition(" ")
    content = np.array(expected, float)
    fields = {"process": process, "variant": variant, "experiment": "belle2"}
    fields |= {"parameters": parameters or {}, "observable": "x", "unit": ""}
    fields |= {"edges": np.arange(len(content) + 1.0), "expected": content}
    fields |= {"variance": 0 * content if n is None else content**2 / n, "varied": {}}
    fields |= {"correlated": frozenset(), "rate_error": 0.0}
    return Template(**(fields | more))


def rates(specification, kind="xsec_"):
    """What moves each sample, by channel and name: parameters and by how much."""
    return {
        (channel["name"], sample["name"]): {
            one["name"]: pytest.approx(one["data"]["hi"] - 1)
            for one in sample["modifiers"]
            if one["name"].startswith(kind)
        }
        for channel in specification["channels"]
        for sample in channel["samples"]
    }


# The limit and the signal it is of


def test_limits_do_not_know_the_coupling_of_the_sample():
    """In counts they are the same whatever the signal of the sample was."""
    background = made_up("b", [100, 100, 100], n=25)
    limits = [
        scale * expected_limits(workspace([Channel(signal, [background])]))
        for scale in (1, 100, 1e4)
        for signal in [made_up("s", np.array([1, 5, 1]) * scale, n=1000)]
    ]
    assert limits[1] == pytest.approx(limits[0], rel=1e-3)
    assert limits[2] == pytest.approx(limits[0], rel=1e-3)


def test_backgrounds_share_a_parameter_a_bin():
    """Barlow and Beeston's method made light: errors of backgrounds in quadrature, signal apart."""
    import pyhf

    signal = made_up("s", [5, 10], n=100)
    backgrounds = [made_up("a", [20, 30], n=50), made_up("b", [40, 0], n=10)]
    model = pyhf.Workspace(workspace([Channel(signal, backgrounds)])).model()
    assert "staterror_signal_belle2" in model.config.parameters
    expected = np.sqrt([20**2 / 50 + 40**2 / 10, 30**2 / 50]) / [60, 30]
    assert model.config.param_set("staterror_belle2").sigmas == pytest.approx(expected)
    assert model.config.param_set("staterror_signal_belle2").sigmas == pytest.approx([0.1, 0.1])


def test_backgrounds_of_few_events_have_limits():
    """The fewer, the weaker: of 30 events without any error of the simulation, of 9 and of 3."""
    signal, limits = made_up("s", [1, 5, 1], n=100), []
    for n in (None, 3, 1):
        specification = workspace([Channel(signal, [made_up("b", [10] * 3, n=n)])])
        limits.append(expected_limits(specification)[2])
    assert limits == sorted(limits)
    assert limits[2] > 1.3 * limits[0]


def test_a_fit_that_fails_names_bins(caplog, monkeypatch):
    """Signal and background with a common parameter, as workspaces from elsewhere may have it.

    Minuit finds its way there; where it does not, it is told.
    """
    signal = made_up("s", [0, 1, 5, 1], n=100)
    background = made_up("b", [100, 20, 20, 20], n=np.array([1e4, 2, 2, 2]))
    specification = workspace([Channel(signal, [background])])
    common = json.loads(json.dumps(specification).replace("staterror_signal_", "staterror_"))
    assert np.all(np.isfinite(expected_limits(common)))
    monkeypatch.setattr("iminuit.Minuit.valid", False)
    with pytest.raises(ConfigError, match=r"^no limit: the fit fails at .* times the signal") as it:
        expected_limits(common)
    bins = ", ".join(f"belle2 {i} (20 +- 14)" for i in (2, 3, 4))
    told = f"the errors of the simulation are above 50% in bins {bins}, simulate more events"
    assert told in str(it.value)
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_bins_below_zero_have_no_limit():
    signal = made_up("s", [1, 5])
    backgrounds = [made_up("b", [10, -2.5]), made_up("c", [1, 0.5])]
    with pytest.raises(ConfigError, match=r"less than zero events .* in bins belle2 2 \(-2\), sim"):
        expected_limits(workspace([Channel(signal, backgrounds)]))
    with pytest.raises(ConfigError, match=r"in bins belle2 2 \(-1 of signal\), simulate"):
        expected_limits(workspace([Channel(made_up("s", [5, -1]), backgrounds[1:])]))
    enough = [backgrounds[0], made_up("c", [1, 3])]
    assert np.all(np.isfinite(expected_limits(workspace([Channel(signal, enough)]))))


# Names and rates


@dataclass
class Thing:
    name: str
    experiment: str = "belle2"
    parameters: dict = field(default_factory=dict)


def test_names_tell_apart():
    one, other = ({"minus": "mu", "plus": plus, "cuts": {"n": 2}} for plus in ("mu", "pi"))
    assert told_apart([]) == []
    assert told_apart([Thing("tautau", "belle2", one), Thing("tautau", "belle", other)]) == [
        "tautau",
        "tautau",
    ]
    found = [Thing("tautau", "belle2", one), Thing("mumu"), Thing("tautau", "belle2", other)]
    assert told_apart(found) == ["tautau plus=mu", "mumu", "tautau plus=pi"]
    belle = Thing("tautau", "belle", one)
    assert told_apart([*found, belle])[3] == "tautau plus=mu"
    # No more of them than it needs, those within others too, and texts no longer than they must be.
    grid = [
        {"a": a, "x": 1.5 * a, "cuts": {"n": n}, "y": 10 * a + n} for a in (1, 2) for n in (3, 4)
    ]
    names = told_apart([Thing("b", parameters=each) for each in grid])
    assert names == [f"b a={a} cuts.n={n}" for a in (1, 2) for n in (3, 4)]
    digests = ["0123456789" * 6 + "abcd", "0" * 64]
    names = told_apart([Thing("external x", parameters={"sha256": one}) for one in digests])
    assert names == ["external x sha256=01234567", "external x sha256=00000000"]
    tunes = [["A:b = 0.5", "A:c = 1"], ["A:b = 0.5", "A:c = 2"]]
    names = told_apart([Thing("pythia uds", parameters={"settings": one}) for one in tunes])
    assert names == [f"pythia uds settings=A:b = 0.5,A:c = {n}" for n in (1, 2)]
    assert told_apart([Thing("b"), Thing("b"), Thing("b")]) == ["b", "b 2", "b 3"]


def test_sources_say_what_they_are_of():
    for name in ("mu_bg.lhe", "mu_bg.hepmc3.xz", "mu_bg.lhe.gz", "mu_bg"):
        source = ExternalEvents(file=name, sha256="0", format="LHE")
        assert (source.variant, source.has_quoted_rate) == ("mu_bg", True)
    charm, b_pairs = (PythiaEvents(final_state=state) for state in ("charm", "bbbar"))
    assert (charm.variant, charm.has_quoted_rate) == ("charm", True)
    assert (b_pairs.variant, b_pairs.has_quoted_rate) == ("bbbar", False)


def test_final_states_and_files_have_rates_of_their_own():
    backgrounds = [
        made_up("pythia uds", [40.0], theory_error=0.088),
        made_up("pythia tautau", [10.0]),
        made_up("external bg", [5.0], theory_error=0.05),
    ]
    signal = made_up("external zprime", [3.0], theory_error=0.02)
    errors = {"pythia tautau": 0.1, "external bg": 0.2, "signal": 0.3}
    specification = workspace([Channel(signal, backgrounds)], rate_errors=errors)
    assert rates(specification) == {
        ("belle2", "signal"): {"xsec_signal": 0.3, "xsec_signal_theory": 0.02},
        ("belle2", "pythia uds"): {"xsec_pythia uds_theory": 0.088},
        ("belle2", "pythia tautau"): {"xsec_pythia tautau": 0.1},
        ("belle2", "external bg"): {"xsec_external bg": 0.2, "xsec_external bg_theory": 0.05},
    }
    known = "'external bg', 'external zprime', 'pythia tautau', 'pythia uds', 'signal'"
    with pytest.raises(
        ConfigError, match=f"^rate error: there is no sample 'pythia', only {known}$"
    ):
        workspace([Channel(signal, backgrounds)], rate_errors={"pythia": 0.1})


def test_a_file_of_the_same_name_as_the_signals_is_another():
    """MadGraph calls all of its files unweighted_events.lhe.gz."""
    name = "external unweighted_events"
    files = [made_up(name, [5.0], parameters={"sha256": letter * 64}) for letter in "abc"]
    channel = Channel(files[0], files[1:2])
    found = rates(workspace([channel], rate_errors={name: 0.2}))
    assert found == {("belle2", "signal"): {}, ("belle2", name): {f"xsec_{name}": 0.2}}
    one = f"{name} sha256=cccccccc"
    found = rates(workspace([Channel(files[0], files[1:])], rate_errors={one: 0.2}))
    assert found == {
        ("belle2", "signal"): {},
        ("belle2", f"{name} sha256=bbbbbbbb"): {},
        ("belle2", one): {f"xsec_{one}": 0.2},
    }


def test_decays_of_one_process_share_its_rate_unless_named():
    modes = [made_up("tautau", [5.0], parameters={"plus": plus}) for plus in ("mu", "pi")]
    errors = {"tautau": 0.05, "tautau plus=pi": 0.1}
    found = rates(workspace([Channel(made_up("s", [1.0]), modes)], rate_errors=errors))
    assert found["belle2", "tautau plus=mu"] == {"xsec_tautau": 0.05}
    assert found["belle2", "tautau plus=pi"] == {"xsec_tautau": 0.05, "xsec_tautau plus=pi": 0.1}


def test_quoted_rates_are_off_together_in_all_experiments():
    """Errors of theory are common, statistical ones of calculations are not; limits feel it."""
    quoted = made_up("pythia uds", [400.0], theory_error=0.088, rate_error=0.01)
    channels = [
        Channel(
            made_up("mumu-zprime", [10.0], experiment=name, rate_error=0.02),
            [replace(quoted, experiment=name)],
        )
        for name in ("belle", "belle2")
    ]
    found = rates(workspace(channels))
    for name in ("belle", "belle2"):
        mc = {f"xsec_{name}_pythia uds_mc": 0.01}
        assert found[name, "pythia uds"] == {"xsec_pythia uds_theory": 0.088} | mc
        assert found[name, "signal"] == {f"xsec_{name}_signal_mc": 0.02}
    independent = [
        Channel(
            one.signal, [replace(b, rate_error=0.088, theory_error=0.0) for b in one.backgrounds]
        )
        for one in channels
    ]
    limits = [expected_limits(workspace(each))[2] for each in (channels, independent)]
    assert limits[0] > 1.2 * limits[1]


def test_templates_know_whose_error_it_is(background, tmp_path):
    """A sample that says it is of Pythia's light quarks, with the error that is quoted for them."""
    path = tmp_path / "uds.h5"
    shutil.copy(background, path)
    with h5py.File(path, "r+") as file:
        file.attrs["process"], file.attrs["xsec"], file.attrs["xsec_err"] = "pythia", 2.39, 0.21
        file.attrs["parameters"] = json.dumps({"final_state": "uds"})
    asked = {"observable": "recoil_mass2", "edges": [0.0, 4, 9], "lumi": 1.0}
    (own,), (quoted,) = (templates(each, **asked) for each in (background, path))
    assert (own.name, own.theory_error) == ("tautau", 0.0)
    assert own.rate_error > 0
    assert (quoted.name, quoted.rate_error) == ("pythia uds", 0.0)
    assert quoted.theory_error == pytest.approx(0.21 / 2.39)
    found = expected_yield(path, 1.0)
    assert found.rate == pytest.approx(0.21 / 2.39 * found.value)


def test_the_command_knows_the_names(background, signal, run, tmp_path):
    """Of two decays of the tau pair: told apart in workspaces and tables, with their own rates."""
    other = tmp_path / "pi.h5"
    shutil.copy(background, other)
    with h5py.File(other, "r+") as file:
        file.attrs["parameters"] = json.dumps({"minus": "mu", "plus": "pi"})
    asked = (
        *("template", str(signal), "--background", str(background), "--background", str(other)),
        *("--observable", "recoil_mass2", "--bins", "2,0,20", "--lumi", "100"),
    )
    status, _, error = run(*asked, "--rate-error", "tautau plus=pi=0.1", "-o", "ws.json")
    assert (status, error) == (0, "")
    found = rates(json.loads((tmp_path / "ws.json").read_text()))
    assert found["belle2", "tautau plus=pi"]["xsec_tautau plus=pi"] == 0.1
    assert "xsec_tautau plus=pi" not in found["belle2", "tautau plus=mu"]
    status, _, error = run(*asked, "--rate-error", "tautau plus=K=0.1", "-o", "no.json")
    known = "'mumu-zprime', 'signal', 'tautau', 'tautau plus=mu', 'tautau plus=pi'"
    told = f"Error: rate error: there is no sample 'tautau plus=K', only {known}\n"
    assert (status, error) == (2, told)
    assert not (tmp_path / "no.json").exists()
    run(*asked, "-o", "counts.csv")
    table = read_table("counts.csv", format_name=FORMAT)
    names = ["mumu-zprime", "tautau plus=mu", "tautau plus=pi"]
    assert list(dict.fromkeys(table["name"])) == names
