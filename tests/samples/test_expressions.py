"""Expressions over columns: what they mean, and what they cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.samples.efficiency.expressions import FUNCTIONS, Expression

X = np.array([-2.0, -0.5, 0.0, 1.0, np.nan])
N = np.array([0, 1, 2, 3, 4])
FLAG = np.array([True, False, True, False, True])


def columns(name: str, entry: str | None) -> np.ndarray:
    return {"x": X, "n": N, "flag": FLAG, "m.plus": X + 1}[f"{name}.{entry}" if entry else name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(x) < 1", np.abs(X) < 1),
        ("-1 < x <= 1 and n == 2", (X > -1) & (X <= 1) & (N == 2)),
        ("not flag or x >= 1", ~FLAG | (X >= 1)),
        ("flag and (x > 0 or n != 0)", FLAG & ((X > 0) | (N != 0))),
        ("x**2 + 1 > 2 * n / 3 - n % 2", X**2 + 1 > 2 * N / 3 - N % 2),
        ("m.plus > 0", X + 1 > 0),
        ("sqrt(x) > 0.5", np.array([False, False, False, True, False])),
        ("1 / n > 0.4", np.array([True, True, True, False, False])),
        ("min(x, n) == x and hypot(x, n) < 3", np.array([True, True, True, False, False])),
        ("isfinite(x)", np.isfinite(X)),
        ("  x < 0 ", X < 0),
    ],
)
def test_values(text: str, expected: np.ndarray):
    """Without warnings of what NaN and zero make; comparisons with NaN do not hold."""
    found = Expression(text)(columns)
    assert found.dtype == bool
    assert np.array_equal(found, expected)


def test_numbers_and_functions():
    assert Expression("-x + 2e-1")(columns) == pytest.approx(0.2 - X, nan_ok=True)
    for name, function in FUNCTIONS.items():
        arguments = "n, n" if name in ("atan2", "hypot", "min", "max") else "n"
        with np.errstate(all="ignore"):
            expected = function(*([N] * len(arguments.split(","))))
        assert np.array_equal(Expression(f"{name}({arguments})")(columns), expected, equal_nan=True)
    assert Expression("True")(columns).item() is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x <", "'x <' is no expression: "),
        ("", "is no expression"),
        ("x = 3", "is no expression"),
        ("(x > 1", "is no expression"),
        ("__import__('os').system('ls')", "is none of columns, numbers, operators and functions"),
        ("open('x')", "unknown function 'open', "),
        ("sqr(x)", "unknown function 'sqr', did you mean 'sqrt'?"),
        ("abs(x, key=n)", "is none of columns"),
        ("abs(*x)", "'*x' is none of columns"),
        ("[x for x in n]", "is none of columns"),
        ("lambda: x", "is none of columns"),
        ("x.y.z", "is none of columns"),
        ("x['a']", "is none of columns"),
        ("x if flag else n", "is none of columns"),
        ("x > 'a'", "is none of columns"),
        ("(x := 3)", "is none of columns"),
        ("(x > 0) & flag", "no operator BitAnd, write and, or, not"),
        ("x is flag", "no operator Is"),
        ("n in (1, 2)", "no operator In"),
        ("x // 2", "no operator FloorDiv"),
        ("9 @ n", "no operator MatMult"),
        (f"{'(' * 300}x{')' * 300}", "is no expression"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, message: str):
    with pytest.raises(ConfigError) as caught:
        Expression(text)
    assert message in str(caught.value)


def test_what_goes_wrong_with_the_columns_is_told():
    with pytest.raises(ConfigError, match=r"'abs\(x, n, flag, m.plus\)': "):
        Expression("abs(x, n, flag, m.plus)")(columns)
    with pytest.raises(ConfigError, match="'flag - flag': "):
        Expression("flag - flag")(columns)


def test_powers_of_numbers_do_not_grow_without_bounds():
    assert np.isinf(Expression("9**9**9**9")(columns))
