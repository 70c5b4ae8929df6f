"""The scan of the README works when pasted, with fewer points and events."""

from __future__ import annotations

from tests.test_readme import README, blocks, run, shell_lines


def test_the_scan_runs(tmp_path):
    (scan,) = blocks(README, "toml")
    for much, less in (("events = 2000", "events = 300"), ("[0.5, 4.0, 8]", "[0.5, 1.0, 2]")):
        assert much in scan
        scan = scan.replace(much, less)
    (tmp_path / "scan.toml").write_text(scan)
    commands = shell_lines(about_scans=True)
    assert len(commands) >= 4
    for arguments in commands:
        run(arguments, tmp_path)
    assert (tmp_path / "eff.png").stat().st_size > 10_000
