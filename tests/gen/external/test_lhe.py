"""Les Houches files, laid out as MadGraph does it."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from darkbelle.errors import EventFileError
from darkbelle.gen.external import EventFile, RawEvents, Reading
from darkbelle.units import C
from tests.gen.external.files import MASS, X, lhe, momenta

N = 10


def raw_of(path, size: int = 1000, **how) -> list[RawEvents]:
    with EventFile(path, Reading(**how)) as file:
        return list(file.blocks(size))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "x.lhe").write_text(lhe(N, lifetime=3.0))
    return tmp_path / "x.lhe"


def test_what_stands_in_the_file(path):
    with EventFile(path) as file:
        (raw,) = file.blocks(100)
        assert file.format == "LHE"
        assert file.generators == ("MadGraph5_aMC@NLO 3.5.4",)
        assert file.cross_section.value == pytest.approx(25.0)  # fb
        assert file.cross_section.error == pytest.approx(0.1)
    assert raw.pdg_id.tolist() == [11, -11, 22, X, 13, -13] * N
    assert raw.status.tolist() == [4, 4, 1, 2, 1, 1] * N
    assert raw.mother.tolist() == [-1, -1, 0, 0, 3, 3] * N
    places = [0, 1, 4, 5, 6, 7]
    for i, place in enumerate(places):
        np.testing.assert_allclose(raw.momentum[:, i::6], momenta(N)[:, place], rtol=0, atol=1e-8)


def test_vtimup_is_a_proper_length_in_mm(path):
    """3 mm times p / m and, for the time, E / m."""
    (raw,) = raw_of(path)
    e, *p = momenta(N)[:, 5]
    flight = 0.3 / MASS * np.stack([*p, e / C])
    np.testing.assert_allclose(raw.end[:, 3::6], flight, rtol=1e-6)
    np.testing.assert_allclose(raw.start[:, 4::6], flight, rtol=1e-6)
    np.testing.assert_allclose(raw.start[:, 5::6], flight, rtol=1e-6)
    assert not raw.start[:, 3::6].any()


def test_weights_by_name(path):
    """XWGTUP is the same for all: each event counts once; named ones keep their ratios."""
    (raw,) = raw_of(path)
    assert raw.weights.tolist() == [[1.0]] * N
    (raw,) = raw_of(path, weight="rwgt_1")
    named = 0.05 + 0.001 * np.arange(N)
    np.testing.assert_allclose(raw.weights[:, 0], named / named.mean())


def test_compressed(path):
    squeezed = path.with_suffix(".lhe.gz")
    squeezed.write_bytes(gzip.compress(path.read_bytes()))
    (raw,), (expected,) = raw_of(squeezed), raw_of(path)
    assert np.array_equal(raw.momentum, expected.momentum)
    squeezed.write_bytes(squeezed.read_bytes()[:-30])
    with pytest.raises(EventFileError, match="damaged or cut off"):
        raw_of(squeezed)


def test_blocks(path):
    assert [raw.n_events for raw in raw_of(path, 4)] == [4, 4, 2]


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    octets = lhe(2).encode()
    path = tmp_path / "cut"
    whole = len(octets.rstrip())
    for n_left in [*range(0, whole, 61), whole - 1]:
        path.write_bytes(octets[:n_left])
        with pytest.raises(EventFileError, match=r"'.*cut'"):
            raw_of(path)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("<init>", "<inti>"),
        (" 6      1 +2.5", " 7      1 +2.5"),
        ("       22  1", "       xx  1"),
        ("</rwgt>", "</rwtg>"),
        (" 9000005  2    1", " 9000005  2   77"),
    ],
)
def test_damaged_text_is_refused(line: str, other: str, tmp_path):
    text = lhe(3)
    assert line in text
    (tmp_path / "x").write_text(text.replace(line, other, 1))
    with pytest.raises(EventFileError, match=r"'.*x'"):
        raw_of(tmp_path / "x")
