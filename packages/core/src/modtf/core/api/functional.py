"""Functions applied along the first axis: `map_fn`, `scan`, `foldl`, `foldr`, `vectorized_map`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api.array import zeros
from modtf.core.api.control_flow import while_loop
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.tracing import spec_of, trace_specs
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensor_arrays import TensorArray
from modtf.core.values.tensors import Tensor

__all__ = ["foldl", "foldr", "map_fn", "scan", "vectorized_map"]


class _Elements:
    """What is applied to: a structure of tensors (or composite tensors), row by row along their first axes."""

    def __init__(self, elems: Any) -> None:
        self.structure = nest.map_structure(
            lambda leaf: leaf if isinstance(leaf, CompositeTensor) else convert_to_tensor(leaf), elems
        )
        self._leaves = nest.flatten(self.structure)
        if not self._leaves:
            raise ValueError("elems must contain at least one tensor.")
        for leaf in self._leaves:
            if isinstance(leaf, Tensor) and leaf.dims == ():
                raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars.")
        sizes = {size for size in map(_static_size, self._leaves) if size is not None}
        if len(sizes) > 1:
            raise ValueError(f"The elements of elems must all have the same first dimension; got {sorted(sizes)}.")
        self.static_count: int | None = next(iter(sizes), None)
        self._rows = [self._prepared(leaf) for leaf in self._leaves]

    def _prepared(self, leaf: Any) -> Callable[[Any], Any]:
        if isinstance(leaf, CompositeTensor):
            return lambda index: leaf[index]  # type: ignore[index]
        if contexts.executing_eagerly():
            rows = raw.Unpack(leaf, num=leaf.dims[0], axis=0)
            return lambda index: rows[int(index)]
        array = TensorArray(leaf.dtype, size=0, dynamic_size=True).unstack(leaf)
        return array.read

    @property
    def count(self) -> Any:
        """How many rows there are; an int32 tensor where that is not known while tracing."""
        if self.static_count is not None:
            return self.static_count
        first = self._leaves[0]
        if isinstance(first, CompositeTensor):
            return raw.Cast(first.nrows(), DstT="int32")  # type: ignore[attr-defined]
        return raw.Shape(first)[0]

    def row(self, index: Any) -> Any:
        """The structure of the rows number `index`."""
        return nest.pack_sequence_as(self.structure, [row(index) for row in self._rows])

    @property
    def row_specs(self) -> Any:
        return nest.map_structure(_row_spec, self.structure)


def _static_size(leaf: Any) -> int | None:
    dims = leaf.shape.dims
    return None if not dims else dims[0]


def _row_spec(leaf: Any) -> TypeSpec:
    if isinstance(leaf, CompositeTensor):
        spec = leaf.type_spec
        return spec.row_spec() if hasattr(spec, "row_spec") else spec_of(leaf[0])  # type: ignore[index]
    return TensorSpec(None if leaf.dims is None else leaf.dims[1:], leaf.dtype)


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Applies `fn` to each row of `elems` and stacks the results.

    Args:
        fn: From a row (in the structure of `elems`) to a tensor or a structure of tensors.
        elems: A tensor, composite tensor or structure of them, with the same first dimension.
        dtype: The older name of `fn_output_signature`.
        parallel_iterations: Without effect on the result.
        back_prop: Without effect: gradients are computed when they are asked for.
        swap_memory: Without effect.
        infer_shape: Whether all results have the same shape.
        name: A name for the node.
        fn_output_signature: The dtypes or specs of what `fn` gives, in its structure; by default those of `elems`.

    Returns:
        The results of `fn`, stacked along a new first axis; ragged, where the signature says so.

    Raises:
        TypeError: `fn` is not callable.
        ValueError: `elems` is empty or holds scalars, or `fn` gives another structure or dtype than the signature says.
    """
    if not callable(fn):
        raise TypeError(f"The 'fn' argument of tf.map_fn must be callable, but is {fn!r}.")
    signature = fn_output_signature if fn_output_signature is not None else dtype
    elements = _Elements(elems)
    specs = nest.map_structure(_as_spec, elements.structure if signature is None else signature)
    if contexts.executing_eagerly():
        return _map_eagerly(fn, elements, specs)
    arrays = [_Gatherer.of(spec, elements, infer_shape) for spec in nest.flatten(specs)]

    def step(index: Any, flat: Any) -> Any:
        result = _checked(fn(elements.row(index)), specs)
        return index + 1, [item.write(index, value) for item, value in zip(flat, nest.flatten(result), strict=True)]

    count = elements.count
    start = (convert_to_tensor(0), [item.start for item in arrays])
    _, written = while_loop(
        lambda index, flat: index < count, lambda index, flat: step(index, _rewrapped(arrays, flat)), start,
        parallel_iterations=parallel_iterations or 10, name=name,
    )  # fmt: skip
    results = [item.finish(value, elements.static_count) for item, value in zip(arrays, written, strict=True)]
    return nest.pack_sequence_as(specs, results)


