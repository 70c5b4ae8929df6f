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


TAKEN = {
    **dict.fromkeys(("abs", "sqrt", "exp", "log", "sin", "cos", "tan", "isfinite"), (1,)),
    **dict.fromkeys(("atan2", "hypot"), (2,)),
    **dict.fromkeys(("min", "max"), (2, 3)),
}


@pytest.mark.parametrize("n_values", range(4))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_their_number_of_values(name: str, n_values: int):
    """And give back the columns as they were, where numpy would write the result to one."""
    kept = {key: np.array([value]) for key, value in zip("abc", (5.0, 4.0, 1.0), strict=True)}
    text = f"{name}({', '.join('abc'[:n_values])})"
    if n_values in TAKEN[name]:
        assert Expression(text)(lambda key, _: kept[key]).shape == (1,)
    else:
        words = {1: "1 value", 2: "2 values"}[TAKEN[name][0]]
        words += " or more" if name in ("min", "max") else ""
        with pytest.raises(ConfigError) as caught:
            Expression(text)
        assert str(caught.value) == f"'{text}': {name} takes {words} (got {n_values})"
    assert [value.item() for value in kept.values()] == [5, 4, 1]


@pytest.mark.parametrize(("text", "expected"), [("min(a, b, c)", 1), ("max(c, a, b, 2)", 5)])
def test_the_least_and_the_greatest_of_several(text: str, expected: float):
    kept = {"a": np.array([5.0]), "b": np.array([4.0]), "c": np.array([1.0])}
    assert Expression(text)(lambda key, _: kept[key]).item() == expected


def test_what_goes_wrong_with_the_columns_is_told():
    with pytest.raises(ConfigError, match="'flag - flag': "):
        Expression("flag - flag")(columns)


def test_powers_of_numbers_do_not_grow_without_bounds():
    assert np.isinf(Expression("9**9**9**9")(columns))
