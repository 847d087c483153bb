"""Distributions of counts, sizes and durations, as a scenario file writes them."""

import random
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from typing import ClassVar, Final, Self, assert_never

from loadgen.scenario.problems import Problem, UnreadableError, near_miss, show, unknown_key
from loadgen.scenario.quantities import Duration, JsonSchema, Leaf, Size
from loadgen.scenario.shapes import Choice, Exponential, Fixed, LogNormal, Shape, Uniform

COUNT_MAX: Final = 1_000_000


class Distribution(Leaf[Shape]):
    """Where a number is drawn from: a count, octets, or nanoseconds, as the subclass says."""

    __slots__ = ()
    ALLOWED: ClassVar[str]

    @property
    def shape(self) -> Shape:
        """Return the shape and its parameters."""
        return self._held

    @classmethod
    @abstractmethod
    def number(cls, value: object) -> int:
        """Return one plain value in the unit's whole numbers; raise UnreadableError."""

    @classmethod
    @abstractmethod
    def written(cls, number: int) -> object:
        """Return what `number` reads back to the same whole number."""

    @classmethod
    @abstractmethod
    def plain_schema(cls) -> JsonSchema:
        """Return the JSON Schema of one plain value."""

    def sample(self, rng: random.Random) -> int:
        """Draw one number: a count, octets, or nanoseconds."""
        return self.shape.sample(rng)

    def mean(self) -> float:
        """Return the expected value of `sample`, the bound included."""
        return self.shape.mean()

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest number a sample can be."""
        return self.shape.bounds

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the distribution a plain value or a table of one shape stands for."""
        if not isinstance(value, dict):
            return cls(Fixed(cls._number_or_table(value)))
        if len(value) != 1:
            raise UnreadableError.value(value, f"a table with one key, one of {', '.join(_READ)}")
        [(name, parameters)] = value.items()
        if name not in _READ:
            hint = near_miss(name, _READ) or f"expected one of {', '.join(_READ)}"
            raise UnreadableError([Problem(name, what="unknown distribution", hint=hint)])
        try:
            return cls(_READ[name](cls.number, parameters))
        except UnreadableError as error:
            raise UnreadableError([problem.under(name) for problem in error.problems]) from None

    @classmethod
    def _number_or_table(cls, value: object) -> int:
        try:
            return cls.number(value)
        except UnreadableError as error:
            hint = " ".join(problem.hint for problem in error.problems)
            allowed = f"{cls.ALLOWED} or a table {{{'|'.join(_READ)}}}"
            raise UnreadableError.value(value, allowed, hint=hint) from None

    def plain(self) -> object:
        """Return what `parse` reads back."""
        match self.shape:
            case Fixed(value):
                return self.written(value)
            case Uniform(low, high):
                return {"uniform": [self.written(low), self.written(high)]}
            case LogNormal(median, sigma, top):
                inner = {"median": self.written(median), "sigma": sigma, "max": self.written(top)}
                return {"lognormal": inner}
            case Exponential(scale, top):
                return {"exponential": {"mean": self.written(scale), "max": self.written(top)}}
            case Choice(values) as choice:
                pairs = zip(values, choice.weights, strict=True)
                return {"choice": [[self.written(value), weight] for value, weight in pairs]}
            case _:
                assert_never(self.shape)

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a plain value or of one of the five tables."""
        plain = cls.plain_schema()
        weight: JsonSchema = {"type": "number", "exclusiveMinimum": 0}
        sigma: JsonSchema = {"type": "number", "minimum": 0, "maximum": 10}
        pair = {"type": "array", "items": plain, "minItems": 2, "maxItems": 2}
        weighted = {"type": "array", "prefixItems": [plain, weight], "minItems": 2, "maxItems": 2}
        pairs = {"type": "array", "minItems": 1, "items": weighted}
        return {
            "description": f"{cls.__doc__} A plain value, or a table of one shape.",
            "anyOf": [
                plain,
                _closed("Always this value.", fixed=plain),
                _closed("Any value from the first to the second, both included.", uniform=pair),
                _closed("Log-normal by its median; what is past max counts as max.",
                        lognormal=_closed("", median=plain, sigma=sigma, max=plain)),
                _closed("Exponential by its mean; what is past max counts as max.",
                        exponential=_closed("", mean=plain, max=plain)),
                _closed("One of these [value, weight] pairs.", choice=pairs),
            ],
        }   # fmt: skip


class Counts(Distribution):
    """A distribution of whole numbers."""

    __slots__ = ()
    ALLOWED = "a whole number"

    @classmethod
    def number(cls, value: object) -> int:
        """Return a count."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= COUNT_MAX:
            raise UnreadableError.value(value, f"a whole number from 0 to {COUNT_MAX}")
        return value

    @classmethod
    def written(cls, number: int) -> int:
        """Return the count itself."""
        return number

    @classmethod
    def plain_schema(cls) -> JsonSchema:
        """Return the schema of a count."""
        return {"type": "integer", "minimum": 0, "maximum": COUNT_MAX}