def _as_spec(leaf: Any) -> TypeSpec:
    """The spec of one result: from a spec, a dtype, or a tensor whose rows it is like."""
    if isinstance(leaf, TypeSpec):
        return leaf
    if isinstance(leaf, CompositeTensor):
        return _row_spec(leaf)
    if isinstance(leaf, Tensor):
        return TensorSpec(None, leaf.dtype)
    return TensorSpec(None, leaf if isinstance(leaf, DType) else as_dtype(leaf))


def _checked(result: Any, specs: Any) -> Any:
    try:
        nest.assert_same_structure(specs, result)
    except ValueError as error:
        raise ValueError(
            f"fn gives another structure than fn_output_signature says.\nexpected: {specs}\ngot: {result}"
        ) from error
    values = []
    for spec, value in zip(nest.flatten(specs), nest.flatten(result), strict=True):
        if not isinstance(value, CompositeTensor):
            value = convert_to_tensor(value, dtype_hint=spec.dtype)
        if value.dtype is not spec.dtype:
            raise ValueError(
                f"fn gives {value.dtype.name} where {spec.dtype.name} is expected. Say what it gives by fn_output_signature."
            )
        values.append(value)
    return nest.pack_sequence_as(specs, values)


def _map_eagerly(fn: Callable[[Any], Any], elements: _Elements, specs: Any) -> Any:
    results = [nest.flatten(_checked(fn(elements.row(index)), specs)) for index in range(int(elements.count))]
    columns = list(zip(*results, strict=True)) if results else [()] * len(nest.flatten(specs))
    stacked = [_stack_rows(list(column), spec) for column, spec in zip(columns, nest.flatten(specs), strict=True)]
    return nest.pack_sequence_as(specs, stacked)


def _stack_rows(rows: list[Any], spec: TypeSpec) -> Any:
    if not isinstance(spec, TensorSpec):
        return spec.stack(rows)  # type: ignore[attr-defined]
    if rows:
        return raw.Pack(rows, axis=0)
    return zeros([0, *(dim or 0 for dim in spec.shape.dims or ())], spec.dtype)


class _Gatherer:
    """Where the results of one leaf go in a loop: a `TensorArray` of them, or of their encodings."""

    def __init__(self, spec: TypeSpec, start: TensorArray) -> None:
        self.spec = spec
        self.start = start
        self.element_shape = start.element_shape

    @classmethod
    def of(cls, spec: TypeSpec, elements: _Elements, infer_shape: bool) -> _Gatherer:
        count = elements.count
        if isinstance(spec, TensorSpec):
            return cls(
                spec, TensorArray(spec.dtype, size=count, infer_shape=infer_shape, element_shape=spec.shape)
            )  # fmt: skip
        return cls(spec, TensorArray("variant", size=count, element_shape=()))

    def over(self, array: TensorArray) -> _Written:
        return _Written(self, array)

    def finish(self, array: TensorArray, count: int | None) -> Any:
        """All results as one value."""
        if not isinstance(self.spec, TensorSpec):
            return self.spec.from_variants(array.stack())  # type: ignore[attr-defined]
        result = TensorArray(array.dtype, flow=array.flow, element_shape=self.element_shape).stack()
        if result.dims is not None:
            result.set_shape([count, *result.dims[1:]])
        return result


class _Written:
    """A gatherer's array inside the loop."""

    def __init__(self, gatherer: _Gatherer, array: TensorArray) -> None:
        self._gatherer = gatherer
        self._array = array

    def write(self, index: Any, value: Any) -> TensorArray:
        spec = self._gatherer.spec
        if isinstance(spec, TensorSpec):
            written = self._array.write(index, value)
            self._gatherer.element_shape = written.element_shape
            return written
        return self._array.write(index, spec.to_variant(value))  # type: ignore[attr-defined]


def _rewrapped(gatherers: list[_Gatherer], arrays: list[TensorArray]) -> list[_Written]:
    return [item.over(array) for item, array in zip(gatherers, arrays, strict=True)]


