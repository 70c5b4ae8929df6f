"""The page on fits works when pasted."""

from __future__ import annotations

import json

from tests.samples.test_pages import blocks, commands, paste


def test_the_page_on_fits(signal, background, scan, run, tmp_path, capsys):
    """With samples of its processes, but fewer events."""
    (tmp_path / "zprime.h5").symlink_to(signal)
    (tmp_path / "tautau.h5").symlink_to(background)
    (tmp_path / "scan").mkdir()
    for path in scan.values():
        (tmp_path / "scan" / path.name).symlink_to(path)
    *produced, template, shape = commands("fits")
    assert {words[0] for words in produced} == {"produce"}
    for arguments in (template, shape):
        status, _, error = run(*arguments)
        assert status == 0, error
    assert json.loads((tmp_path / "limit.json").read_text())["channels"]
    left = paste(*blocks("fits", "python"))
    capsys.readouterr()
    assert len(left["density"]) == 3
    assert left["shape"].mean > 2.0
