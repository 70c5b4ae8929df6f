"""Candidates with their truth, against walks through the particle tables by hand."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

from darkbelle import gen, geometry, samples
from darkbelle.errors import ConfigError, OutputError
from darkbelle.gen.events import Origin
from darkbelle.ragged import event_of
from darkbelle.samples import candidates, export
from darkbelle.samples.candidates import KINDS, KaonKind, XKind, b_to_k
from darkbelle.samples.candidates.ancestry import Ancestry
from darkbelle.samples.observables.combinations import PromptTracks

EXPERIMENT = geometry.load("belle2")
DARK = range(51, 59)


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")

    def produce(process, n_events):
        path = folder / f"{len(list(folder.iterdir()))}.h5"
        run = samples.Run(process, EXPERIMENT, seed=7)
        generator = run.prepare()
        rng = np.random.default_rng(7)
        truth = generator.generate(n_events, rng)
        reco = samples.production.simulate(truth, EXPERIMENT, rng=rng)
        samples.write(path, truth, reco, process=process, experiment=EXPERIMENT)
        return samples.open(path)

    return produce


@pytest.fixture(scope="module")
def b_samples(make):
    scalar, alp = {"mass": 1.0, "decay": "mumu"}, {"mass": 1.0, "decay": "gammagamma"}
    return {
        KaonKind.K_PLUS: make(gen.BToKScalar(kaon="K+", **scalar), 300),
        KaonKind.K_SHORT: make(gen.BToKScalar(kaon="K_S", **scalar), 300),
        KaonKind.K_STAR_ZERO: make(gen.BToKScalar(kaon="K*0", **scalar), 300),
        KaonKind.K_STAR_PLUS: make(gen.BToKAlp(kaon="K*+", **alp), 400),
    }


# ---- ancestry ------------------------------------------------------------------------------------


def ancestry_of(*particles, tracks=(), clusters=()):
    """That of one event, after another one, of particles (code, parent, origin)."""
    before = [(2212, -1, Origin.PRIMARY)] * 2
    codes, parents, origins = map(np.array, zip(*before, *particles, strict=True))
    offsets = np.array([0, 2, len(codes)])
    truth = SimpleNamespace(
        particles=SimpleNamespace(pdg_id=codes, parent=parents, origin=origins),
        offsets=offsets,
        event_index=lambda: event_of(offsets),
    )
    seen = {
        "tracks": SimpleNamespace(truth_index=np.array(tracks, np.int32)),
        "clusters": SimpleNamespace(truth_index=np.array(clusters, np.int32)),
        "track_offsets": np.array([0, 0, len(tracks)]),
        "cluster_offsets": np.array([0, 0, len(clusters)]),
    }
    return Ancestry.of(SimpleNamespace(truth=truth, **seen))


def pair(rows):
    return np.array(rows)[:, None]


X = (54, -1, Origin.PRIMARY)
MU_MINUS, MU_PLUS = (13, 0, Origin.DECAY), (-13, 0, Origin.DECAY)


def test_two_products_and_a_radiated_photon():
    found = ancestry_of(X, MU_MINUS, MU_PLUS, (22, 0, Origin.FINAL_STATE_RADIATION), tracks=(1, 2))
    assert found.of_track.tolist() == [3, 4]
    assert found.whole_mother(pair([3, 4])) == found.common_mother(pair([3, 4])) == 2
    assert found.code(np.array([2, -1])).tolist() == [54, 0]
    assert found.common_mother(pair([3, 5])) == -1


def test_two_products_of_three():
    found = ancestry_of(X, MU_MINUS, MU_PLUS, (22, 0, Origin.DECAY))
    assert found.common_mother(pair([3, 4])) == 2
    assert found.whole_mother(pair([3, 4])) == -1


def test_one_product_seen_twice():
    found = ancestry_of(X, MU_MINUS, MU_PLUS, clusters=(1, 1, -1))
    assert found.of_cluster.tolist() == [3, 3, -1]
    assert found.common_mother(pair([3, 3])) == -1
    assert found.common_mother(pair([3, -1])) == found.common_mother(pair([-1, -1])) == -1


def test_products_of_the_collision_or_the_detector_have_no_mother():
    for origin in set(Origin) - {Origin.DECAY}:
        found = ancestry_of(X, (13, 0, origin), (-13, 0, origin))
        assert found.common_mother(pair([3, 4])) == -1


def test_a_slowed_electron_is_the_one_that_it_was():
    slowed = [(11, 1, Origin.BREMSSTRAHLUNG), (11, 3, Origin.BREMSSTRAHLUNG)]
    photon = (22, 1, Origin.BREMSSTRAHLUNG)
    found = ancestry_of(
        X, (11, 0, Origin.DECAY), (-11, 0, Origin.DECAY), *slowed, photon, tracks=(4, 2, 5)
    )
    assert found.of_track.tolist() == [3, 4, 7]
    assert found.whole_mother(found.of_track[:2, None]) == 2


def test_a_neutral_kaon_is_what_it_is_seen_as():
    found = ancestry_of(
        (511, -1, Origin.DECAY), (311, 0, Origin.DECAY), (54, 0, Origin.DECAY),
        (310, 1, Origin.DECAY),
    )  # fmt: skip
    assert found.whole_mother(pair([5, 4])) == 2


@pytest.mark.parametrize(("resonance", "is_one"), [(313, True), (-313, True), (10311, False)])
def test_other_resonances_of_the_same_products_are_no_signal(resonance, is_one):
    products = [(321, 0, Origin.DECAY), (-211, 0, Origin.DECAY)]
    found = ancestry_of((resonance, -1, Origin.DECAY), *products, tracks=(1, 2))
    parts = [PromptTracks(np.array([[i]]), (code,)) for i, code in enumerate((321, 211))]
    family = b_to_k._FAMILIES[KaonKind.K_STAR_ZERO]
    assert b_to_k._kaon(found, parts, family) == (2 if is_one else -1)


# ---- kinds ---------------------------------------------------------------------------------------


def products(particles, row):
    """Final products of a decay, radiated photons apart, as (code, row)."""
    return sorted(
        (p["pdg_id"], i)
        for i, p in enumerate(particles)
        if p["parent"] == row and p["origin"] == Origin.DECAY
    )


def true_b(particles):
    """The kind of kaon, final products of kaon and X, of the one B -> K X of an event."""
    for row, particle in enumerate(particles):
        below = products(particles, row)
        dark = [i for code, i in below if code in DARK]
        if abs(particle["pdg_id"]) in (511, 521) and dark and len(below) == 2:
            (kaon,) = [i for _, i in below if i not in dark]
            kinds = {321: "K_PLUS", 310: "K_SHORT", 313: "K_STAR_ZERO", 323: "K_STAR_PLUS"}
            kind = KaonKind[kinds[abs(particles[kaon]["pdg_id"])]]
            x = {i for _, i in products(particles, dark[0])}
            finals, waiting = set(), [kaon]
            while waiting:
                row = waiting.pop()
                waiting += [i for _, i in products(particles, row)]
                finals |= set() if products(particles, row) else {row}
            return kind, finals, x
    raise AssertionError(particles)


@pytest.mark.parametrize("kind", KaonKind)
def test_signal_is_the_whole_b_with_the_right_species(b_samples, kind):
    """Of each candidate, the particles of its tracks and clusters are those of the one true B."""
    sample = b_samples[kind]
    found = candidates.b_candidates(sample).to_list()
    tracks, clusters = sample.tracks.truth_index.to_list(), sample.clusters.truth_index.to_list()
    fields = ["pdg_id", "parent", "origin"]
    n_signal = n_other = 0
    for event, particles in enumerate(sample.particles[fields].to_list()):
        true_kind, true_kaon, true_x = true_b(particles)
        assert true_kind == kind
        for b in found[event]:
            with_pi0 = b["kaon_kind"] == KaonKind.K_STAR_PLUS and (
                particles[tracks[event][b["kaon_first"]]]["pdg_id"] in (321, -321)
            )
            used = [b["kaon_first"], b["kaon_second"], b["kaon_third"]]
            kaon = [
                (clusters if with_pi0 and i else tracks)[event][index]
                for i, index in enumerate(used)
                if index >= 0 and index < len((clusters if with_pi0 and i else tracks)[event])
            ]
            of_x = clusters if b["x_kind"] == XKind.GAMMAGAMMA else tracks
            x = [of_x[event][b["x_first"]], of_x[event][b["x_second"]]]
            right_x = XKind.GAMMAGAMMA if kind == KaonKind.K_STAR_PLUS else XKind.MUMU
            expected = (
                (b["kaon_kind"], b["x_kind"]) == (kind, right_x)
                and set(kaon) == true_kaon
                and set(x) == true_x
                and (kind != KaonKind.K_STAR_ZERO or abs(particles[kaon[0]]["pdg_id"]) == 321)
            )
            assert b["is_signal"] == expected, (event, b)
            assert not expected or b["parent_pdg"] in DARK
            n_signal += expected
            n_other += not expected
    assert n_signal > 0.2 * len(sample)
    assert n_other > 30  # or nothing was tested


def test_the_best_candidate_is_the_observable(b_samples):
    """Of the least |Delta E|, as in the columns of the events."""
    sample = b_samples[KaonKind.K_PLUS]
    b = candidates.b_candidates(sample)
    b = b[(b.kaon_kind == int(KaonKind.K_PLUS)) & (b.x_kind == int(XKind.MUMU))]
    best = ak.firsts(b[ak.argmin(abs(b.delta_e), axis=1, keepdims=True)])
    column = sample.names("events", "b_tracks_m_bc").index("k_plus_mumu")
    for name in ("m_bc", "delta_e", "mass", "reduced_mass", "mass_fit", "flight_xy"):
        stored = sample.column("events", f"b_tracks_{name}")[:, column]
        expected = ak.to_numpy(ak.fill_none(best[name], np.nan))
        np.testing.assert_allclose(expected, stored, rtol=1e-4, atol=1e-5, err_msg=name)


def test_dimuons_of_a_dark_boson_and_not_of_others(make):
    """Four muons make four pairs, of which one is that of the Z'."""
    sample = make(gen.MuMuZPrime(mass=2.0, decay="mumu"), 300)
    pairs = candidates.dimuons(sample)
    is_from_z = [
        [p["parent"] >= 0 and event[p["parent"]]["pdg_id"] == 55 for p in event]
        for event in sample.particles[["parent", "pdg_id"]].to_list()
    ]
    codes, tracks = sample.particles.pdg_id.to_list(), sample.tracks.truth_index.to_list()
    for event, found in enumerate(pairs.to_list()):
        for one in found:
            members = [tracks[event][one[f"track_{sign}"]] for sign in ("plus", "minus")]
            expected = all(is_from_z[event][m] for m in members) and (
                [codes[event][m] for m in members] == [-13, 13]
            )
            assert one["is_signal"] == expected
            assert one["parent_pdg"] == (55 if all(is_from_z[event][m] for m in members) else 0)
    assert np.median(ak.num(pairs)) == 4
    signal = ak.flatten(pairs[pairs.is_signal])
    assert len(signal) > 0.6 * len(sample)
    assert np.median(signal.mass) == pytest.approx(2.0, abs=2e-3)
    assert ak.sum(pairs.is_signal, axis=1).to_list() == [
        min(int(n), 1) for n in ak.sum(pairs.is_signal, axis=1)
    ]
    everything = sample.tracks[pairs.track_plus] + sample.tracks[pairs.track_minus]
    np.testing.assert_allclose(ak.flatten(everything.px - pairs.px), 0, atol=1e-6)


