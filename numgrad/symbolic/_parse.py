"""A formula in a string. None of it is ever run: Python's parser splits it, and tables know what it names."""

import ast
import io
import re
import tokenize
from collections.abc import Callable
from keyword import iskeyword
from math import isfinite
from typing import Any
from unicodedata import normalize

from numgrad.symbolic._library import sympy
from numgrad.symbolic._tree import is_number, made
from numgrad.symbolic._work import watched

LONGEST = 10_000  # characters
DEEPEST = 150  # parentheses in parentheses; Python's parser takes 200
LARGEST_EXPONENT = 1000
MOST_BITS = 4096  # of an integer: far more than fit a float64, far fewer than take time
MOST_BITS_TOGETHER = 1 << 16  # of the numbers in a sum or a product
LARGEST_ARGUMENT = 1e6  # of a function of a number: floor(exp(1e9)) would be an integer of 1.4e9 bits

_SAME = (
    "sin cos tan cot sec csc asin acos atan acot atan2 sinh cosh tanh coth sech csch asinh acosh atanh acoth "
    "asec acsc asech acsch exp log sqrt cbrt Abs sign Min Max floor ceiling frac Mod Heaviside erf erfc gamma "
    "loggamma sinc"
)
FUNCTIONS = {name: name for name in _SAME.split()}
FUNCTIONS |= {"abs": "Abs", "min": "Min", "max": "Max", "ln": "log", "ceil": "ceiling"}
ROOTS = {"sqrt": 2, "cbrt": 3}
CONSTANTS = ("pi", "E")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_OPERATORS = {"+", "-", "*", "/", "**", "^", "(", ")", ","}


def parse(text: str, symbols: dict[str, Any]) -> Any:
    """Return the SymPy expression that `text` stands for, the symbols looked up by their names."""
    if len(text) > LONGEST:
        raise ValueError(f"`expr` has {len(text)} characters; a string may have {LONGEST}, pass a SymPy expression")
    line = " ".join(text.split())
    if not line:
        raise ValueError("`expr` is an empty string; give a formula")
    tokens = _checked(line, symbols)
    try:
        tree = ast.parse(_as_code(tokens, symbols), mode="eval").body
        names = {f"s{i}": s for i, s in enumerate(symbols.values())}
        return _Builder(names).build(tree)
    except SyntaxError:
        raise ValueError(f"`expr` is {_short(text)}, which is no formula; something is missing") from None
    except (ZeroDivisionError, TypeError, OverflowError) as error:
        raise ValueError(f"`expr` is {_short(text)}, which has no value: {error}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"`expr` is {_short(text)}, nested too deeply; pass a SymPy expression") from None


def _checked(line: str, symbols: dict[str, Any]) -> list[str]:
    """The words and signs of a formula; others are refused before any parser sees them."""
    depth = 0
    for sign in line:  # before they are tokens: tokenize of Python 3.12 counts brackets as well
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            raise ValueError(f"`expr` is {_short(line)}, which is no formula; a bracket is not opened")
        if depth > DEEPEST:
            raise ValueError(f"`expr` has more than {DEEPEST} brackets in one another, nested too deeply")
    tokens = _tokens(line)
    words = [token.string for token in tokens]
    brackets = []  # whether each one that is open has the arguments of a function
    for token, before, after in zip(tokens, ["", *words], [*words[1:], ""], strict=False):
        word = token.string
        if token.type == tokenize.NAME:
            _check_name(word, after == "(", symbols)
        elif token.type == tokenize.NUMBER:
            _check_number(word)
            if _NUMBER.fullmatch(after):
                raise ValueError(f"`expr` has the numbers `{word}` and `{after}` side by side; write * if meant")
        elif word not in _OPERATORS:
            raise ValueError(f"`expr` has `{word}`, which is not allowed; use names, numbers and + - * / ^ ( ) ,")
        elif word == "(":
            brackets.append(_is_function(before, symbols))
        elif word == ")":
            brackets.pop()
        elif word == "," and not (brackets and brackets[-1]):
            hint = f"; write {before}.{after}" if before.isdigit() and after.isdigit() else ""
            raise ValueError(f"`expr` has a comma after `{before}`, outside of the arguments of a function{hint}")
    return words


def _is_function(word: str, symbols: dict[str, Any]) -> bool:
    return word in FUNCTIONS and word not in symbols


def _check_number(word: str) -> None:
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"`expr` has the number `{word}`; give numbers in decimal, such as 0.5 or 1e-3")
    if not isfinite(float(word)):
        raise ValueError(f"`expr` has the number {_short(word)}, too large for a float64")


# A product of zero and a symbol that Python would take for a number in another base without digits.
ZERO_TIMES = re.compile(r"\b0(?=[xX](?![0-9a-fA-F])|[bB](?![01])|[oO](?![0-7]))")


def _tokens(line: str) -> list[tokenize.TokenInfo]:
    line = ZERO_TIMES.sub("0 ", line)  # from Python 3.12 on, tokenize refuses "0x"
    layout = {tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER}
    try:
        return [t for t in tokenize.generate_tokens(io.StringIO(line).readline) if t.type not in layout]
    except (tokenize.TokenError, SyntaxError):
        raise ValueError(f"`expr` is {_short(line)}, which is no formula; a bracket is not closed") from None


