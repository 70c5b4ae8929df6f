"""Cards by name and by path, ``extends`` and overrides; each mistake is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkbelle.errors import ConfigError, GeometryError
from darkbelle.geometry import Experiment, load, names

VARIANT = 'extends = "belle2"\nname = "{name}"\nsolenoid = {{ field_t = {field} }}\n'


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", names())
def test_every_shipped_card_loads(name: str):
    experiment = load(name)
    assert isinstance(experiment, Experiment)
    assert experiment.name == name
    assert experiment.description


def test_belle2_is_shipped():
    assert "belle2" in names()


def test_resolved_card_loads_again():
    """What a sample file stores, the resolved card as JSON, is the same experiment."""
    experiment = load("belle2")
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment


# ---- extends and overrides -----------------------------------------------------------------------


def test_variant_changes_what_it_says_and_nothing_else(tmp_path: Path):
    path = write(tmp_path / "low.toml", VARIANT.format(name="low", field=1.0))
    variant, parent = load(path), load("belle2")
    expected = parent.model_dump()
    expected["name"] = "low"
    expected["solenoid"]["field_t"] = 1.0
    assert variant.model_dump() == expected


def test_extends_is_relative_to_the_card_that_says_it(tmp_path: Path, monkeypatch):
    write(tmp_path / "base.toml", VARIANT.format(name="base", field=1.0))
    write(tmp_path / "sub" / "child.toml", 'extends = "../base.toml"\nname = "child"\n')
    monkeypatch.chdir(tmp_path)
    child = load("sub/child.toml")
    assert (child.name, child.solenoid.field_t) == ("child", 1.0)
    assert child.collider == load("belle2").collider


def test_path_may_be_an_object_or_text_and_the_current_folder(tmp_path: Path, monkeypatch):
    path = write(tmp_path / "low.toml", VARIANT.format(name="low", field=1.0))
    monkeypatch.chdir(tmp_path)
    assert load(path) == load(str(path)) == load("low.toml")


def test_lists_are_replaced_not_merged(tmp_path: Path):
    text = 'extends = "belle2"\ncollider = { luminous_region = { sigma_um = [1, 2, 3] } }\n'
    region = load(write(tmp_path / "a.toml", text)).collider.luminous_region
    assert region.sigma_um == (1, 2, 3)
    assert region.trust == "estimate"


def test_named_tables_in_a_list_merge_by_name(tmp_path: Path):
    text = 'extends = "belle2"\n[[drift_chamber.superlayers]]\nname = "1U"\nn_wires = 150\n'
    found = load(write(tmp_path / "a.toml", text)).drift_chamber.superlayers
    inherited = load("belle2").drift_chamber.superlayers
    assert found[1] == inherited[1].model_copy(update={"n_wires": 150})
    assert (found[0], *found[2:]) == (inherited[0], *inherited[2:])


def test_remove_takes_out_of_the_parent(tmp_path: Path):
    text = 'extends = "belle2"\nremove = ["silicon.svd6", "silicon.pxd2.phi_range_deg"]\n'
    expected = load("belle2").model_dump()
    del expected["silicon"]["svd6"]
    expected["silicon"]["pxd2"]["phi_range_deg"] = None
    assert load(write(tmp_path / "a.toml", text)).model_dump() == expected


def test_a_table_is_replaced_by_removing_and_writing_it(tmp_path: Path):
    text = (
        'extends = "belle2"\nremove = ["tracking.tails"]\n'
        '[tracking.tails]\nsource = "own"\ntrust = "default"\nfraction = 0.1\nwidth_factor = 2\n'
    )
    tails = load(write(tmp_path / "a.toml", text)).tracking.tails
    assert (tails.fraction, tails.width_factor, tails.variation) == (0.1, 2, {})


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("solenoid.field_t=1.2", 1.2),
        ("solenoid.field_t = -1.5", -1.5),
        ("solenoid.field_t=0", 0.0),
    ],
)
def test_override(override: str, field: float):
    assert load("belle2", [override]).solenoid.field_t == field


def test_later_override_wins_and_text_needs_no_quotes():
    experiment = load(
        "belle2", ["solenoid.field_t=1", "solenoid.field_t=2", "description=my own = card"]
    )
    assert experiment.solenoid.field_t == 2
    assert experiment.description == "my own = card"


def test_override_goes_on_top_of_a_variant(tmp_path: Path):
    path = write(tmp_path / "low.toml", VARIANT.format(name="low", field=1.0))
    assert load(path, ["solenoid.field_t=0.5"]).solenoid.field_t == 0.5


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bele2", "unknown experiment 'bele2', did you mean 'belle2'?"),
        ("atlas", "unknown experiment 'atlas', known: "),
        ("", "unknown experiment ''"),
        ("../cards/belle2", "unknown experiment '../cards/belle2'"),
    ],
)
def test_unknown_card(name: str, message: str):
    with pytest.raises(ConfigError) as caught:
        load(name)
    assert message in str(caught.value)


def test_missing_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml' cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_folder_instead_of_a_file(tmp_path: Path):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.toml' cannot be read"):
        load(tmp_path / "folder.toml")


def test_binary_file(tmp_path: Path):
    (tmp_path / "image.toml").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match=r"image\.toml' is no text file"):
        load(tmp_path / "image.toml")


@pytest.mark.parametrize("text", ["[solenoid", "field_t = ", "a = 1\na = 2\n"])
def test_broken_toml(tmp_path: Path, text: str):
    path = write(tmp_path / "broken.toml", text)
    with pytest.raises(
        ConfigError, match=r"broken\.toml' is no valid TOML: .*(line \d|end of document)"
    ):
        load(path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 1\nb = 2 \n  a = 3\nc = 4\n", "'a = 3'"),
        ("a = 1\r\nb = 2\r\na = 3\r\nc = 4\r\n", "'a = 3'"),
        ("a = 1\na = 2", "'a = 2'"),
        ("a = 1\na = 2\n\n", "'a = 2'"),
        ("[a]\nb = 1\n[a]\nb = 2\n", "'[a]'"),
        ("a = { b = 1, b = 2 }\n", "'a = { b = 1, b = 2 }'"),
        ("a = 1\n\n\x0c", "''"),
        (f"a = 1\na = [{'1, ' * 40}]\nb = 1\n", f"'a = [{'1, ' * 30}1,...'"),
    ],
)
def test_broken_toml_shows_the_line(tmp_path: Path, text: str, shown: str):
    path = tmp_path / "broken.toml"
    path.write_bytes(text.encode())
    with pytest.raises(ConfigError, match="no valid TOML") as caught:
        load(path)
    assert str(caught.value).endswith(f"): {shown}")


def test_missing_parent_is_named(tmp_path: Path):
    path = write(tmp_path / "orphan.toml", 'extends = "parent.toml"\n')
    with pytest.raises(ConfigError, match=r"parent\.toml' cannot be read"):
        load(path)
    path = write(tmp_path / "orphan.toml", 'extends = "bele2"\n')
    with pytest.raises(ConfigError, match="unknown experiment 'bele2', did you mean 'belle2'"):
        load(path)


def test_extends_must_be_text(tmp_path: Path):
    path = write(tmp_path / "list.toml", 'extends = ["belle2"]\n')
    with pytest.raises(ConfigError, match=r"list\.toml': extends must be the name of a card"):
        load(path)


@pytest.mark.parametrize("key", ["silicon.svd9", "silicone.svd6", "name.first", "silicon.", ""])
def test_nothing_to_remove(tmp_path: Path, key: str):
    path = write(tmp_path / "a.toml", f'extends = "belle2"\nremove = ["{key}"]\n')
    with pytest.raises(ConfigError, match=rf"a\.toml': its parent has no '{key}' to remove"):
        load(path)


@pytest.mark.parametrize("value", ['"silicon.svd6"', "[1]"])
def test_remove_must_be_a_list_of_keys(tmp_path: Path, value: str):
    path = write(tmp_path / "a.toml", f'extends = "belle2"\nremove = {value}\n')
    with pytest.raises(ConfigError, match="remove must be a list of"):
        load(path)


def test_remove_without_a_parent(tmp_path: Path):
    path = write(tmp_path / "a.toml", 'remove = ["silicon.svd6"]\n')
    with pytest.raises(ConfigError, match=r"a\.toml': remove needs a card to extend"):
        load(path)


@pytest.mark.parametrize("chain", [("a",), ("a", "b"), ("a", "b", "c")])
def test_circular_extends(tmp_path: Path, chain: tuple[str, ...]):
    for card, parent in zip(chain, (*chain[1:], chain[0]), strict=True):
        write(tmp_path / f"{card}.toml", f'extends = "{parent}.toml"\n')
    with pytest.raises(ConfigError, match=r"circular extends, .*a\.toml.* -> .*a\.toml"):
        load(tmp_path / "a.toml")


def test_incomplete_card_lists_what_is_missing(tmp_path: Path):
    path = write(tmp_path / "empty.toml", 'name = "empty"\n')
    with pytest.raises(GeometryError, match=r"empty\.toml.*collider: Field required") as caught:
        load(path)
    assert "drift_chamber: Field required" in str(caught.value)


def test_mistakes_in_a_file_name_the_file_and_the_key(tmp_path: Path):
    path = write(tmp_path / "typo.toml", 'extends = "belle2"\nsolenoid = { feild_t = 1 }\n')
    with pytest.raises(GeometryError) as caught:
        load(path)
    expected = "solenoid: unknown key 'feild_t', did you mean 'field_t'?"
    assert str(caught.value) == f"card '{path}': {expected}"


@pytest.mark.parametrize(
    "override", ["solenoid.field_t", "=1.5", "solenoid.field_t=", "", "a b=1", "solenoid.=1"]
)
def test_override_must_read_key_value(override: str):
    with pytest.raises(ConfigError, match="must read key=value"):
        load("belle2", [override])