def test_muons_of_pions_and_wrong_species_are_no_signal(make):
    """A dark Higgs to two pions, taken for muons."""
    sample = make(gen.BToKScalar(mass=1.0, decay="pipi", kaon="K+", ctau=0.0), 200)
    pairs = candidates.dimuons(sample)
    assert ak.any(pairs.parent_pdg == 54)
    assert not ak.any(pairs.is_signal)
    b = candidates.b_candidates(sample)
    assert set(ak.flatten(b[b.is_signal].x_kind).to_list()) == {XKind.PIPI}


def test_photons_of_an_alp_and_not_the_recoiling_one(make):
    sample = make(gen.GammaAlp(mass=1.0, coupling=1e-3), 300)
    pairs = candidates.diphotons(sample)
    truth, clusters = sample.particles.to_list(), sample.clusters.truth_index.to_list()
    for event, found in enumerate(pairs.to_list()):
        for one in found:
            members = {clusters[event][one[f"cluster_{which}"]] for which in ("first", "second")}
            mothers = {truth[event][m]["parent"] if m >= 0 else -1 for m in members}
            expected = len(members) == 2 and {truth[event][m]["pdg_id"] for m in members} == {22}
            expected &= len(mothers) == 1 and truth[event][max(mothers)]["pdg_id"] == 51
            assert one["is_signal"] == expected
    signal = ak.flatten(pairs[pairs.is_signal])
    assert len(signal) > 0.4 * len(sample)
    assert np.median(signal.mass) == pytest.approx(1.0, abs=0.02)
    assert ak.sum(~pairs.is_signal) > len(signal)