def _check_name(name: str, is_called: bool, symbols: dict[str, Any]) -> None:
    # Python reads names in their normal form, in which ² is 2: x² would be a symbol x2.
    if normalize("NFKC", name) != name:
        raise ValueError(f"`expr` has `{name}`, which is not allowed as a name; powers are written x^2")
    if name in symbols and name in FUNCTIONS and is_called:
        raise ValueError(f"`expr` has `{name}(...)`, and `{name}` is a symbol; rename the symbol")
    if name in symbols or name in CONSTANTS:
        return
    if iskeyword(name):
        raise ValueError(f"`expr` has `{name}`, which is not allowed in a formula, unless `symbols` has it")
    if name not in FUNCTIONS:
        raise ValueError(
            f"`expr` has the unknown name `{name}`; known are the symbols {', '.join(symbols)}, "
            f"the constants {', '.join(CONSTANTS)} and the functions {', '.join(FUNCTIONS)}"
        )
    if not is_called:
        raise ValueError(f"`expr` has `{name}` without an argument; write {name}(...)")


def _as_code(words: list[str], symbols: dict[str, Any]) -> str:
    """The words with * between factors, ** for ^, and names that Python may have for words of its own: text, still."""
    names = {name: f"s{i}" for i, name in enumerate(symbols)}
    written = []
    for before, word in zip(["", *words], words, strict=False):
        is_factor = word == "(" or word not in _OPERATORS
        is_after_factor = before == ")" or (before and before not in _OPERATORS and not _is_function(before, symbols))
        written += ["*"] if is_factor and is_after_factor else []
        written.append(names.get(word, "**" if word == "^" else word))
    return " ".join(written)


class _Builder:
    """Makes expressions of what Python's parser has found."""

    def __init__(self, symbols: dict[str, Any]) -> None:
        self._symbols = symbols

    def build(self, node: ast.AST) -> Any:
        library = sympy()
        match node:
            case ast.Name(id=name) if name in self._symbols:
                return self._symbols[name]
            case ast.Name(id=name) if name in CONSTANTS:
                return getattr(library, name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _negative(self.build(operand))
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return made(library.Add, *_light(self._chain(node, ast.Add, ast.Sub, _negative)))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return made(library.Mul, *_light(self._chain(node, ast.Mult, ast.Div, _inverse)))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self.build(left), self.build(right))
            case ast.Constant(value=int(value)):
                return library.Integer(value)
            case ast.Constant(value=float(value)):
                return library.Float(value)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                return self._call(name, [self.build(a) for a in arguments])
        raise ValueError(f"`expr` has `{ast.unparse(node)}`, which is not allowed in a formula")

    def _chain(self, node: ast.AST, plain: type, inverse: type, invert: Callable[[Any], Any]) -> list[Any]:
        """The operands of a + b - c, or a * b / c, of any length: a call for each would meet the limit of recursion."""
        operands = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, (plain, inverse)):
            operand = self.build(node.right)
            operands.append(invert(operand) if isinstance(node.op, inverse) else operand)
            node = node.left
        return [self.build(node), *reversed(operands)]

    def _power(self, base: Any, exponent: Any) -> Any:
        """A power, unless SymPy would make a huge integer of it."""
        library = sympy()
        if is_number(exponent):
            with watched():
                size = abs(float(exponent))
            coefficients = [base, *base.args] if base.is_Mul else [base]
            bits = sum(_bits(c) for c in coefficients if c.is_Rational)
            if size > LARGEST_EXPONENT or (bits > 1 and bits * size > MOST_BITS):
                raise ValueError(f"`expr` has a power of {_short(str(exponent))}, too large for a float64")
        elif base is library.E:
            return made(library.exp, exponent)
        return made(library.Pow, base, exponent)

    def _call(self, name: str, arguments: list[Any]) -> Any:
        library = sympy()
        for argument in arguments:
            with watched():
                size = abs(complex(argument.evalf(15))) if is_number(argument) else 0.0
            if not size <= (LARGEST_ARGUMENT if "gamma" not in name else 171):
                raise ValueError(f"`expr` has `{name}` of the number {_short(str(argument))}, which is too large")
        if name in ("Min", "Max", "min", "max") and not arguments:
            raise ValueError(f"`expr` has `{name}` with 0 arguments; give it one or more")
        try:
            if name in ROOTS:
                if len(arguments) != 1:
                    raise TypeError
                return self._power(arguments[0], library.Rational(1, ROOTS[name]))
            if FUNCTIONS[name] == "log" and len(arguments) == 2:
                return made(library.Mul, *(made(library.log, a) ** e for a, e in zip(arguments, (1, -1), strict=True)))
            return made(getattr(library, FUNCTIONS[name]), *arguments)
        except TypeError:
            raise ValueError(f"`expr` has `{name}` with {len(arguments)} arguments; it takes another number") from None


def _negative(term: Any) -> Any:
    return made(sympy().Mul, sympy().S.NegativeOne, term)


def _inverse(factor: Any) -> Any:
    return made(sympy().Pow, factor, sympy().S.NegativeOne)


def _light(operands: list[Any]) -> list[Any]:
    """The operands, unless SymPy would make huge integers of the numbers among them."""
    numbers = [n for o in operands for n in (o, *o.args[:1]) if n.is_Rational]
    if sum(_bits(n) for n in numbers) > MOST_BITS_TOGETHER:
        raise ValueError("`expr` has a sum or a product of too many numbers of too many digits; write decimal ones")
    return operands


def _bits(number: Any) -> int:
    return int(max(abs(number.p), number.q).bit_length())


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