def vectorized_map(fn: Callable[[Any], Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Applies `fn` to each row of `elems` and stacks the results, as `map_fn` does, of whatever dtypes `fn` gives.

    Rows are computed one after the other.

    Args:
        fn: From a row to a tensor or a structure of tensors.
        elems: A tensor or structure of tensors with the same first dimension (or 1).
        fallback_to_while_loop: Without effect: a loop is what it is.
        warn: Without effect.
    """
    tensors = nest.map_structure(convert_to_tensor, elems)
    sizes = {leaf.dims[0] for leaf in nest.flatten(tensors) if leaf.dims}
    if len(sizes) > 1 and sizes - {1}:  # rows of a single one go with all
        count = max(size for size in sizes if size is not None)
        tensors = nest.map_structure(lambda leaf: _repeated(leaf, count), tensors)
    elements = _Elements(tensors)
    specs = trace_specs(fn, elements.row_specs)
    return map_fn(fn, tensors, fn_output_signature=specs)


def _repeated(tensor: Tensor, count: int) -> Tensor:
    dims = tensor.dims
    if dims is None or dims[0] != 1:
        return tensor
    return raw.Tile(tensor, [count, *[1] * (len(dims) - 1)])


# ------------------------------------------------------------------------------------------------- folds and scans


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the rows of `elems` from the first to the last: `fn(fn(fn(initializer, row0), row1), row2)`.

    Args:
        fn: From what was combined so far and a row to their combination.
        elems: A tensor or structure of tensors with the same first dimension.
        initializer: What to begin with; by default the first row.
        parallel_iterations: Without effect on the result.
        back_prop: Without effect.
        swap_memory: Without effect.
        name: A name for the node.
    """
    return _fold(fn, elems, initializer, False, parallel_iterations, name)


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the rows of `elems` from the last to the first; arguments as for `foldl`."""
    return _fold(fn, elems, initializer, True, parallel_iterations, name)


def _order(elements: _Elements, skip: int, reverse: bool) -> tuple[Any, Callable[[Any], Any]]:
    """How many rows are left after the first `skip`, and from a step's number to its row's."""
    count = elements.count
    if reverse:
        return count - skip, lambda step: (count - 1 - skip) - step
    return count - skip, lambda step: step + skip


def _begin(elements: _Elements, initializer: Any, reverse: bool) -> tuple[Any, int]:
    if initializer is not None:
        return nest.map_structure(convert_to_tensor, initializer), 0
    if elements.static_count == 0:
        raise ValueError("Without an initializer, elems must have at least one row.")
    return elements.row(elements.count - 1 if reverse else convert_to_tensor(0)), 1


def _fold(fn: Any, elems: Any, initializer: Any, reverse: bool, parallel_iterations: int, name: str | None) -> Any:
    if not callable(fn):
        raise TypeError(f"The 'fn' argument must be callable, but is {fn!r}.")
    elements = _Elements(elems)
    start, skip = _begin(elements, initializer, reverse)
    count, row_of = _order(elements, skip, reverse)
    _, result = while_loop(
        lambda step, so_far: step < count,
        lambda step, so_far: (step + 1, fn(so_far, elements.row(row_of(step)))),
        (convert_to_tensor(0), start),
        parallel_iterations=parallel_iterations,
        name=name,
    )
    return result


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the rows of `elems` as `foldl` does, and gives every intermediate result.

    Args:
        fn: From what was combined so far and a row to their combination.
        elems: A tensor or structure of tensors with the same first dimension.
        initializer: What to begin with; by default the first row, which is then the first result.
        parallel_iterations: Without effect on the result.
        back_prop: Without effect.
        swap_memory: Without effect.
        infer_shape: Whether all results have the same shape.
        reverse: Whether to go from the last row to the first; the results stay in the order of the rows.
        name: A name for the node.

    Returns:
        The results in the structure of `initializer` (or of `elems`), stacked along a new first axis.
    """
    if not callable(fn):
        raise TypeError(f"The 'fn' argument must be callable, but is {fn!r}.")
    elements = _Elements(elems)
    start, skip = _begin(elements, initializer, reverse)
    total = elements.count
    count, row_of = _order(elements, skip, reverse)
    arrays = [
        TensorArray(leaf.dtype, size=total, infer_shape=infer_shape, element_shape=leaf.shape if infer_shape else None)
        for leaf in nest.flatten(start)
    ]
    if skip:
        place = total - 1 if reverse else 0
        arrays = [array.write(place, leaf) for array, leaf in zip(arrays, nest.flatten(start), strict=True)]

    def step(number: Any, so_far: Any, written: Any) -> Any:
        row = row_of(number)
        result = nest.pack_sequence_as(start, nest.flatten(fn(so_far, elements.row(row))))
        values = nest.flatten(nest.map_structure(convert_to_tensor, result))
        return number + 1, result, [array.write(row, value) for array, value in zip(written, values, strict=True)]

    _, _, written = while_loop(
        lambda number, so_far, written: number < count,
        step,
        (convert_to_tensor(0), start, arrays),
        parallel_iterations=parallel_iterations,
        name=name,
    )
    results = []
    for array in written:
        result = array.stack()
        if result.dims is not None and hasattr(result, "set_shape"):
            result.set_shape(TensorShape([elements.static_count, *result.dims[1:]]))
        results.append(result)
    return nest.pack_sequence_as(start, results)