def test_displaced_vertices_are_those_of_the_file(make):
    """Of a chi2 and an h', which fly; the true particles say what the tracks are."""
    process = gen.InelasticDarkMatter(
        m_ap=3.0, m_chi1=1.0, delta=0.4, m_hp=1.0, epsilon=1e-3, alpha_d=0.1, sin_theta=1e-3
    )
    sample = make(process, 400)
    found = candidates.displaced_vertices(sample)
    vertices = sample.vertices
    same = vertices[found.vertex]
    np.testing.assert_allclose(ak.flatten(found.chi2), ak.flatten(same.chi2), rtol=1e-6)
    kept = (vertices.flight_xy > 0.05) & (vertices.chi2 < 20) & (vertices.fit_status == 0)
    assert ak.num(found).to_list() == ak.sum(kept, axis=1).to_list()
    parents = set(ak.flatten(found[found.is_signal].parent_pdg).to_list())
    assert parents <= {53, -53, 57}
    assert len(parents) > 0
    plus = sample.particles[sample.tracks.truth_index[found.track_plus]]
    minus = sample.particles[sample.tracks.truth_index[found.track_minus]]
    decay, slowed = int(Origin.DECAY), int(Origin.BREMSSTRAHLUNG)
    direct = (plus.parent == minus.parent) & (plus.origin == decay) & (minus.origin == decay)
    of_dark = abs(sample.particles.pdg_id[ak.where(direct, plus.parent, 0)])
    expected = direct & (of_dark >= 51) & (of_dark <= 58)
    assert ak.all(found.is_signal[expected])
    others = found.is_signal & ~expected
    assert ak.all(((plus.origin == slowed) | (minus.origin == slowed))[others])


