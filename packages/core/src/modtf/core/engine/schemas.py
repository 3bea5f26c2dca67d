"""The one-line schemas of ops: what an op takes and gives, in a notation close to Python's.

    Name[T: bound, *Ts](x: T, many: N * T, mixed: Ts, *, attr: kind = default) -> (y: T, z: int32)

- In the brackets stand the dtype attributes that the inputs determine. A bound is dtype or dtype-set names joined by
  `|` (see `dtypes.SETS`); `= int32` after it is the attribute's default in files; `*Ts` is a list of any dtypes.
- An input or output is of a type variable, a dtype, `N * T` (a list of N tensors of one dtype) or a type list.
  `ref` inputs do not exist here: variables are resources.
- Keyword arguments are the attributes: `int`, `float`, `bool`, `string`, `type`, `shape`, `tensor`, `func` or
  `list(kind)` of one. `string(A|B)` and `type(bound)` say what is allowed. An output may be typed by an attribute.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import DtypeMismatchError, InvalidArgumentError
from modtf.core.values.shapes import TensorShape

_REQUIRED: Any = object()


class TypeVar(NamedTuple):
    """A dtype attribute that the inputs determine."""

    name: str
    allowed: frozenset[DType]
    is_list: bool
    default: DType | None


class Arg(NamedTuple):
    """An input or an output."""

    name: str
    type: str | DType
    """A dtype, or the name of a type variable, type list or dtype attribute."""
    number: str | None
    """For a list of tensors of one dtype, the attribute that counts them."""


class Attr(NamedTuple):
    """An attribute that the caller gives."""

    name: str
    kind: str
    is_list: bool
    default: Any
    allowed: frozenset[Any] | None

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED


class Schema:
    """A parsed schema.

    Attributes:
        name: The op's name.
        type_vars: Dtype attributes that the inputs determine, by name.
        inputs: The inputs in order.
        attrs: The attributes that the caller gives, in order.
        outputs: The outputs in order.
        is_flat: Whether no input is a list, so that tensors and inputs are the same sequence.
    """

    def __init__(self, text: str) -> None:
        match = _SCHEMA.fullmatch(" ".join(text.split()))
        if match is None:
            raise ValueError(
                f"Not a schema: {text!r}. Expected 'Name[T: bound](x: T, *, attr: kind = value) -> (y: T)'."
            )
        self.text = text
        self.name: str = match["name"]
        self.type_vars = {var.name: var for var in map(_parse_type_var, _split(match["vars"] or "", ","))}
        arguments = _split(match["inputs"], ",")
        star = arguments.index("*") if "*" in arguments else len(arguments)
        self.inputs = tuple(_parse_arg(text) for text in arguments[:star])
        self.attrs = tuple(_parse_attr(text) for text in arguments[star + 1 :])
        self.outputs = tuple(_parse_arg(text) for text in _split(match["outputs"], ","))
        self.attr_index = {attr.name: index for index, attr in enumerate(self.attrs)}
        self.is_flat = not any(self.is_variadic(arg) for arg in self.inputs)
        self.input_names = tuple(arg.name for arg in self.inputs)

    def __repr__(self) -> str:
        return f"Schema({self.text!r})"

    def is_variadic(self, arg: Arg) -> bool:
        """Whether an input or output is a list of tensors."""
        return arg.number is not None or self.is_type_list(arg.type)

    def is_type_list(self, name: str | DType) -> bool:
        """Whether a name is that of a list of dtypes."""
        if isinstance(name, DType):
            return False
        if name in self.type_vars:
            return self.type_vars[name].is_list
        return self.attrs[self.attr_index[name]].is_list

    def canonical_attrs(self, given: dict[str, Any]) -> tuple[Any, ...]:
        """Returns the attributes in order, converted to their kinds, defaults filled in.

        Raises:
            TypeError: A name is unknown, a required attribute is missing or a value is of another kind.
        """
        unknown = given.keys() - self.attr_index.keys()
        if unknown:
            raise TypeError(
                f"{self.name} got an unexpected argument {sorted(unknown)[0]!r}. "
                f"Its inputs are {list(self.input_names)} and its attributes {list(self.attr_index)}."
            )
        values = []
        for attr in self.attrs:
            value = given.get(attr.name, attr.default)
            if value is _REQUIRED:
                raise TypeError(f"{self.name} needs the argument {attr.name!r} ({attr.kind}).")
            values.append(self._canonical(attr, value))
        return tuple(values)

    def _canonical(self, attr: Attr, value: Any) -> Any:
        convert = _CANONICAL[attr.kind]
        try:
            if attr.is_list:
                result: Any = None if value is None else tuple(convert(item) for item in value)
            else:
                result = convert(value)
        except (TypeError, ValueError) as error:
            kind = f"list({attr.kind})" if attr.is_list else attr.kind
            raise TypeError(f"{self.name}: {attr.name} must be of kind {kind}, not {value!r}. {error}") from None
        if attr.allowed is not None and not attr.is_list and result not in attr.allowed:
            allowed = ", ".join(sorted(getattr(item, "name", None) or repr(item) for item in attr.allowed))
            raise InvalidArgumentError(f"{self.name}: {attr.name} must be one of {allowed}, not {value!r}.")
        return result

    def lengths(self, count: int, attrs: Sequence[Any]) -> tuple[int, ...]:
        """How many of `count` tensors each input takes."""
        if self.is_flat:
            if count != len(self.inputs):
                self._wrong_count(count)
            return (1,) * len(self.inputs)
        given: list[int | None] = [None if self.is_variadic(arg) else 1 for arg in self.inputs]
        for index, arg in enumerate(self.inputs):
            if given[index] is None and arg.type in self.attr_index:
                given[index] = len(attrs[self.attr_index[str(arg.type)]])
            elif given[index] is None and arg.number in self.attr_index:
                given[index] = attrs[self.attr_index[str(arg.number)]]
        open_ = [index for index, length in enumerate(given) if length is None]
        rest = count - sum(length for length in given if length is not None)
        if open_:
            each, odd = divmod(rest, len(open_))
            if rest < 0 or odd:
                self._wrong_count(count)
            for index in open_:
                given[index] = each
        elif rest:
            self._wrong_count(count)
        return tuple(length for length in given if length is not None)

    def _wrong_count(self, count: int) -> None:
        raise InvalidArgumentError(f"{self.name} takes the inputs {list(self.input_names)}; got {count} tensors.")

    def group(self, tensors: Sequence[Any], attrs: Sequence[Any]) -> list[Any]:
        """Returns the tensors by input: one each, or a list where the input is a list."""
        if self.is_flat:
            return list(tensors)
        grouped: list[Any] = []
        start = 0
        for arg, length in zip(self.inputs, self.lengths(len(tensors), attrs), strict=True):
            chunk = list(tensors[start : start + length])
            grouped.append(chunk if self.is_variadic(arg) else chunk[0])
            start += length
        return grouped

    def bindings(self, input_dtypes: Sequence[DType], attrs: Sequence[Any]) -> dict[str, Any]:
        """Returns what the inputs determine: dtype attributes, type lists and list lengths, by name.

        Raises:
            DtypeMismatchError: The dtypes contradict the schema or each other.
        """
        bound: dict[str, Any] = {}
        position = 0
        for arg, length in zip(self.inputs, self.lengths(len(input_dtypes), attrs), strict=True):
            given = input_dtypes[position : position + length]
            if arg.number is not None and arg.number not in self.attr_index:
                bound[arg.number] = length
            if self.is_type_list(arg.type):
                if arg.type in self.type_vars:
                    bound[arg.type] = tuple(given)  # type: ignore[index]
            else:
                for offset, dtype in enumerate(given):
                    self._bind_one(bound, arg, position + offset, dtype, attrs)
            position += length
        for var in self.type_vars.values():
            if var.name not in bound:
                bound[var.name] = () if var.is_list else var.default
        return bound

    def _bind_one(self, bound: dict[str, Any], arg: Arg, position: int, dtype: DType, attrs: Sequence[Any]) -> None:
        if isinstance(arg.type, DType):
            expected: DType | None = arg.type
        elif arg.type in self.attr_index:
            expected = attrs[self.attr_index[arg.type]]
        else:
            expected = bound.get(arg.type)
            if expected is None:
                allowed = self.type_vars[arg.type].allowed
                if dtype not in allowed:
                    names = ", ".join(sorted(item.name for item in allowed))
                    raise DtypeMismatchError(
                        f"{self.name}: input {arg.name!r} is a {dtype.name} tensor, but must be one of: {names}. "
                        "Convert it with tf.cast."
                    )
                bound[arg.type] = dtype
                return
        if dtype is not expected:
            assert expected is not None
            raise DtypeMismatchError(
                f"cannot compute {self.name} as input #{position}(zero-based) was expected to be a {expected.name} "
                f"tensor but is a {dtype.name} tensor. Nothing is promoted silently: convert {arg.name!r} with tf.cast."
            )

    def output_dtypes(self, bound: dict[str, Any], attrs: Sequence[Any]) -> tuple[DType, ...]:
        """Returns the dtype of each output tensor, lists spread out."""
        result: list[DType] = []
        for arg in self.outputs:
            dtype = arg.type if isinstance(arg.type, DType) else self._value(arg.type, bound, attrs)
            if isinstance(dtype, tuple):
                result.extend(dtype)
            else:
                result.extend([dtype] * (1 if arg.number is None else self._value(arg.number, bound, attrs)))
        return tuple(result)

    def _value(self, name: str, bound: dict[str, Any], attrs: Sequence[Any]) -> Any:
        return attrs[self.attr_index[name]] if name in self.attr_index else bound[name]

    def group_outputs(self, tensors: Sequence[Any], bound: dict[str, Any], attrs: Sequence[Any]) -> list[Any]:
        """Returns the output tensors by output: one each, or a list where the output is a list."""
        grouped: list[Any] = []
        start = 0
        for arg in self.outputs:
            if not self.is_variadic(arg):
                grouped.append(tensors[start])
                start += 1
                continue
            length = (
                self._value(arg.number, bound, attrs)
                if arg.number is not None
                else len(self._value(str(arg.type), bound, attrs))
            )
            grouped.append(list(tensors[start : start + length]))
            start += length
        return grouped


_SCHEMA = re.compile(
    r"(?P<name>\w+)(\[(?P<vars>.*?)\])?\((?P<inputs>.*)\) ?-> ?\((?P<outputs>[^()]*(\([^()]*\)[^()]*)*)\)"
)


def _split(text: str, separator: str) -> list[str]:
    """Splits at the separators that stand outside all brackets and quotes."""
    parts, depth, quoted, current = [], 0, False, ""
    for char in text:
        if char in "\"'":
            quoted = not quoted
        depth += (char in "([") - (char in ")]")
        if char == separator and depth == 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()] if current.strip() else parts


def _parse_bound(text: str) -> frozenset[DType]:
    return frozenset().union(*(dtypes.SETS[name.strip()] for name in text.split("|")))


def _parse_type_var(text: str) -> TypeVar:
    declared, _, default = (part.strip() for part in text.partition("="))
    name, _, bound = (part.strip() for part in declared.partition(":"))
    allowed = _parse_bound(bound) if bound else dtypes.SETS["any"]
    return TypeVar(name.lstrip("*"), allowed, name.startswith("*"), dtypes.as_dtype(default) if default else None)


def _parse_arg(text: str) -> Arg:
    name, _, type_ = (part.strip() for part in text.partition(":"))
    number, star, of = (part.strip() for part in type_.partition("*"))
    if not star:
        number, of = "", type_
    known = dtypes._BY_NAME.get(of)
    return Arg(name, known or of, number or None)


def _parse_attr(text: str) -> Attr:
    declared, has_default, default = (part.strip() for part in text.partition("="))
    name, _, kind = (part.strip() for part in declared.partition(":"))
    is_list = kind.startswith("list(")
    if is_list:
        kind = kind[5:-1]
    kind, has_allowed, allowed_text = kind.partition("(")
    allowed: frozenset[Any] | None = None
    if has_allowed:
        names = allowed_text[:-1]
        allowed = _parse_bound(names) if kind == "type" else frozenset(part.strip() for part in names.split("|"))
    if kind not in _CANONICAL:
        raise ValueError(f"Unknown attribute kind {kind!r} in {text!r}; expected one of {sorted(_CANONICAL)}.")
    value = _REQUIRED
    if has_default:
        value = dtypes.as_dtype(default) if kind == "type" and not is_list else ast.literal_eval(default)
    return Attr(name, kind, is_list, value, allowed)


def _canonical_string(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise TypeError("Expected a string.")
    return value


def _canonical_bool(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError("Expected True or False.")
    return bool(value)


def _canonical_int(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError("Expected an integer.")
    return int(value.__index__())


_CANONICAL: dict[str, Callable[[Any], Any]] = {
    "int": _canonical_int,
    "float": lambda value: float(np.float32(value)),  # what a file can hold, and TensorFlow's kernels compute with
    "bool": _canonical_bool,
    "string": _canonical_string,
    "type": dtypes.as_dtype,
    "shape": TensorShape,
    "tensor": lambda value: value,
    "func": lambda value: value,
}
