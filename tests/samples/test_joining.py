"""Shards of a campaign joined, and campaigns verified."""

from __future__ import annotations

import shutil

import pytest

from darkbelle.errors import MergeError, OutputError, SampleFormatError
from darkbelle.samples.campaigns import Campaign, Shard, run_campaign
from darkbelle.samples.campaigns.joining import join_shards, verify_folder

CAMPAIGN = Campaign(
    process="particle-gun",
    experiments=["belle", "belle2"],
    events=40,
    seed=3,
    parameters={"pdg_id": 13},
    grid={"p": [0.5, 1.0, 2.0]},
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign") / "whole"
    run_campaign(CAMPAIGN, folder)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """As three jobs with folders of their own leave them."""
    folder = tmp_path_factory.mktemp("shards")
    for i in (1, 2, 3):
        run_campaign(CAMPAIGN, folder / f"shard{i}", shard=Shard(i, 3))
    return folder


@pytest.fixture
def shards(finished, tmp_path):
    """The same, to be changed."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return [tmp_path / f"shard{i}" for i in (1, 2, 3)]


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file() and ".lock" not in p.name)
    return {str(p.relative_to(folder)): p.read_bytes() for p in found if p.suffix != ".log"}


def damage(path):
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.unlink()  # not that which it is a link to
    path.write_bytes(octets)


def test_joined_shards_are_the_whole_campaign(whole, shards, tmp_path):
    """Every file, the manifest too; what is there already is no hindrance."""
    joined = tmp_path / "joined"
    assert join_shards(shards[:2], joined) == 4
    found = verify_folder(joined)
    assert (found.complaints, found.n_parts, found.n_missing) == ((), 4, 2)
    assert join_shards([shards[2]], joined) == 6
    assert files(joined) == files(whole)
    assert join_shards(shards, joined) == 6
    assert files(joined) == files(whole)
    report = run_campaign(CAMPAIGN, joined)
    assert not report.made
    assert len(report.entries) == 6


def test_joined_shards_can_be_finished(whole, shards, tmp_path):
    joined = tmp_path / "joined"
    join_shards([shards[2], shards[0]], joined)
    report = run_campaign(CAMPAIGN, joined)
    assert len(report.made) == 2
    assert files(joined) == files(whole)


def test_copies_where_the_disk_knows_no_links(whole, shards, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "no links")

    monkeypatch.setattr("os.link", refuse)
    join_shards(shards, tmp_path / "joined")
    assert files(tmp_path / "joined") == files(whole)


def test_a_damaged_part_is_found(whole, shards, tmp_path):
    part = next(shards[1].glob("belle*/*.h5"))
    damage(part)
    with pytest.raises(SampleFormatError, match=f"{part.name}' is damaged"):
        join_shards(shards, tmp_path / "joined")
    (complaint,) = verify_folder(shards[1]).complaints
    assert str(part) in complaint


def test_a_part_of_another_point_is_found(whole, tmp_path):
    """It is whole, but not what the manifest says."""
    folder = tmp_path / "x"
    shutil.copytree(whole, folder)
    shutil.copy(folder / "belle/0000.h5", folder / "belle/0001.h5")
    (folder / "belle2/0002.h5").unlink()
    one, two = verify_folder(folder).complaints
    assert one.endswith("belle/0001.h5' is not the file of the manifest")
    assert "there is no file" in two


def test_other_campaigns_are_refused(whole, tmp_path):
    other = tmp_path / "other"
    run_campaign(CAMPAIGN.model_copy(update={"seed": 4}), other)
    with pytest.raises(MergeError, match=r"another campaign.*differs in seed"):
        join_shards([whole, other], tmp_path / "x")
    with pytest.raises(MergeError, match="another campaign"):
        join_shards([whole], other)
    assert not (tmp_path / "x").exists()


def test_what_is_no_campaign_is_refused(whole, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(OutputError, match="not empty"):
        join_shards([whole], tmp_path / "mine")
    for function in (verify_folder, lambda folder: join_shards([folder], tmp_path / "x")):
        with pytest.raises(SampleFormatError, match="holds no campaign"):
            function(tmp_path / "mine")
    assert len(list((tmp_path / "mine").iterdir())) == 1
