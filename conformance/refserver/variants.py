"""The lawful variants of the server by name, as `--variant NAME[=VALUE]` gives them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from conformance.refserver.behaviour import RARE, RARE_CAPABILITIES, Behaviour
from conformance.refserver.choices import CHOICES
from conformance.refserver.errors import ServerSetupError
from conformance.refserver.workers import Work

_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Variant:
    """One lawful choice that takes a value: what it is without one, and how it changes the behaviour."""

    value: str
    change: Callable[[Behaviour, str], Behaviour]      # raises ValueError, which says what the value should be


def behaving(behaviour: Behaviour, chosen: Iterable[str]) -> Behaviour:
    """Return a behaviour with these variants, each `NAME` or `NAME=VALUE`. Raises ServerSetupError."""
    for each in chosen:
        name, equals, value = each.partition("=")
        if name in CHOICES and not equals:
            behaviour = replace(behaviour, faults=(*behaviour.faults, CHOICES[name]))
            continue
        if name not in VARIANTS:
            values = {known: f"[={variant.value}]" if variant.value else "" for known, variant in VARIANTS.items()}
            known = ", ".join([*(f"{known}{value}" for known, value in values.items()), *CHOICES])
            raise ServerSetupError(f"--variant {each!r}: there is no variant of this name; there are {known}")
        variant = VARIANTS[name]
        try:
            behaviour = variant.change(behaviour, value if equals else variant.value)
        except ValueError as error:
            raise ServerSetupError(f"--variant {each!r}: {error}") from None
    return behaviour


def _greylisting(behaviour: Behaviour, value: str) -> Behaviour:
    seconds = _seconds(value)
    if seconds is None:
        raise ValueError('it takes the time a new sender has to wait, as in "5s" or "5m"')
    return replace(behaviour, greylisting_s=seconds)


def _seconds(value: str) -> float | None:
    """Return a duration in seconds; None: it is none."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", value)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


def _service_time(behaviour: Behaviour, value: str) -> Behaviour:
    mean, _, how = value.partition(",")
    seconds = _seconds(mean)
    if not seconds or how not in {"", "exponential", "constant"}:
        raise ValueError('it takes the mean time a message costs, as in "20ms" (exponential) or "20ms,constant"')
    return _working(behaviour, service_s=seconds, constant=how == "constant")


def _workers(behaviour: Behaviour, value: str) -> Behaviour:
    if value != "unlimited" and not re.fullmatch(r"[1-9][0-9]{0,5}", value):
        raise ValueError('it takes how many messages are worked at side by side, as in "4", or "unlimited"')
    return _working(behaviour, workers=None if value == "unlimited" else int(value))


def _contention(behaviour: Behaviour, value: str) -> Behaviour:
    return _working(behaviour, contention=_coefficient(value))


def _coherency(behaviour: Behaviour, value: str) -> Behaviour:
    return _working(behaviour, coherency=_coefficient(value))


def _coefficient(value: str) -> float:
    if not re.fullmatch(r"[0-9]?\.[0-9]+|[0-9]", value):
        raise ValueError('it takes a coefficient of the Universal Scalability Law, as in "0.02"')
    return float(value)


def _working(behaviour: Behaviour, **changed: float | None) -> Behaviour:
    work = {name: getattr(behaviour.work, name) for name in Work.__slots__} | changed
    return replace(behaviour, work=Work(**work))


def _tempfail(behaviour: Behaviour, value: str) -> Behaviour:
    if not re.fullmatch(r"0?\.[0-9]+|0|1|1\.0", value):
        raise ValueError('it takes the share of the final dots answered 451, from 0 to 1, as in "0.1"')
    return replace(behaviour, tempfail=float(value))


def _no_service(behaviour: Behaviour, value: str) -> Behaviour:
    if value not in {"554", "521"}:
        raise ValueError("it takes the code of the greeting, 554 or 521")
    return replace(behaviour, refuses_service=int(value))


def _more_extensions(behaviour: Behaviour, value: str) -> Behaviour:
    if value:
        raise ValueError("it takes no value")
    return replace(
        behaviour, extensions=behaviour.extensions | RARE, capabilities=behaviour.capabilities | RARE_CAPABILITIES
    )


def _pop3_utf8(behaviour: Behaviour, value: str) -> Behaviour:
    if value not in {"refused", "rewritten"}:
        raise ValueError('it takes what becomes of mail in UTF-8 where UTF8 was not said, "refused" or "rewritten"')
    offered = replace(behaviour, capabilities=behaviour.capabilities | RARE_CAPABILITIES)
    return replace(offered, surrogates=value == "rewritten")


VARIANTS: Final[Mapping[str, Variant]] = {
    # RFC 6647; the five minutes are what greylisting servers are shipped with
    "greylisting": Variant("5m", _greylisting),
    "tempfail": Variant("0.1", _tempfail),
    "no-service": Variant("554", _no_service),      # RFC 5321 §3.1
    "more-extensions": Variant("", _more_extensions),     # ETRN, DELIVERBY, MT-PRIORITY, REQUIRETLS, LIMITS; UTF8, LANG
    "pop3-utf8": Variant("refused", _pop3_utf8),          # RFC 6856: UTF8 and LANG
    # A server takes its time (M/M/c): what measures capacity is proved on one whose capacity is known.
    "service-time": Variant("20ms", _service_time),
    "workers": Variant("1", _workers),
    "contention": Variant("0.02", _contention),
    "coherency": Variant("0.001", _coherency),
}