@pytest.mark.parametrize("n_events", [0, 3])
def test_nothing_is_found_in_nothing(make, n_events):
    sample = make(gen.ParticleGun(pdg_id=14, p=1.0), n_events)
    for kind in KINDS.values():
        found = candidates.candidates_of(sample, kind)
        assert ak.num(found).to_list() == [0] * n_events
        assert set(found.fields) == set(kind.columns)


# ---- export --------------------------------------------------------------------------------------


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_candidates_as_csv(b_samples, tmp_path):
    sample = b_samples[KaonKind.K_PLUS]
    target = tmp_path / "b.csv"
    export(sample, target, format_name="csv", table="b_to_k")
    rows = rows_of(target)
    found = candidates.b_candidates(sample)
    flat = ak.flatten(found)
    assert [row["is_signal"] for row in rows] == [str(s) for s in flat.is_signal.to_list()]
    assert [KaonKind[row["kaon_kind"].upper()] for row in rows] == flat.kaon_kind.to_list()
    assert [np.float32(row["m_bc"]) for row in rows] == flat.m_bc.to_list()
    event = ak.flatten(ak.broadcast_arrays(sample.events.event_id, found.m_bc)[0])
    assert [int(row["event_id"]) for row in rows] == event.to_list()
    assert list(tmp_path.iterdir()) == [target]


def test_collections_as_csv(b_samples, tmp_path, monkeypatch):
    """In blocks of events and of rows that cut them, with every column."""
    sample = b_samples[KaonKind.K_SHORT]
    monkeypatch.setattr("darkbelle.samples.files.reconstructed.BLOCK", 70)
    monkeypatch.setattr("darkbelle.samples.exporting.csv._ROWS", 33)
    tables = ("events", "trigger", "particles", "tracks", "vertices", "clusters", "klm_clusters")
    for table in tables:
        export(sample, tmp_path / f"{table}.csv", format_name="csv", table=table)
    tracks = rows_of(tmp_path / "tracks.csv")
    for name in ("helix_d0", "pid_mu_loose", "truth_index", "index"):
        assert name in tracks[0]
    stored = sample.column("tracks", "helix")[:, 0]
    assert [np.float32(row["helix_d0"]) for row in tracks] == stored.tolist()
    index = ak.flatten(ak.local_index(sample.tracks.charge))
    assert [int(row["index"]) for row in tracks] == index.to_list()
    particles = rows_of(tmp_path / "particles.csv")
    assert [float(row["decay_x"]) for row in particles] == sample.column(
        "particles", "decay_x"
    ).tolist()
    events = rows_of(tmp_path / "events.csv")
    assert len(events) == len(sample)
    assert "b_tracks_m_bc_k_plus_mumu" in events[0]
    assert list(events[0])[:2] == ["event_id", "weight"]
    assert len(rows_of(tmp_path / "trigger.csv")) == len(sample)


def test_candidates_do_not_depend_on_blocks(b_samples, monkeypatch):
    sample = b_samples[KaonKind.K_STAR_ZERO]
    whole = candidates.b_candidates(sample)
    monkeypatch.setattr("darkbelle.samples.files.reconstructed.BLOCK", 61)
    cut = candidates.b_candidates(sample)
    assert ak.num(whole).tolist() == ak.num(cut).tolist()
    for name in whole.fields:
        np.testing.assert_array_equal(ak.flatten(whole[name]), ak.flatten(cut[name]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format_name": "cvs"}, "unknown format 'cvs', did you mean 'csv'"),
        ({"format_name": "pyhf"}, "workspaces of pyhf come from darkbelle template"),
        ({"table": "track"}, "no table 'track', did you mean 'tracks'"),
        ({"table": "dimuon"}, "no table 'dimuon', did you mean 'dimuons'"),
    ],
)
def test_what_cannot_be_exported_is_told(b_samples, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        export(b_samples[KaonKind.K_PLUS], tmp_path / "x", **{"format_name": "csv"} | options)
    assert not list(tmp_path.iterdir())


def test_a_table_that_exists_is_kept(b_samples, tmp_path):
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        export(b_samples[KaonKind.K_PLUS], tmp_path / "x.csv", format_name="csv")
    assert (tmp_path / "x.csv").read_text() == "mine"
