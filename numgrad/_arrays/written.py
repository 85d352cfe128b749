"""The arithmetic of one derivative at one point, written down: its samples, what they weigh, and why."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import floor, isfinite, lcm, log10
from textwrap import wrap
from typing import Any

import numpy as np

from numgrad._system import tables

# Up to so many samples, and characters, stand in a line; more have a table.
FEW, WIDE = 5, 110
# Rows of a table; a longer one shows its first and last.
ROWS = 64
# Significant digits of float64 that are shown at most, and of narrower types.
DIGITS = 15


@dataclass(frozen=True, eq=False, repr=False)
class PointExplanation:
    """The arithmetic of a derivative at one point; prints it.

    Attributes
    ----------
    name : str
        What it is the derivative of, and where.
    names : tuple of str
        The samples that have a weight.
    weights : tuple of float
        What they weigh, as the kernel has it.
    samples : tuple
        What they are.
    value : number
        The derivative, as the call gives it.
    order : int or None
        The error falls as the distance of neighbours to this power; None where there is no formula.
    reason : str
        Why the samples are these, and the weights.
    scale : tuple or None
        On an even grid, (weights as integers, what divides them, n, h): the derivative is the sum over the second
        times h to the power n.
    error : number or None
        The standard error, where `sigma` is given.
    sigma : tuple of float
        The standard deviations of the samples.
    places : tuple of int
        Where the samples are along their axis.
    """

    name: str
    names: tuple[str, ...]
    weights: tuple[float, ...]
    samples: tuple[Any, ...]
    value: Any
    order: int | None
    reason: str
    scale: tuple[tuple[int, ...], int, int, Any] | None = None
    error: Any = None
    sigma: tuple[float, ...] = ()
    places: tuple[int, ...] = ()

    def with_errors(self, sigma: list[float]) -> "PointExplanation":
        """Return the same with the standard deviations of its samples."""
        spread = np.sqrt(sum([(w * s) ** 2 for w, s in zip(self.weights, sigma, strict=True)]))
        is_known = self.names and not np.isnan(self.samples).any()
        return replace(self, error=spread if is_known else np.nan, sigma=tuple(sigma))

    def __repr__(self) -> str:
        why = wrap(self._why(), WIDE, initial_indent="  ", subsequent_indent="    ")
        return "\n".join([*self._arithmetic(), *self._spread(), *why])

    def _repr_html_(self) -> str:
        if not self.names:
            return tables.together(tables.code(self._arithmetic()), tables.text(self._why()))
        first, cells, last = self._table()
        parts = [tables.code(self._chain() or [first]), table_of(cells).html(most=ROWS), tables.text(last)]
        return tables.together(*parts, *map(tables.text, self._spread()), tables.text(self._why()))

    def _why(self) -> str:
        return f"{self._order()}{self.reason}{self._noise()}"

    def _order(self) -> str:
        return "" if self.order is None else f"order {self.order}, "

    def _noise(self) -> str:
        """Say that nothing but rounding is left of a value."""
        is_lost = self.names and is_plain(self.value) and self.value != 0 and self.shown() == "0"
        return f"; the result, {number(self.value)}, is no larger than what rounding may do" if is_lost else ""

    @property
    def _factors(self) -> tuple[Any, ...]:
        """What samples are multiplied by, before the division if there is one."""
        return self.weights if self.scale is None else self.scale[0]

    def _arithmetic(self) -> list[str]:
        if not self.names:
            return [f"{self.name} = {number(self.value)}"]
        if chain := self._chain():
            return chain
        first, cells, last = self._table()
        return [first, *table(cells), f"  {last}"]

    def _chain(self) -> list[str]:
        """The sum in a line or a few; none if it has too many terms."""
        rows = list(zip(self.names, self._factors, self.samples, strict=True))
        if len(rows) > FEW:
            return []
        if len(rows) == 2 and rows[0][1] < 0 < rows[-1][1]:
            rows.reverse()
        texts = [[weighted(w, name, " ") for name, w, _ in rows], [weighted(w, number(s), " * ") for _, w, s in rows]]
        sums = [joined(text) for text in texts]
        if self.scale is not None:
            _, divisor, n, h = self.scale
            below = [_power(divisor, "h", n), _product(divisor, h, n)]
            sums = [over(text, by) for text, by in zip(sums, below, strict=True)]
        chain = [*sums, self.shown()]
        is_wide = max(map(len, chain)) + len(self.name) > WIDE
        return [] if is_wide else equations(self.name, chain, len(self.name))

    def _table(self) -> tuple[str, list[list[str]], str]:
        """What is summed up, a row for each sample, and their sum."""
        cells = [["sample", "weight", "value", "product"]]
        parts: list[Fraction] = []
        for name, w, s in zip(self.names, self._factors, self.samples, strict=True):
            product = times(w, s)
            parts += [exact(getattr(complex(product), part)) for part in ("real", "imag") if is_plain(s)]
            cells.append([name, number(w), number(s), product])
        what = "sum of weight * value"
        last = f"sum = {self.shown()}"
        if self.scale is not None:
            _, divisor, n, h = self.scale
            what = over(what, _power(divisor, "h", n))
            by = _product(divisor, h, n)
            if len(parts) == 2 * len(self.names) and by != "1":
                total = sum(parts[::2], Fraction(0)), sum(parts[1::2], Fraction(0))
                text = number(complex(*map(float, total))) if total[1] else shortest(total[0])
                last = f"sum / {by} = {text} / {by} = {self.shown()}"
        return f"{self.name} = {what} = {self.shown()}", cells, last

    def shown(self) -> str:
        """Return the value, by the digits that it and the arithmetic as written have in common."""
        steps = [] if self.scale is None else [self.scale[3]]
        if not (self.names and all(map(is_plain, [self.value, *self.samples, *steps]))):
            return number(self.value)
        below = Fraction(1)
        if self.scale is not None:
            _, divisor, n, h = self.scale
            below = divisor * exact(h) ** n
        return digits_of(self.value, list(zip(self._factors, self.samples, strict=True)), below)

    def _spread(self) -> Iterator[str]:
        """The standard error."""
        if self.error is None:
            return
        if not self.sigma or not isfinite(self.error):
            yield f"  error = {number(self.error)}"
            return
        terms = [exact(w) * exact(s) for w, s in zip(self.weights, self.sigma, strict=True)]
        wanted = Fraction(float(np.sqrt(float(sum([t * t for t in terms])))))
        value = common(self.error, wanted, wanted)
        texts = [f"({number(abs(w))} * {number(s)})**2" for w, s in zip(self.weights, self.sigma, strict=True)]
        if len(texts) > FEW:
            what = (
                "sum of (weight * sigma)^2"
                if len({*self.sigma}) > 1
                else f"sum of (weight * {number(self.sigma[0])})^2"
            )
            below = "" if self.scale is None else f" / {_power(self.scale[1], 'h', self.scale[2])}"
            yield f"  error = sqrt({what}){below} = {value}"
            return
        rows = wrap(" + ".join(texts), WIDE - 20)
        yield f"  error = sqrt({rows[0]}" + (f") = {value}" if len(rows) == 1 else "")
        yield from (f"{'':15}{row}" + (f") = {value}" if row is rows[-1] else "") for row in rows[1:])


@dataclass(frozen=True, eq=False, repr=False)
class SumExplanation:
    """The arithmetic of a sum of derivatives at a point; prints it.

    Attributes
    ----------
    name : str
        What it is, and where.
    terms : tuple of PointExplanation
        What is added up; on the sphere with factors, as MetricExplanation.
    signs : tuple of bool
        Whether a term is subtracted.
    value : number
        The sum, as the call gives it.
    """

    name: str
    terms: tuple[Any, ...]
    signs: tuple[bool, ...]
    value: Any

    def __repr__(self) -> str:
        lines = [line for term in self.terms for line in repr(term).splitlines()]
        return "\n".join([*self._sum(), *[f"  {line}" for line in lines]])

    def _repr_html_(self) -> str:
        return tables.together(tables.code(self._sum()), tables.all_of(self.terms))

    def _sum(self) -> list[str]:
        names = [term.name for term in self.terms]
        shown = [term.shown() for term in self.terms]
        text = joined(list(zip(self.signs, names, strict=True)))
        if len(names) > 1 or self.signs[0]:
            numbers = joined(
                [(minus, f"({s})" if s[0] == "-" else s) for minus, s in zip(self.signs, shown, strict=True)]
            )
            chain = [text, numbers, self._shown(shown)]
        else:
            chain = [text, shown[0]]
        return equations(f"{self.name}: {chain[0]}", chain[1:], 4)

    def _shown(self, shown: list[str]) -> str:
        if not all(map(is_plain, [self.value, *[term.value for term in self.terms]])):
            return number(self.value)
        return digits_of(
            self.value,
            [(-1 if s else 1, complex(t) if "j" in t else float(t)) for s, t in zip(self.signs, shown, strict=True)],
        )


@dataclass(frozen=True, eq=False, repr=False)
class TurnExplanation:
    """The arithmetic of a turning point; prints it.

    Attributes
    ----------
    kind : str
        "minimum" or "maximum"; empty if the sample is none.
    place, sample : number
        The coordinate and the sample that the parabola is around.
    position, value : number
        Where the parabola turns, and what it is there; or the middle of a plateau, or an end.
    terms : tuple of PointExplanation
        The first and the second derivative of the parabola; empty where there is none.
    reason : str
        Why this is a turning point, or none.
    """

    kind: str
    name: str
    place: Any
    sample: Any
    position: Any
    value: Any
    terms: tuple[PointExplanation, ...]
    reason: str

    def __repr__(self) -> str:
        why = wrap(self.reason, WIDE, initial_indent="  ", subsequent_indent="    ")
        lines = [f"  {line}" for term in self.terms for line in repr(term).splitlines()]
        return "\n".join([*self._turn(), *lines, *why])

    def _repr_html_(self) -> str:
        return tables.together(tables.code(self._turn()), tables.all_of(self.terms), tables.text(self.reason))

    def _turn(self) -> list[str]:
        if not self.terms:
            return [f"{self.name}: {self.kind or 'no turning point'}"]
        texts = [term.shown() for term in self.terms]
        slope, bend = map(exact, texts)
        s, b = [f"({text})" if text[0] == "-" else text for text in texts]
        x, y, d, c = number(self.place), number(self.sample), *[term.name for term in self.terms]
        moved, changed = slope / bend, slope * slope / bend / 2
        position = common(self.position, exact(x) - moved, abs(exact(x)) + abs(moved))
        value = common(self.value, exact(y) - changed, abs(exact(y)) + abs(changed))
        lines = equations(f"  position = x - {d} / {c}", [f"{x} - {s} / {b}", position], 11)
        lines += equations(f"  value = f - {d}^2 / (2 {c})", [f"{y} - {s}**2 / (2 * {b})", value], 11)
        return [f"{self.name}: {self.kind}", *lines]


class PointExplanations(tuple[PointExplanation | SumExplanation | TurnExplanation, ...]):
    """The arithmetic of each result at a point, in the order of the results; prints all of it."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return tables.all_of(self)


