"""HepMC files: what stands in them comes out, whatever the version, units, compression, blocks."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pyhepmc
import pytest

from darkbelle.errors import EventFileError
from darkbelle.gen.external import EventFile, RawEvents
from darkbelle.units import C, mm
from tests.gen.external.files import CODES, MASSES, STATES, X, decay_points, events, momenta, write

N = 12
BY_HAND = """HepMC::Version 3.02.05
HepMC::Asciiv3-START_EVENT_LISTING
E 0 3 5 @ 1.0 2.0 3.0 4.0
U MEV CM
W 1.0
P 1 0 11 0.0 0.0 5290.0 5290.0 0.511 4
P 2 0 -11 0.0 0.0 -5290.0 5290.0 0.511 4
V -1 0 [1,2]
P 3 -1 9000005 0.0 0.0 0.0 10580.0 10580.0 2
V -2 0 [3] @ 1.5 2.0 3.0 5.0
P 4 -2 111 0.0 0.0 0.0 135.0 135.0 2
P 5 4 22 0.0 0.0 67.5 67.5 0.0 1
HepMC::Asciiv3-END_EVENT_LISTING
"""

OUT_OF_ORDER = """HepMC::Version 3.02.05
HepMC::Asciiv3-START_EVENT_LISTING
E 0 3 7
U GEV CM
W 1.0
P 1 0 11 0 0 5.29 5.29 0 4
P 2 0 -11 0 0 -5.29 5.29 0 4
V -1 0 [1,2] @ 1 1 1 1
P 3 -1 511 0 0 0 10.58 10.58 2
V -3 0 [3] @ 3 3 3 3
P 4 -3 310 0 0 0 0.5 0.5 2
P 5 -3 22 0 0 5.29 5.29 0 1
V -2 0 [4] @ 2 2 2 2
P 6 -2 211 0 0 2.6413 2.645 0.14 1
P 7 -2 -211 0 0 -2.6413 2.645 0.14 1
HepMC::Asciiv3-END_EVENT_LISTING
"""


def raw_of(path: Path, size: int = 1000) -> list[RawEvents]:
    with EventFile(path) as file:
        return list(file.blocks(size))


@pytest.fixture
def made() -> list[pyhepmc.GenEvent]:
    return events(N)


@pytest.mark.parametrize("kind", ["HepMC3", "HepMC2"])
def test_what_was_written_is_read(made, kind: str, tmp_path):
    with EventFile(write(tmp_path / "x", made, kind)) as file:
        (raw,) = file.blocks(1000)
        assert file.format == kind
        assert file.cross_section.value == pytest.approx(N * 1e3)  # pb to fb; the last is the best
        assert file.cross_section.error == pytest.approx(500)
        assert file.generators == (("toy 1.2",) if kind == "HepMC3" else ())
    order = np.array(CODES) if kind == "HepMC3" else raw.pdg_id[:8]
    assert sorted(raw.pdg_id[:8]) == sorted(CODES)
    assert raw.pdg_id.tolist() == [*order] * N
    for code, state, mass in set(zip(CODES, STATES, MASSES, strict=True)):
        rows = np.flatnonzero((raw.pdg_id == code) & (raw.status == state))
        assert len(rows) == N
        place = list(zip(CODES, STATES, strict=True)).index((code, state))
        np.testing.assert_allclose(raw.momentum[:, rows], momenta(N)[:, place], rtol=0, atol=1e-9)
        np.testing.assert_allclose(raw.mass[rows], mass, rtol=0, atol=1e-9)
    muon = np.flatnonzero(raw.pdg_id == 13)
    points = decay_points(momenta(N)) * np.array([mm, mm, mm, mm / C])[:, None]
    np.testing.assert_allclose(raw.start[:, muon], points, rtol=1e-9)
    np.testing.assert_allclose(raw.end[:, raw.mother_rows()[muon]], points, rtol=1e-9)
    assert raw.pdg_id[raw.mother_rows()[muon]].tolist() == [X] * N


def test_units_and_vertices_by_hand(tmp_path):
    """MeV and cm; a vertex without a place is where the one before it is, the first at the event's.

    A particle may name its mother instead of a vertex.
    """
    (tmp_path / "x").write_text(BY_HAND)
    (raw,) = raw_of(tmp_path / "x")
    assert raw.pdg_id.tolist() == [11, -11, 9_000_005, 111, 22]
    assert raw.momentum[0].tolist() == pytest.approx([5.29, 5.29, 10.58, 0.135, 0.0675])
    assert raw.mass.tolist() == pytest.approx([0.000511, 0.000511, 10.58, 0.135, 0.0])
    first, second = [1.0, 2.0, 3.0, 4.0 / C], [1.5, 2.0, 3.0, 5.0 / C]
    np.testing.assert_allclose(raw.start.T, [first, first, first, second, second])
    np.testing.assert_allclose(raw.end.T[:4], [first, first, second, second])
    assert raw.mother.tolist() == [-1, -1, 0, 2, 3]
    assert raw.has_end.tolist() == [True] * 4 + [False]


def test_vertices_are_found_by_their_numbers(tmp_path):
    """HepMC3 lists those of a cascade in another order where it made the events from HEPEVT."""
    (tmp_path / "x").write_text(OUT_OF_ORDER)
    (raw,) = raw_of(tmp_path / "x")
    assert raw.start[0].tolist() == [0, 0, 1, 3, 3, 2, 2]
    assert raw.mother.tolist() == [-1, -1, 0, 2, 2, 3, 3]


@pytest.mark.parametrize("size", [1, 5, N, 100])
def test_blocks_of_any_size_hold_the_same(made, size: int, tmp_path):
    path = write(tmp_path / "x", made)
    blocks = raw_of(path, size)
    assert [raw.n_events for raw in blocks[:-1]] == [size] * (len(blocks) - 1)
    (whole,) = raw_of(path)
    for name in ("pdg_id", "status", "mother", "mass", "momentum", "start", "end", "weights"):
        parts = [getattr(raw, name) for raw in blocks]
        axis = 0 if name == "weights" else -1
        assert np.array_equal(np.concatenate(parts, axis=axis), getattr(whole, name))


def zstd_compress(octets: bytes) -> bytes:
    from backports import zstd

    return zstd.compress(octets)


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress, zstd_compress])
def test_compressed_by_content_not_by_name(made, squeeze, tmp_path):
    plain = write(tmp_path / "x", made)
    path = tmp_path / "no-ending"
    path.write_bytes(squeeze(plain.read_bytes()))
    (raw,), (expected,) = raw_of(path), raw_of(plain)
    assert np.array_equal(raw.momentum, expected.momentum)
    cut = path.read_bytes()[:-20]
    path.write_bytes(cut)
    with pytest.raises(EventFileError, match="damaged or cut off"):
        raw_of(path)


@pytest.mark.parametrize("kind", ["HepMC3", "HepMC2"])
def test_a_file_cut_off_anywhere_is_refused(kind: str, tmp_path):
    """pyhepmc alone would take most of them for shorter files."""
    octets = write(tmp_path / "x", events(2), kind).read_bytes()
    whole = len(octets.rstrip())
    path = tmp_path / "cut"
    for n_left in [*range(0, whole, 29), whole - 1]:
        path.write_bytes(octets[:n_left])
        with pytest.raises(EventFileError, match=r"'.*cut'.*(cut off|is empty|is neither)"):
            raw_of(path)


def test_a_line_that_is_missing_is_refused(made, tmp_path):
    lines = write(tmp_path / "x", made).read_text().splitlines(keepends=True)
    events_begin = [i for i, line in enumerate(lines) if line.startswith("E ")]
    gone = next(i for i in range(events_begin[5], len(lines)) if lines[i].startswith("P "))
    (tmp_path / "x").write_text("".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(EventFileError, match="is damaged in event 5"):
        raw_of(tmp_path / "x", 4)


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_byte_of_a_compressed_file_is_refused(made, seed: int, tmp_path):
    rng = np.random.default_rng(seed)
    octets = bytearray(gzip.compress(write(tmp_path / "x", made).read_bytes(), mtime=0))
    octets[rng.integers(200, len(octets) - 8)] ^= 0xFF
    (tmp_path / "x.gz").write_bytes(octets)
    with pytest.raises(EventFileError, match=r"'.*x.gz' is damaged or cut off \("):
        raw_of(tmp_path / "x.gz")


def test_empty_lines_may_follow(made, tmp_path):
    path = write(tmp_path / "x", made)
    path.write_bytes(path.read_bytes() + b"\n" * 1000)
    assert sum(raw.n_events for raw in raw_of(path)) == len(made)


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"", "is empty"),
        (np.random.default_rng(1).bytes(5000), "neither HepMC, as text, nor LHE"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"HepMC::Version 3\nHepMC::Asciiv3-START_EVENT_LISTING\n", "cut off"),
        (BY_HAND[:51].encode() + BY_HAND.splitlines()[-1].encode(), "no events"),
    ],
)
def test_what_is_no_file_of_events(octets: bytes, complaint: str, tmp_path):
    (tmp_path / "x").write_bytes(octets)
    with pytest.raises(EventFileError, match=complaint):
        raw_of(tmp_path / "x")


def test_folders_and_nothing(tmp_path):
    with pytest.raises(EventFileError, match="is a folder"):
        EventFile(tmp_path)
    with pytest.raises(EventFileError, match="No such file"):
        EventFile(tmp_path / "x")
