"""Calls of an op like those of the conformance cases: of other sizes and dtypes, with odd values and attributes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core import as_dtype
from modtf.core.conformance.cases import CASES_IN, CASES_OF
from modtf.core.conformance.examples import Case, Given, Some, uniform
from modtf.core.contracts import get_op

ELEMENTWISE = {case.op for case in CASES_IN["elementwise"]}


class Call(NamedTuple):
    """A call of an op.

    Attributes:
        op: The op's name.
        inputs: Arrays, or lists of them, by the registry's names.
        attrs: The attributes that are given; dtypes by their names.
        tolerance: How many times the dtype's ordinary tolerance the values may differ.
        outputs: How many of the first outputs are looked at.
        tame: Whether all values are ordinary ones, for which gradients can be compared.
    """

    op: str
    inputs: dict[str, Any]
    attrs: dict[str, Any]
    tolerance: float
    outputs: int | None
    tame: bool

    def __repr__(self) -> str:
        def told(array: Any) -> str:
            if isinstance(array, list):
                return f"[{', '.join(map(told, array))}]"
            return f"np.array({array.tolist()}, {as_dtype(array.dtype).name!r}).reshape({list(array.shape)})"

        given = [f"{name}={told(array)}" for name, array in self.inputs.items()]
        return f"{self.op}({', '.join([*given, *(f'{name}={value!r}' for name, value in self.attrs.items())])})"

    @property
    def arrays(self) -> list[np.ndarray]:
        """The input arrays, lists spread out."""
        return [array for given in self.inputs.values() for array in (given if isinstance(given, list) else [given])]


class _Input(NamedTuple):
    """An input of a case, with which its sizes are known and its values can be made anew."""

    name: str
    source: Any
    array: np.ndarray

    @property
    def varied(self) -> bool:
        return isinstance(self.source, Some)

    @property
    def counts(self) -> bool:
        """Whether it holds what decides about shapes and places: indices, axes, sizes."""
        return not self.varied and self.array.dtype.kind in "iu" and self.array.dtype.names is None


class Draws:
    """Choices that are the same ones on every machine and with every version of Python and of the libraries."""

    def __init__(self, seed: str) -> None:
        self._stream = zlib.crc32(seed.encode())
        self._numbers: list[float] = []

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        if not self._numbers:
            self._numbers = uniform(64, self._stream).tolist()
            self._stream += 1 << 32
        return int(self._numbers.pop() * count)

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`."""
        return low + self.below(high - low + 1)

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """Whether something happens that does so this often."""
        return self.below(100) < percent


def a_call(op: str, seed: str) -> Call:
    """A call of an op: one of its cases changed in some ways, or in none."""
    draw = Draws(f"{op} {seed}")
    case: Case = draw.one_of(CASES_OF[op])
    dtype = draw.one_of(case.dtypes)
    schema = get_op(op).schema
    stream = draw.between(0, 999)
    inputs, lists = _inputs_of(case, dtype)
    attrs = {name: dtype if value == "T" else value for name, value in case.attrs.items()}

    retyped: dict[str, str] = {}
    if draw.chance(40):
        retyped = _dtypes(draw, op, inputs)
        for name, value in case.attrs.items():
            if value == "T":  # follows the inputs that had the case's dtype
                attrs[name] = next((retyped[str(arg.type)] for arg in schema.inputs if str(arg.type) in retyped), dtype)
    renamed: dict[int, int] = {}
    if draw.chance(45):
        sizes = sorted({size for item in inputs for size in item.array.shape})
        for _ in range(draw.between(0, 2) if sizes else 0):
            renamed[draw.one_of(sizes)] = draw.one_of((1, 2, 3, 4, 5, 7, 0))
    fixed_too, values_too, attrs_too = (bool(renamed) and draw.chance(50) for _ in range(3))

    types = {arg.name: retyped.get(str(arg.type)) for arg in schema.inputs}
    made: list[_Input] = []
    for position, item in enumerate(inputs):
        shape = tuple(renamed.get(size, size) for size in item.array.shape)
        wanted = types[item.name] or as_dtype(item.array.dtype).name
        array = _remade(item, shape if item.varied or fixed_too else item.array.shape, wanted, stream + position)
        if values_too and item.counts:
            array = (
                np.array([renamed.get(v, v) for v in array.ravel().tolist()]).astype(array.dtype).reshape(array.shape)
            )
        made.append(item._replace(array=array))
    if attrs_too:
        attrs = {name: _renamed(value, renamed) for name, value in attrs.items()}

    made = _reshaped(draw, made)
    made = [_bounded(item) for item in _miscounted(draw, made)]
    tame = True
    if draw.chance(30 if op in ELEMENTWISE else 10):
        made, tame = _sprinkled(draw, made, op in ELEMENTWISE, stream)
    _change_attrs(draw, schema, attrs)

    given: dict[str, Any] = {name: [] for name in lists}
    for item in made:
        if item.name in lists:
            given[item.name].append(item.array)
        else:
            given[item.name] = item.array
    return Call(op, given, attrs, max(case.tolerance, 1.0), case.outputs, tame)