def index_of(at: Any, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Return the index of a point, from a number or one for each dimension; negative ones count from the end."""
    given = tuple(at) if isinstance(at, (tuple, list, np.ndarray)) and np.ndim(at) else (at,)
    if len(given) != len(shape):
        wanted = f"a tuple of {len(shape)} indices" if len(shape) > 1 else "one index"
        raise IndexError(
            f"`at` is {at!r}, but {name} has {len(shape)} dimension{'s' * (len(shape) != 1)}; give {wanted}"
        )
    found = []
    for axis, (one, size) in enumerate(zip(given, shape, strict=True)):
        try:
            i = operator.index(None if isinstance(one, (bool, np.bool_)) else one)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(f"`at` is {at!r}; give the index of a point, of integers") from None
        if not -size <= i < size:
            raise IndexError(f"`at` is {at!r}, but axis {axis} of {name} has {size} points: from {-size} to {size - 1}")
        found.append(i % size)
    return tuple(found)


def number(value: Any) -> str:
    """Return a number as short as it can be read back from."""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if type(value).__name__ == "MaskedConstant":
        return "masked"
    if isinstance(value, (complex, np.complexfloating)):
        real, imag = number(value.real), number(value.imag)
        if imag == "nan":
            return imag
        return f"({real}{'' if imag.startswith('-') else '+'}{imag}j)"
    if isinstance(value, (float, np.floating)):
        return str(value).removesuffix(".0") if value else "0"
    return str(value)


def times(weight: Any, sample: Any) -> str:
    """Return a product."""
    if not is_plain(sample):
        return number(weight * sample)
    if not np.iscomplexobj(sample):
        return shortest(exact(weight) * exact(sample))
    return number(complex(*[float(exact(weight) * exact(part)) for part in (sample.real, sample.imag)]))


def is_plain(value: Any) -> bool:
    """Whether a value is a finite number, real or complex."""
    return (
        isinstance(value, (int, float, complex, np.number))
        and not isinstance(value, np.timedelta64)
        and bool(np.isfinite(value))
    )


def exact(value: Any) -> Fraction:
    """Return a number as it is written."""
    return Fraction(value if isinstance(value, str) else number(value))


def shortest(value: Fraction) -> str:
    """Return a number by up to 17 digits, of which none is superfluous."""
    text = number(float(value))
    return str(value.numerator) if value.denominator == 1 and len(str(value.numerator)) <= DIGITS + 2 else text


def digits_of(value: Any, terms: list[tuple[Any, Any]], below: Fraction = Fraction(1)) -> str:
    """Return a value by the digits that it has in common with a sum of weights times samples, over `below`."""

    def shown(part: str) -> str:
        products = [exact(w) * exact(getattr(s, part) if np.iscomplexobj(s) or part == "imag" else s) for w, s in terms]
        size = sum(map(abs, products), Fraction(0)) / abs(below)
        return common(getattr(value, part), sum(products, Fraction(0)) / below, size)

    if not np.iscomplexobj(value):
        return shown("real")
    imag = shown("imag")
    return f"({shown('real')}{'' if imag[0] == '-' else '+'}{imag}j)"


def common(value: Any, written: Fraction, size: Fraction) -> str:
    """Return a value by the digits that what is written gives, too; those that rounding may change are none.

    `size` is the sum of the absolute values of what is added up.
    """
    real = np.asarray(value).dtype
    eps = float(np.finfo(real if real.kind == "f" else np.float64).eps)
    if not isfinite(value):
        return number(value)
    noise = 4 * eps * float(size)
    if abs(value) <= noise and abs(float(written)) <= noise:
        return "0"
    digits = DIGITS if eps < 1e-10 else max(2, floor(-log10(eps)))
    if abs(value) > noise > 0:
        digits = max(1, min(digits, floor(log10(abs(value)) - log10(noise))))
    for places in range(digits, 0, -1):
        text, other = f"{float(value):.{places}g}", f"{float(written):.{places}g}"
        if text == other:
            return text
    return number(value)


def weighted(weight: Any, what: str, times: str) -> tuple[bool, str]:
    """Return whether a term is subtracted, and the term without its sign."""
    size = abs(weight)
    if what.startswith("-"):
        what = f"({what})"
    return weight < 0, what if size == 1 else f"{number(size)}{times}{what}"


def table(cells: list[list[str]]) -> list[str]:
    """Return rows of cells below each other; of many, the first and the last."""
    return [f"  {line}" for line in table_of(cells).text(ROWS)]


def table_of(cells: list[list[str]]) -> tables.Table:
    return tables.Table(cells[0], cells[1:].__getitem__, len(cells) - 1)


def equations(first: str, others: list[str], indent: int) -> list[str]:
    """Return what equals each other in a line, or in one for each."""
    line = " = ".join([first, *others])
    if len(line) <= WIDE:
        return [line]
    if indent == len(first):
        first, others = f"{first} = {others[0]}", others[1:]
    return [first, *[f"{'':{indent}} = {text}" for text in others]]


def joined(terms: list[tuple[bool, str]]) -> str:
    """Return a sum."""
    (is_negative, first), *others = terms
    return (
        ("-" if is_negative else "") + first + "".join([f" {'-' if minus else '+'} {term}" for minus, term in others])
    )


def over(text: str, below: str) -> str:
    if below == "1":
        return text
    is_one = not any(sign in text for sign in (" + ", " - ", "*", " / "))
    return f"{text if is_one else f'({text})'} / {below}"


def _power(divisor: int, h: str, n: int) -> str:
    """Return what a sum is divided by, in words."""
    power = "" if not n else h if n == 1 else f"{h}^{n}"
    if not power or divisor == 1:
        return power or str(divisor)
    return f"({divisor} {power})"


def _product(divisor: int, h: Any, n: int) -> str:
    """Return what a sum is divided by, in numbers."""
    if not n:
        return str(divisor)
    text = number(h)
    if not is_plain(h):
        return f"({divisor} * {text})" if divisor != 1 else text
    value = str(divisor * Decimal(text) ** n) if len(text) * n < 24 else ""
    if value and "E" not in value and len(value) <= DIGITS + 2:
        value = value.rstrip("0").rstrip(".") if "." in value else value
        return f"({value})" if value.startswith("-") else value
    power = (f"({text})" if text.startswith("-") else text) + (f"**{n}" if n > 1 else "")
    if divisor == 1:
        return power if n > 1 or power.startswith("(") else text
    return f"({divisor} * {power})"


def fractions_of(weights: tuple[Fraction, ...]) -> tuple[tuple[int, ...], int]:
    """Return weights as integers, and what divides them."""
    divisor = lcm(*[w.denominator for w in weights])
    return tuple([int(w * divisor) for w in weights]), divisor
