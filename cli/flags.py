"""Command lines made of tasks: each field that describes itself becomes a flag.

What a flag is called, how it is checked and explained, and its default stand with the field (see
`lcagent.fields`); here they become parameters of typer.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional, get_args

import typer

from lcagent.errors import UsageError, WrongValue
from lcagent.fields import Flag, flags_of
from lcagent.tasks import MethodOptions, Task


def parameters_of(
    kind: type[Task], methods: Sequence[type[MethodOptions]], metavars: Mapping[str, str]
) -> list[inspect.Parameter]:
    """Return a parameter for each flag of a task and of the options of its methods.

    Args:
        metavars: What stands for the values of some flags, where the fields cannot know it.
    """
    flags = {flag.name: flag for holder in (kind, *methods) for flag in _flags(holder)}
    return [_parameter(flag, metavars.get(flag.name)) for flag in flags.values()]


def task_of(
    kind: type[Task],
    methods: Sequence[type[MethodOptions]],
    typed: dict[str, Any],
    **positional: Any,
) -> Task:
    """Return the task that was typed; its flags are taken out of `typed`.

    Raises:
        UsageError: A value makes no sense.
    """
    written = {flag.name: flag for holder in (kind, *methods) for flag in _flags(holder)}
    try:
        options = [
            _options(each, {flag.name: typed.pop(flag.name) for flag in each.flags()})
            for each in methods
        ]
        given = {flag.name: _value(flag, typed.pop(flag.name)) for flag in _flags(kind)}
        return kind(**positional, **given, options=tuple(filter(None, options)))
    except WrongValue as error:
        if error.name not in written:
            raise
        raise UsageError(f"{_names(written[error.name])[-1]} {error.why}") from error


def with_signature(
    command: Callable[..., int], parameters: Sequence[inspect.Parameter]
) -> Callable[..., int]:
    """Give a command that takes `**typed` the parameters that typer is to offer."""
    own = [
        each
        for each in inspect.signature(command, eval_str=True).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    given = [each for each in own if each.default is inspect.Parameter.empty]
    more = [each for each in own if each.default is not inspect.Parameter.empty]
    in_order = [*given, *parameters, *more]
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature([each.replace(kind=keyword) for each in in_order])
    vars(command)["__signature__"] = signature  # where inspect, and so typer, looks first
    command.__annotations__ = {each.name: each.annotation for each in in_order}
    return command


def _flags(holder: type) -> Sequence[Flag]:
    return holder.flags() if issubclass(holder, MethodOptions) else flags_of(holder)


def _options(kind: type[MethodOptions], typed: Mapping[str, Any]) -> MethodOptions | None:
    """Return the options that were typed, or None where all have their defaults."""
    flags = {flag.name: flag for flag in kind.flags()}
    given = {name: _value(flags[name], value) for name, value in typed.items()}
    if all(value == flags[name].default for name, value in given.items()):
        return None
    return kind.from_flags(given)


def _value(flag: Flag, typed: Any) -> Any:
    """Return the value that was typed for a flag."""
    if _takes_away(flag):
        return not typed
    if typed is None:
        return flag.default
    if flag.option.parse is not None:
        return flag.option.parse(typed) if isinstance(typed, str) else typed
    return _contents(Path(typed), flag.name) if flag.option.is_file else typed


def _contents(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the {what} cannot be read: {error}") from error


def _takes_away(flag: Flag) -> bool:
    """Say whether giving the flag turns something off that is on by default."""
    return flag.kind is bool and flag.default is True


def _help(flag: Flag) -> str | None:
    """Return what a help text says; bounds are checked by the task, in the words of the library."""
    described = flag.option
    if _takes_away(flag):
        return described.off_help
    if described.minimum is None or described.maximum is None:
        return described.help
    return f"{described.help.rstrip('.')}, {described.minimum:,} to {described.maximum:,}."


def _names(flag: Flag) -> Sequence[str]:
    """Return what can be typed for a flag, its long name last."""
    return flag.option.flags or (f"--{flag.name.replace('_', '-')}",)


def _parameter(flag: Flag, metavar: str | None) -> inspect.Parameter:
    described, kind = flag.option, _typed_kind(flag)
    names = _names(flag)
    default = flag.default
    if _takes_away(flag):
        default = False
    elif bool in get_args(flag.kind):
        names = (f"{names[0]}/--no-{names[0].lstrip('-')}",)
    elif described.parse is not None:
        default = "-".join(map(str, default))
    option = typer.Option(
        *names,
        metavar=(metavar or described.metavar) if kind is not bool else None,
        help=_help(flag),
    )
    is_optional = type(None) in get_args(flag.kind)
    annotation: Any = Annotated[Optional[kind] if is_optional else kind, option]  # noqa: UP045 -- made here
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(flag.name, keyword, default=default, annotation=annotation)


def _typed_kind(flag: Flag) -> Any:
    """Return what typer is to make of what is typed."""
    if flag.option.parse is not None or flag.option.is_file:
        return str
    kinds = get_args(flag.kind) or (flag.kind,)
    return next(each for each in kinds if each is not type(None))