def _inputs_of(case: Case, dtype: str) -> tuple[list[_Input], set[str]]:
    found, lists = [], set()
    for name, given in zip(get_op(case.op).schema.input_names, case.inputs, strict=True):
        if isinstance(given, list):
            lists.add(name)
        for item in given if isinstance(given, list) else [given]:
            made = item.array(dtype, len(found)) if isinstance(item, Some | Given) else item
            found.append(_Input(name, item, made))
    return found, lists


def _dtypes(draw: Draws, op: str, inputs: list[_Input]) -> dict[str, str]:
    """Another dtype, which the schema allows, for some of the type variables."""
    schema = get_op(op).schema
    drawn = {}
    for var in schema.type_vars.values():
        current = [
            item.array.dtype for item in inputs for arg in schema.inputs if arg == (item.name, var.name, arg.number)
        ]
        if var.is_list or not current or any(as_dtype(dtype).name == "string" for dtype in current):
            continue
        names = sorted(
            dtype.name
            for dtype in var.allowed
            if dtype.kind not in ("resource", "variant", "quantized") and not dtype.name.startswith("float8")
        )
        if names:
            drawn[var.name] = draw.one_of(names)
    return drawn


def _remade(item: _Input, shape: tuple[int, ...], dtype: str, stream: int) -> np.ndarray:
    """The input with another shape and dtype, and if it is one of some values, other ones."""
    kind = as_dtype(dtype)
    if kind.kind == "string":
        if item.array.dtype == object:
            return _resized(item.array, shape)
        numbers = Some(*shape, low=0, high=9).array("int32", stream) if item.varied else _resized(item.array, shape)
        made = np.empty(numbers.size, object)
        made[:] = [str(number).encode() for number in numbers.ravel().tolist()]
        return made.reshape(shape)
    if item.varied:
        return np.asarray(Some(*shape, low=item.source.low, high=item.source.high).array(dtype, stream))
    array = _resized(item.array, shape)
    if kind.is_quantized or array.dtype == kind.np_dtype:
        return array
    with np.errstate(all="ignore"):
        return array.astype(kind.np_dtype)


