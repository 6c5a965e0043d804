"""Fields of tasks and options: their descriptions, their checks, and their way to JSON and back.

A field is declared once, with its type, its default and `option`; the command line, JSON schemas
and error messages are made of that. Types are those that JSON has, besides tuples and literals.
"""

import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from lcagent.errors import UsageError, WrongValue


@dataclass(frozen=True, slots=True)
class Option:
    """How a field is described and given.

    Attributes:
        help: One line.
        flags: On the command line; by default the field's name with hyphens.
        metavar: What stands for the value in a help text.
        minimum, maximum: Of a number, inclusive.
        choices: Of a string; any where there are none.
        parse: Makes the value of what was typed, where that is not the value itself.
        is_file: What is typed is the name of a file that holds the value.
        off_help: Of the flag that turns off what is on by default.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    parse: Callable[[str], Any] | None = None
    is_file: bool = False
    off_help: str | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """What a command line offers for a field.

    Attributes:
        kind: The type of the value, as annotated.
    """

    name: str
    kind: Any
    default: Any
    option: Option


def option(default: Any, help: str, **how: Any) -> Any:  # noqa: A002 -- the word users know
    """Return a dataclass field that describes itself; `how` are attributes of `Option`."""
    return field(default=default, metadata={"option": Option(help, **how)})


def flags_of(holder: type) -> list[Flag]:
    """Return a flag for each field that describes itself, those of the class's own first."""
    hints = _hints(holder)
    own_first = [vars(each).get("__annotations__", {}) for each in holder.__mro__]
    described = [each for each in fields(holder) if "option" in each.metadata]
    described.sort(
        key=lambda each: next(at for at, own in enumerate(own_first) if each.name in own)
    )
    return [
        Flag(each.name, hints[each.name], each.default, each.metadata["option"])
        for each in described
    ]


def check_names(what: str, given: Iterable[str], known: Any) -> None:
    """Refuse names that do not exist.

    Args:
        known: The names that do, or a dataclass with such fields.

    Raises:
        UsageError: There is one; the message says which are right.
    """
    names = [each.name for each in fields(known)] if is_dataclass(known) else list(known)
    for name in given:
        if name not in names:
            raise UsageError(unknown_name(what, name, names))


def unknown_name(what: str, name: str, names: Iterable[str]) -> str:
    """Return a line that says that a name does not exist, and which do."""
    close = get_close_matches(name, [*names], 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{what}: there is no {name!r}; {hint}there are: {', '.join(names) or 'none'}"


def require(value: object, kinds: type | tuple[type, ...], what: str) -> None:
    """Refuse what comes from outside and is of another kind than its annotation says.

    Raises:
        UsageError: It is; `what` says what was expected.
    """
    if not isinstance(value, kinds):
        raise UsageError(f"{what}, not {value!r:.80}")


def check_values(holder: Any) -> None:
    """Refuse values of a wrong type or out of range.

    Raises:
        WrongValue: There is one.
    """
    hints: Mapping[str, Any] = _hints(holder.__class__)
    for each in fields(holder):
        value = getattr(holder, each.name)
        if not _fits(value, hints[each.name]):
            raise WrongValue(each.name, f"is {_in_words(hints[each.name])}, not {value!r}")
        described = each.metadata.get("option")
        if described is not None and value is not None:
            _check_option(each.name, value, described)


def to_json(value: Any) -> Any:
    """Return a value as JSON has it: tuples as lists."""
    return [to_json(each) for each in _items(value)] if isinstance(value, tuple) else value


def to_value(holder: type, name: str, value: Any) -> Any:
    """Return a value of JSON as a field has it: lists as tuples, all else as it comes."""
    is_tuple = get_origin(_hints(holder)[name]) is tuple
    return tuple(_items(value)) if is_tuple and isinstance(value, list) else value


def _items(value: Any) -> list[Any]:
    return list(value)


def json_schema_of(holder: type) -> dict[str, Any]:
    """Return the JSON schema of a task or of the options of a method."""
    hints = _hints(holder)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for each in fields(holder):
        described: Option | None = each.metadata.get("option")
        schema = _schema_of(hints[each.name])
        if described is not None:
            schema["description"] = described.help
            bounds = {"minimum": described.minimum, "maximum": described.maximum}
            schema |= {name: bound for name, bound in bounds.items() if bound is not None}
            if described.choices:
                schema |= {"enum": [*described.choices, *([None] if each.default is None else [])]}
        if each.default is MISSING:
            required.append(each.name)
        else:
            schema["default"] = to_json(each.default)
        properties[each.name] = schema
    summary = (holder.__doc__ or "").partition("\n")[0]
    return {
        "type": "object",
        "description": summary,
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


@cache
def _hints(holder: Any) -> Mapping[str, Any]:
    return get_type_hints(holder)


def _check_option(name: str, value: Any, described: Option) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise WrongValue(name, f"is a number, not {value}")
    low, high = described.minimum, described.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"{low:,} to {high:,}" if low is not None and high is not None else ""
        bounds = bounds or (f"{low:,} or more" if low is not None else f"{high:,} or less")
        raise WrongValue(name, f"is {bounds}, not {value:,}")
    if described.choices and value not in described.choices:
        raise WrongValue(name, f"is one of {', '.join(described.choices)}, not {value!r}")


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fits(value: Any, hint: Any) -> bool:
    return any(_is_of(value, each) for each in _alternatives(hint))


def _is_of(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    if origin is tuple:
        return isinstance(value, tuple)
    if isinstance(value, bool):  # which Python takes for a number
        return kind is bool
    if kind is float:
        return isinstance(value, int | float)
    return isinstance(value, kind)


def _in_words(hint: Any) -> str:
    words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    said: list[str] = []
    for kind in _alternatives(hint):
        if get_origin(kind) is Literal:
            said.append(f"one of {', '.join(map(repr, get_args(kind)))}")
        elif kind is not type(None):
            said.append(words.get(kind, "a list"))
    return " or ".join(said)


def _schema_of(hint: Any) -> dict[str, Any]:
    kinds = [each for each in _alternatives(hint) if each is not Path]
    schemas = [_schema_of_kind(each) for each in kinds]
    return dict(schemas[0]) if len(schemas) == 1 else {"anyOf": schemas}


def _schema_of_kind(kind: Any) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        is_open = len(arguments) == 2 and arguments[1] is Ellipsis
        if is_open:
            return {"type": "array", "items": _schema_of(arguments[0])}
        items = [_schema_of(each) for each in arguments]
        length = {"minItems": len(items), "maxItems": len(items)}
        return {"type": "array", "prefixItems": items, **length}
    names = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return {"type": names.get(kind, "object")}