class Sizes(Distribution):
    """A distribution of sizes in octets."""

    __slots__ = ()
    ALLOWED = Size.ALLOWED

    @classmethod
    def number(cls, value: object) -> int:
        """Return octets."""
        return Size.parse(value).octets

    @classmethod
    def written(cls, number: int) -> int | str:
        """Return the size as text or octets."""
        return Size(number).plain()

    @classmethod
    def plain_schema(cls) -> JsonSchema:
        """Return a reference to the schema of a size."""
        return {"$ref": "#/$defs/Size"}


class Durations(Distribution):
    """A distribution of durations."""

    __slots__ = ()
    ALLOWED = Duration.ALLOWED

    @classmethod
    def number(cls, value: object) -> int:
        """Return nanoseconds."""
        return Duration.parse(value).ns

    @classmethod
    def written(cls, number: int) -> str:
        """Return the duration as text."""
        return Duration(number).plain()

    @classmethod
    def plain_schema(cls) -> JsonSchema:
        """Return a reference to the schema of a duration."""
        return {"$ref": "#/$defs/Duration"}


Number = Callable[[object], int]


def _fixed(number: Number, parameters: object) -> Fixed:
    return Fixed(number(parameters))


def _uniform(number: Number, parameters: object) -> Uniform:
    if not isinstance(parameters, list) or len(parameters) != 2:
        raise UnreadableError.value(parameters, "a list of two values, [lowest, highest]")
    low, high = _every([(f"[{i}]", partial(number, item)) for i, item in enumerate(parameters)])
    if low > high:
        raise UnreadableError.value(parameters, "the lowest value first")
    return Uniform(int(low), int(high))


def _lognormal(number: Number, parameters: object) -> LogNormal:
    given = _keys(parameters, ("median", "sigma", "max"))
    median, sigma, top = _every([
        ("median", partial(_positive, number, given["median"])),
        ("sigma", partial(_within, given["sigma"], 0, 10)),
        ("max", partial(_positive, number, given["max"])),
    ])   # fmt: skip
    _not_above(median, top, "median", given)
    return LogNormal(int(median), sigma, int(top))


def _exponential(number: Number, parameters: object) -> Exponential:
    given = _keys(parameters, ("mean", "max"))
    mean, top = _every([
        ("mean", partial(_positive, number, given["mean"])),
        ("max", partial(_positive, number, given["max"])),
    ])   # fmt: skip
    _not_above(mean, top, "mean", given)
    return Exponential(int(mean), int(top))


def _choice(number: Number, parameters: object) -> Choice:
    if not isinstance(parameters, list) or not parameters:
        raise UnreadableError.value(parameters, "a list of [value, weight] pairs")
    reads: list[tuple[str, Callable[[], float]]] = []
    for i, pair in enumerate(parameters):
        if isinstance(pair, list) and len(pair) == 2:
            reads.append((f"[{i}][0]", partial(number, pair[0])))
            reads.append((f"[{i}][1]", partial(_within, pair[1], 1e-9, 1e9)))
        else:
            reads.append((f"[{i}]", partial(_refuse, pair, "a pair [value, weight]")))
    read = _every(reads)
    return Choice(tuple(int(value) for value in read[::2]), tuple(accumulate(read[1::2])))


_READ: Final[Mapping[str, Callable[[Number, object], Shape]]] = {
    "fixed": _fixed,
    "uniform": _uniform,
    "lognormal": _lognormal,
    "exponential": _exponential,
    "choice": _choice,
}


def _every(reads: list[tuple[str, Callable[[], float]]]) -> list[float]:
    """Return what each read gives, or raise every problem of all of them at once."""
    values: list[float] = []
    problems: list[Problem] = []
    for path, read in reads:
        try:
            values.append(read())
        except UnreadableError as error:
            problems += [problem.under(path) for problem in error.problems]
    if problems:
        raise UnreadableError(problems)
    return values


def _keys(parameters: object, wanted: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(parameters, dict):
        raise UnreadableError.value(parameters, f"a table with the keys {', '.join(wanted)}")
    problems = [unknown_key("", key, wanted) for key in parameters if key not in wanted]
    problems += [Problem(key, what="missing") for key in wanted if key not in parameters]
    if problems:
        raise UnreadableError(problems)
    return parameters


def _positive(number: Number, value: object) -> int:
    read = number(value)
    return read if read > 0 else _refuse(value, "more than zero")


def _within(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return _refuse(value, "a number above 0" if low else f"a number from 0 to {high:g}")
    return float(value)


def _not_above(number: float, top: float, name: str, given: dict[str, object]) -> None:
    if number > top:
        allowed = f"no less than the {name}, {show(given[name])}"
        raise UnreadableError([Problem("max", got=show(given["max"]), allowed=allowed)])


def _refuse(value: object, allowed: str) -> int:
    raise UnreadableError.value(value, allowed)


def _closed(description: str, **properties: JsonSchema) -> JsonSchema:
    schema: JsonSchema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {**schema, "description": description} if description else schema