def _resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The elements over and over again; sorted ones stay sorted."""
    if array.shape == shape:
        return array
    resized = np.resize(array, shape) if array.size else np.zeros(shape, array.dtype)
    if array.ndim == len(shape) == 1 and array.dtype.kind in "iu" and np.all(array[:-1] <= array[1:]):
        resized = np.sort(resized)
    return resized


def _renamed(value: Any, renamed: dict[int, int]) -> Any:
    if isinstance(value, list | tuple):
        return [_renamed(item, renamed) for item in value]
    return renamed.get(value, value) if type(value) is int else value


def _reshaped(draw: Draws, inputs: list[_Input]) -> list[_Input]:
    """Perhaps another size along an axis of one of the inputs, an axis more or less."""
    if not inputs or not draw.chance(22):
        return inputs
    place = draw.between(0, len(inputs) - 1)
    array = inputs[place].array
    way = draw.one_of(("one", "size", "axis less", "axis more"))
    shape = list(array.shape)
    if way == "axis more":
        shape.insert(0, draw.one_of((1, 2)))
    elif not shape:
        return inputs
    elif way == "axis less":
        del shape[0]
    else:
        shape[draw.between(0, len(shape) - 1)] = 1 if way == "one" else draw.between(0, 4)
    changed = list(inputs)
    changed[place] = inputs[place]._replace(array=_resized(array, tuple(shape)))
    return changed


def _miscounted(draw: Draws, inputs: list[_Input]) -> list[_Input]:
    """Perhaps another axis, index or size somewhere."""
    places = [place for place, item in enumerate(inputs) if item.counts and item.array.size]
    if not places or not draw.chance(25):
        return inputs
    place = draw.one_of(places)
    array = inputs[place].array.copy()
    index = draw.between(0, array.size - 1)
    if draw.chance(50):
        value = draw.between(-3, 9)
    else:
        value = int(array.flat[index]) + draw.one_of((1, -1, 2, -2, 5, -5))
    limits = np.iinfo(array.dtype)
    array.flat[index] = min(max(value, int(limits.min)), int(limits.max))
    changed = list(inputs)
    changed[place] = inputs[place]._replace(array=array)
    return changed


def _bounded(item: _Input) -> _Input:
    """The input, its values lower if as sizes they would take much memory."""
    if item.counts and item.array.ndim == 1 and item.array.size > 1:
        sizes = np.abs(item.array.astype(np.float64))
        if item.array.dtype.kind == "i" and np.prod(sizes) > 1e5:
            return item._replace(array=np.minimum(item.array, 5).astype(item.array.dtype))
    return item


def _sprinkled(draw: Draws, inputs: list[_Input], extremes: bool, stream: int) -> tuple[list[_Input], bool]:
    """Some of the values replaced by special ones; and whether all are ordinary still."""
    wild = draw.chance(50)
    changed = []
    for position, item in enumerate(inputs):
        array = item.array
        if item.counts or not array.size or array.dtype == object or array.dtype.names:
            changed.append(item)
            continue
        kind = as_dtype(array.dtype)
        special: list[Any] = [0, 1] if kind.is_unsigned or kind.is_bool else [0, 1, -1]
        if kind.is_floating or kind.is_complex:
            special.append(-0.0)
        if wild and (kind.is_floating or kind.is_complex):
            special += [np.inf, -np.inf, np.nan]
            if extremes and kind.is_floating:
                special += [kind.max, kind.min]
        elif wild and extremes and kind.is_integer:
            special += [kind.min, kind.max]
        which, places = uniform(2 * array.size, (stream << 8) + position).reshape(2, *array.shape)
        values = np.array([special[int(k)] for k in which.ravel() * len(special)])
        with np.errstate(all="ignore"):
            values = values.astype(array.dtype).reshape(array.shape)
        changed.append(item._replace(array=np.where(places < 0.5, values, array)))
    return changed, not wild


def _change_attrs(draw: Draws, schema: Any, attrs: dict[str, Any]) -> None:
    """Perhaps other values of the attributes."""
    if not schema.attrs or not draw.chance(35):
        return
    told_by_inputs = {arg.number for arg in schema.inputs}
    attrs_to_give = [attr for attr in schema.attrs if attr.name not in told_by_inputs]
    if not attrs_to_give:
        return
    attr = draw.one_of(attrs_to_give)
    if attr.name in attrs:
        value = attrs[attr.name]
    elif not attr.required:
        value = attr.default
    else:
        return
    if attr.kind == "int" and attr.is_list:
        values = list(value or ())
        if not values or draw.chance(15):
            values = values[:-1] if values and draw.chance(50) else [*values, draw.between(-1, 3)]
        else:
            values[draw.between(0, len(values) - 1)] = draw.between(-2, 4)
        attrs[attr.name] = values
    elif attr.is_list:
        return
    elif attr.kind == "bool":
        attrs[attr.name] = not value
    elif attr.kind == "int":
        attrs[attr.name] = draw.one_of((draw.between(-2, 5), value + 1, value - 1))
    elif attr.kind == "float":
        attrs[attr.name] = draw.one_of((0.0, 1.0, -1.0, 0.5, 2.0, value * 2))
    elif attr.kind == "string" and attr.allowed:
        attrs[attr.name] = draw.one_of(sorted(attr.allowed))
    elif attr.kind == "type":
        allowed = attr.allowed or as_dtype_all()
        names = sorted(dtype.name for dtype in allowed if dtype.kind not in ("resource", "variant", "quantized"))
        if names:
            attrs[attr.name] = draw.one_of(names)


def as_dtype_all() -> frozenset[Any]:
    """Every dtype of a number, bool or string."""
    names = (
        "float64 float32 float16 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128"
    )
    return frozenset(map(as_dtype, [*names.split(), "string"]))
