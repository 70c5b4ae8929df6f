"""Messages name what is near, and never all of a long list."""

from __future__ import annotations

import pytest

from darkbelle.errors import did_you_mean


@pytest.mark.parametrize(
    ("known", "listed_by", "expected"),
    [
        ([], "", "known: none"),
        (["b", "a"], "darkbelle x", "known: a, b"),
        (["words", "a"], "darkbelle x", "did you mean 'words'?"),
        ("abcdefghijklm", "", "known: a, b, c, d, e, f, g, h, i, j, k, l and 1 more"),
        ("abcdefghijklmn", "darkbelle x", "known: a, b, c, d, e, f, g, h, i, j, k, l and 2 more"),
    ],
)
def test_what_is_known(known: list[str], listed_by: str, expected: str):
    found = did_you_mean("word", known, listed_by)
    assert found == expected + (f", cf. {listed_by}" if listed_by and "more" in expected else "")
