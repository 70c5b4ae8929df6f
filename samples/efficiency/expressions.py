"""Conditions on columns as a user writes them: ``abs(recoil_mass - 2) < 0.05 and n_tracks == 2``.

A small part of Python, read by its own parser and worked out over whole columns: names, those of
columns of a matrix after a dot, numbers, arithmetic, comparisons (chains of them too), ``and``,
``or``, ``not``, and the functions of `FUNCTIONS`. It can do nothing else, so that it is safe to
take from anywhere. ``numexpr`` would be a dependency more, without ``and``, chains, or columns of a
matrix, for expressions whose time is small beside that of reading the columns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.wording import counted

__all__ = ["FUNCTIONS", "Expression"]

Array = npt.NDArray[Any]
Columns = Callable[[str, str | None], Array]
"""A column by its name, and by that of its own column where it is a matrix."""

FUNCTIONS: Final[dict[str, np.ufunc]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "min": np.minimum,
    "max": np.maximum,
    "isfinite": np.isfinite,
}
_OF_SEVERAL: Final = ("min", "max")
"""Functions of two values that take more."""
_OPERATIONS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: np.logical_not,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


class Expression:
    """An expression, read and checked but for the names of its columns.

    Raises
    ------
    ConfigError
        Something that is none, with the place.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._body = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise ConfigError(f"'{text}' is no expression: {reason}") from None
        self._check(self._body)

    def _check(self, node: ast.AST) -> None:
        """Refuse what is beyond columns, numbers and functions of them."""
        parts: list[Any]
        match node:
            case ast.Constant(value=bool() | int() | float()) | ast.Name():
                return
            case ast.Attribute(value=ast.Name()):
                return
            case ast.BoolOp() | ast.BinOp() | ast.UnaryOp() | ast.Compare():
                parts = list(ast.iter_child_nodes(node))
            case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]):
                self._check_call(name, len(parts))
            case _:
                shown = ast.get_source_segment(self.text.strip(), node) or self.text
                raise ConfigError(
                    f"'{self.text}': '{shown}' is none of columns, numbers, operators and functions"
                )
        for part in parts:
            if isinstance(part, ast.operator | ast.unaryop | ast.boolop | ast.cmpop):
                if type(part) not in _OPERATIONS:
                    kind = type(part).__name__
                    raise ConfigError(f"'{self.text}': no operator {kind}, write and, or, not")
            else:
                self._check(part)

    def _check_call(self, name: str, n_values: int) -> None:
        """Refuse an unknown function, and another number of values than it takes."""
        if name not in FUNCTIONS:
            told = did_you_mean(name, FUNCTIONS)
            raise ConfigError(f"'{self.text}': unknown function '{name}', {told}")
        n_taken = FUNCTIONS[name].nin
        more = name in _OF_SEVERAL
        if n_values < n_taken or (n_values > n_taken and not more):
            taken = f"{counted(n_taken, 'value')}{' or more' if more else ''}"
            raise ConfigError(f"'{self.text}': {name} takes {taken} (got {n_values})")

    def __call__(self, columns: Columns) -> Array:
        """Its values; comparisons with NaN do not hold."""
        with np.errstate(all="ignore"):
            try:
                return np.asarray(self._value(self._body, columns))
            except (TypeError, ValueError) as error:
                raise ConfigError(f"'{self.text}': {str(error).splitlines()[0]}") from None

    def _value(self, node: ast.AST, columns: Columns) -> Any:
        match node:
            case ast.Constant(value=bool(flag)):
                return np.bool_(flag)
            case ast.Constant(value=value):
                return np.float64(value)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return columns(name, None)
            case ast.Attribute(value=ast.Name(id=name), attr=entry):
                return columns(name, entry)
            case ast.Call(func=ast.Name(id=name), args=args):
                return _called(FUNCTIONS[name], [self._value(arg, columns) for arg in args])
            case ast.UnaryOp(op=operation, operand=operand):
                return _OPERATIONS[type(operation)](self._value(operand, columns))
            case ast.BinOp(left=left, op=operation, right=right):
                sides = self._value(left, columns), self._value(right, columns)
                return _OPERATIONS[type(operation)](*sides)
            case ast.BoolOp(op=operation, values=values):
                return self._together(operation, [self._value(value, columns) for value in values])
            case ast.Compare(left=left, ops=operations, comparators=others):
                sides_of = [self._value(side, columns) for side in (left, *others)]
                held = [
                    _OPERATIONS[type(operation)](sides_of[i], sides_of[i + 1])
                    for i, operation in enumerate(operations)
                ]
                return self._together(ast.And(), held)
        raise AssertionError(node)  # refused by _check

    @staticmethod
    def _together(operation: ast.boolop, parts: list[Any]) -> Any:
        """All of them, or any."""
        joined = parts[0]
        for part in parts[1:]:
            joined = _OPERATIONS[type(operation)](joined, part)
        return joined


def _called(function: np.ufunc, values: Sequence[Any]) -> Any:
    """A function of one value, or of two, and of that and the next one, and so on."""
    return function(values[0]) if function.nin == 1 else reduce(function, values)
