"""The tool `calculator`: arithmetic on numbers of bounded size, read as a syntax tree and never run
as code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arena.core import Observation
from arena.core.tools import ToolError, ToolFunction
from arena.tools.options import whole

_Number = int | float

_LONGEST = 500
_DEEPEST = 50
_MOST_PLACES = 30

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
# name: (function, fewest, most numbers)
_FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "comb": (math.comb, 2, 2),
    "exp": (math.exp, 1, 1),
    "floor": (math.floor, 1, 1),
    "log": (math.log, 1, 2),
    "log2": (math.log2, 1, 1),
    "max": (max, 2, 50),
    "min": (min, 2, 50),
    "perm": (math.perm, 2, 2),
    "round": (round, 1, 2),
    "sqrt": (math.sqrt, 1, 1),
}
_CONSTANTS = {"e": math.e, "pi": math.pi}


class CalculatorTool:
    """`digits` is the most that a whole number may have."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (
        ToolFunction(
            "calculate",
            f"Calculate an expression: + - * / // % ** and {', '.join(sorted(_FUNCTIONS))}.",
            {
                "type": "object",
                "properties": {
                    "expression": {"type": "string", "description": "such as 3/8 * comb(7, 2)"}
                },
                "required": ["expression"],
            },
        ),
    )

    def __init__(self, *, digits: int = 40) -> None:
        self._digits = whole("calculator", "digits", digits, 1, 1000)

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        text = arguments["expression"].strip()
        if len(text) > _LONGEST:
            raise ToolError(f"the expression has {len(text)} characters, at most {_LONGEST}")
        try:
            tree = ast.parse(text, mode="eval")
            found = self._value(tree.body, 0)
        except ToolError:
            raise
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise ToolError(f"{text!r:.80} is no arithmetic: expected such as 3/8 * 7") from None
        except ZeroDivisionError:
            raise ToolError("it divides by zero") from None
        except OverflowError:
            raise ToolError("a number in it is too large") from None
        return str(found)

    def _value(self, node: ast.expr, depth: int) -> _Number:
        if depth > _DEEPEST:
            raise ToolError("the expression is nested too deeply")
        return self._bounded(self._found(node, depth + 1))

    def _found(self, node: ast.expr, depth: int) -> Any:
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                return value
            case ast.Name(id=name) if name in _CONSTANTS:
                return _CONSTANTS[name]
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
                return _UNARY[type(sign)](self._value(operand, depth))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self._value(left, depth), self._value(right, depth))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
                return _BINARY[type(sign)](self._value(left, depth), self._value(right, depth))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
                made, fewest, most = _FUNCTIONS[name]
                if not fewest <= len(args) <= most:
                    raise ToolError(f"{name} takes {fewest} to {most} numbers, not {len(args)}")
                numbers = [self._value(arg, depth) for arg in args]
                if name in {"comb", "perm"} and any(abs(number) > 1000 for number in numbers):
                    raise ToolError(f"{name} takes numbers up to 1000")
                if name == "round" and len(numbers) > 1 and abs(numbers[1]) > _MOST_PLACES:
                    raise ToolError(f"round takes at most {_MOST_PLACES} places")
                try:
                    return made(*numbers)
                except TypeError:
                    raise ToolError(f"{name} does not take these numbers") from None
        raise ToolError(f"{ast.unparse(node)!r:.60} is no part of arithmetic")

    def _power(self, base: _Number, exponent: _Number) -> Any:
        # What is too large is not made first.
        if (
            isinstance(base, int)
            and isinstance(exponent, int)
            and exponent > 0
            and abs(base) > 1
            and exponent * math.log10(abs(base)) > self._digits
        ):
            raise ToolError(f"the number would have more than {self._digits} digits")
        return base**exponent

    def _bounded(self, value: Any) -> _Number:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ToolError("it comes to no real number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ToolError("it comes to no finite number")
        if isinstance(value, int) and value.bit_length() > self._digits * math.log2(10) + 1:
            raise ToolError(f"a number has more than {self._digits} digits")
        return value
