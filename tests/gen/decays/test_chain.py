"""Decay chains as users write them: what is understood, refused, conjugated, and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.errors import ConfigError
from darkbelle.gen import DecayChain, Outcome, TruthEvents
from darkbelle.gen.kinematics import to_rest_frame
from darkbelle.gen.particles import CHARGED_REMAINDER, MASS_TAU, REMAINDER

COLLIDER = geometry.load("belle2").collider
D_STAR = {"parent": "D*+", "decays": {"D*+": "D0 pi+", "D0": "K- pi+"}}
TREE = {
    "D*+": [
        {
            "bf": 0.677,
            "fs": [{"D0": [{"bf": 0.0395, "fs": ["K-", "pi+"], "model": "PHSP"}]}, "pi+"],
            "model": "VSS",
        }
    ]
}


def made(chain, n: int = 2000, **others) -> TruthEvents:
    return DecayChain(chain=chain, **others).generate(COLLIDER, n, np.random.default_rng(1))


def fractions(first: float | None, second: float | None) -> dict:
    modes = [
        {"daughters": "K- pi+", "fraction": first},
        {"daughters": "K- K+", "fraction": second},
    ]
    return {"parent": "D0", "decays": {"D0": modes}}


def test_files_tables_and_trees_say_the_same(tmp_path: Path):
    path = tmp_path / "chain.toml"
    path.write_text(
        'parent = "D*+"\n[decays]\n"D*+" = {daughters = "D0 pi+", fraction = 0.677}\n'
        'D0 = [{daughters = ["K-", "pi+"], fraction = 0.0395}]\n'
    )
    assert DecayChain(chain=path) == DecayChain(chain=TREE) == DecayChain(chain=str(path))
    again = DecayChain.model_validate_json(DecayChain(chain=path).model_dump_json())
    assert again == DecayChain(chain=TREE)


def test_fractions_enter_the_cross_section():
    rng = np.random.default_rng(2)
    whole = DecayChain(chain=D_STAR).cross_section(COLLIDER, rng)
    part = DecayChain(chain=TREE).cross_section(COLLIDER, rng)
    assert whole.value == pytest.approx(2 * 0.23 * 1.30e6, rel=1e-3)
    assert part.value / whole.value == pytest.approx(0.677 * 0.0395, rel=1e-3)


def test_modes_without_fractions_share():
    truth = made({"parent": "J/psi", "decays": {"J/psi": ["mu+ mu-", "e+ e-", "pi+ pi-"]}}, p=1.0)
    p = truth.particles
    born = p.parent >= 0
    counts = [np.count_nonzero(born & (p.pdg_id == code)) for code in (13, 11, 211)]
    assert sum(counts) == 2000
    assert np.abs(np.array(counts) - 2000 / 3).max() < 4 * np.sqrt(2000 * 2 / 9)


def test_fractions_may_sum_to_one_up_to_rounding():
    for second in (0.3, 0.4, 0.4 + 1e-12):
        DecayChain(chain=fractions(0.6, second))


def test_particles_may_be_given_by_code():
    DecayChain(chain={"parent": "421", "decays": {"D0": "-321 pi+"}})
    tree = {"D0": [{"fs": ["K-", "pi+"]}]}
    assert DecayChain(chain=tree).chain.decays["D0"][0].fraction is None


def test_both_charges_are_made():
    truth = made(D_STAR)
    code = truth.particles.pdg_id
    stars, kaons, slow = (code[np.abs(code) == kind] for kind in (413, 321, 211))
    assert 850 < np.count_nonzero(stars > 0) < 1150
    assert np.array_equal(np.sign(stars), -np.sign(kaons))
    assert len(slow) == 4000


def test_an_antiparticle_may_have_decays_of_its_own():
    decays = {"anti-D0": "pi- pi+", "phi": "K_S0 K_L0", "K_S0": "pi+ pi-"}
    pair = {
        "parent": "B0",
        "decays": {"B0": "D0 anti-D0", "D0": "K- pi+", **decays},
    }
    with pytest.raises(ConfigError, match=r"decays\.phi: nothing in the chain decays to it"):
        DecayChain(chain=pair)
    del pair["decays"]["phi"], pair["decays"]["K_S0"]
    code = made(pair).particles.pdg_id
    assert np.count_nonzero(np.abs(code) == 321) == 2000
    assert np.count_nonzero(np.abs(code) == 211) == 6000


@pytest.mark.parametrize(
    ("parent", "decay", "others", "rest"),
    [
        ("D0", "K- pi+", {}, REMAINDER),
        ("Lambda_c+", "p+ K- pi+", {}, CHARGED_REMAINDER),
        ("K_S0", "pi+ pi-", {"p": (0.5, 2.0)}, REMAINDER),
        ("B+", "K+ nu_e anti-nu_e", {}, 521),
        ("B0", "K+ pi-", {}, 511),
    ],
)
def test_the_rest_is_one_particle_that_nobody_sees(parent, decay, others, rest: int):
    truth = made({"parent": parent, "decays": {parent: decay}}, isr=False, **others)
    p = truth.particles
    undecayed = p.outcome == Outcome.UNDECAYED
    assert np.all(np.abs(p.pdg_id[undecayed]) == rest)
    assert np.array_equal(truth.event_index()[undecayed], np.arange(truth.n_events))


def test_taus_come_in_pairs():
    p = made({"parent": "tau+", "decays": {"tau+": "mu+ mu+ mu-"}}, fsr=False).particles
    assert np.count_nonzero(np.abs(p.pdg_id) == 15) == 4000
    assert np.count_nonzero(np.abs(p.pdg_id) == 13) >= 6000
    assert np.all(p.mass[np.abs(p.pdg_id) == 15] == MASS_TAU)


def test_momenta_are_those_asked_for():
    truth = made({"parent": "J/psi", "decays": {"J/psi": "mu+ mu-"}}, p=(1.0, 2.0), isr=False)
    p = truth.particles
    rows = p.pdg_id == 443
    own = np.stack([p.e, p.px, p.py, p.pz])
    total = np.stack([np.bincount(truth.event_index(), row * (p.status == 4)) for row in own])
    size = np.linalg.norm(to_rest_frame(own[:, rows], total)[1:], axis=0)
    assert 1.0 - 1e-9 <= size.min() < 1.01
    assert 1.99 < size.max() <= 2.0 + 1e-9
    assert (
        DecayChain(chain={"parent": "J/psi", "decays": {"J/psi": "mu+ mu-"}}, p=1).cross_section(
            COLLIDER, np.random.default_rng(3)
        )
        is None
    )


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ({"parent": "D*+", "decays": {"D0": "K- pi+"}}, "those of the parent, D*+, are missing"),
        ({"parent": "D0", "decays": {"D0": "K- pi-"}}, "D0: K- pi- has not the charge of D0, +0"),
        (
            {"parent": "D0", "decays": {"D0": "B+ pi-"}},
            "D0: B+ pi- is heavier, 5.41898 GeV, than D0",
        ),
        ({"parent": "D00", "decays": {}}, "unknown particle 'D00', did you mean 'D0'?"),
        ({"parent": "xyzzy", "decays": {}}, "names are those of EvtGen, like K_S0"),
        ({"parent": "D0", "decays": {"D0": []}}, "decays.D0: needs a mode at least"),
        ({"parent": "D0", "decays": {"D0": "K-"}}, "at least 2 items"),
        (
            {"parent": "D0", "decays": {"D0": {"daughters": "K- pi+", "fraction": 2}}},
            "less than or equal to 1",
        ),
        ({"parent": "J/psi", "decays": {"J/psi": "mu+ mu-"}}, "p: nothing here makes J/psi"),
        ({"parent": "B0", "decays": {"B0": "a_1+ pi-"}}, "a_1+ is broad, 0.42 GeV, and has no"),
        ("missing.toml", "missing.toml: No such file or directory"),
        (
            {"parent": "999999", "decays": {}},
            "pdg_id 999999 is no known particle, names are those of EvtGen, like K_S0",
        ),
        ({"parent": "D0", "decays": {"D0": "K- 999999"}}, "pdg_id 999999 is no known particle"),
        ({"parent": "54", "decays": {"54": "pi+ pi-"}}, "'54' has no mass of its own"),
        (
            {"parent": "D0", "decays": {"D0": "K- pi+", "421": "K- K+"}},
            "decays.421: is the same particle as decays.D0",
        ),
        *(
            ({"D0": modes}, "decays.D0: needs 'parent' and 'decays', or modes with 'fs'")
            for modes in ([{"bf": 0.03}], "K- pi+", 5, [5], [{"fs": "K- pi+"}])
        ),
        ({"D0": [{"fs": [{}]}]}, "decays.D0: 'fs' must list names"),
        ({"decays": {"D0": "K- pi+"}}, "chain.parent: Field required"),
        (fractions(0.6, 0.5), "decays.D0: fractions 0.6 + 0.5 = 1.1 pass 1"),
        (fractions(0.6, None), "decays.D0: fractions of some modes (0.6), but none of K- K+"),
    ],
)
def test_what_is_refused(chain, said: str):
    with pytest.raises(ConfigError) as caught:
        DecayChain(chain=chain)
    text = str(caught.value)
    assert text.startswith("decay-chain: ")
    assert said in text
    assert "\n" not in text


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path):
    path = tmp_path / "chain.toml"
    for content in (b"parent = ", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"chain\.toml: is no TOML file"):
            DecayChain(chain=path)
