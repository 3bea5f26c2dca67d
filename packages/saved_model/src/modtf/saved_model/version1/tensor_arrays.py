"""TensorArrays as lists of tensors.

A TensorArray has a handle and a *flow*, a number that ops hand on so that they run in order. A list is a value, so that
it takes the flow's place, and the handle says no more than what the elements are like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import SymbolicTensor

from ..attributes import decode_dtype, decode_shape
from ..errors import UnsupportedError
from ..protos.graph_pb2 import NodeDef
from .values import TensorArray

if TYPE_CHECKING:
    from .building import _Scope

Translation = Callable[["_Scope", NodeDef, Sequence[Any]], Sequence[Any]]

_UNKNOWN = tf.TensorShape(None)


class TensorArrays:
    """What is known of the elements of a graph's TensorArrays, beyond what their nodes say: the shapes of what is written."""

    def __init__(self) -> None:
        self._shapes: dict[str, tf.TensorShape] = {}
        self._written: dict[str, tf.TensorShape] = {}

    def shape(self, name: str) -> tf.TensorShape:
        """Returns what was learnt of the shape of the elements."""
        return self._shapes.get(name, _UNKNOWN)

    def note(self, array: TensorArray, shape: tf.TensorShape) -> None:
        """Notes the shape of something that is written."""
        if array.name in self._written:
            shape = self._written[array.name].most_specific_compatible_shape(shape)
        self._written[array.name] = shape

    def learn(self) -> bool:
        """Takes over what was noted; returns whether that was news of some array."""
        news = {
            name: shape for name, shape in self._written.items() if name not in self._shapes and shape.rank is not None
        }
        self._shapes.update(news)
        self._written = {}
        return bool(news)


def _sizes(shape: tf.TensorShape) -> np.ndarray:
    """A shape as ops on lists take it."""
    if shape.dims is None:
        return np.array(-1, np.int32)
    return np.array([-1 if size is None else size for size in shape.dims], np.int32)


def _array_and_flow(items: Sequence[Any]) -> tuple[TensorArray, SymbolicTensor]:
    array, flow = items[0], items[-1]
    if not isinstance(array, TensorArray) or not isinstance(flow, SymbolicTensor) or flow.dtype is not tf.variant:
        raise UnsupportedError("a TensorArray is used in a way that is not known.")
    return array, flow


def _tensor(scope: _Scope, item: Any) -> Any:
    if not isinstance(item, SymbolicTensor):
        raise UnsupportedError("a TensorArray is given what is no tensor.")
    return item


def _make(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    dtype = decode_dtype(proto.attr["dtype"].type)
    shape = decode_shape(proto.attr["element_shape"].shape) if "element_shape" in proto.attr else _UNKNOWN
    learnt = scope.arrays.shape(proto.name)
    if learnt.rank is not None and shape.is_compatible_with(learnt):
        shape = shape.merge_with(learnt)
    with scope.graph.as_default():
        flow = tf.raw_ops.TensorListReserve(
            element_shape=_sizes(shape), num_elements=_tensor(scope, items[0]), element_dtype=dtype
        )
    array = TensorArray(proto.name, dtype, shape)
    if shape.rank is None or None in (shape.dims or ()):
        return [_Open(array.name, dtype, shape), flow]
    return [array, flow]


class _Open(TensorArray):
    """One of whose elements' shape not all is known, so that what is written is looked at."""


def _note(scope: _Scope, array: TensorArray, dims: Any) -> None:
    if isinstance(array, _Open):
        scope.arrays.note(array, tf.TensorShape(dims))


def _write(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, flow = _array_and_flow(items)
    value = _tensor(scope, items[2])
    _note(scope, array, value.dims)
    with scope.graph.as_default():
        return [
            tf.raw_ops.TensorListSetItem(
                input_handle=flow, index=items[1], item=value, resize_if_index_out_of_bounds=True
            )
        ]


def _read(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, flow = _array_and_flow(items)
    with scope.graph.as_default():
        return [
            tf.raw_ops.TensorListGetItem(
                input_handle=flow, index=items[1], element_shape=_sizes(array.shape), element_dtype=array.dtype
            )
        ]


def _gather(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, flow = _array_and_flow(items)
    with scope.graph.as_default():
        if _counts_all(items[1]):
            return [
                tf.raw_ops.TensorListStack(
                    input_handle=flow, element_shape=_sizes(array.shape), element_dtype=array.dtype
                )
            ]
        return [
            tf.raw_ops.TensorListGather(
                input_handle=flow, indices=items[1], element_shape=_sizes(array.shape), element_dtype=array.dtype
            )
        ]


def _scatter(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, flow = _array_and_flow(items)
    value = _tensor(scope, items[2])
    _note(scope, array, None if value.dims is None else value.dims[1:])
    with scope.graph.as_default():
        return [tf.raw_ops.TensorListScatterIntoExistingList(input_handle=flow, tensor=value, indices=items[1])]


def _split(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, _ = _array_and_flow(items)
    value = _tensor(scope, items[1])
    with scope.graph.as_default():
        return [tf.raw_ops.TensorListSplit(tensor=value, element_shape=_sizes(array.shape), lengths=items[2])]


def _concat(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    array, flow = _array_and_flow(items)
    rest = array.shape[1:] if array.shape.rank else _UNKNOWN
    if "element_shape_except0" in proto.attr and rest.rank is None:
        rest = decode_shape(proto.attr["element_shape_except0"].shape)
    shape = _UNKNOWN if rest.rank is None else tf.TensorShape([None]).concatenate(rest)
    with scope.graph.as_default():
        return list(
            tf.raw_ops.TensorListConcatV2(
                input_handle=flow,
                element_shape=_sizes(shape),
                leading_dims=np.zeros(0, np.int64),
                element_dtype=array.dtype,
            )
        )


def _size(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    _, flow = _array_and_flow(items)
    with scope.graph.as_default():
        return [tf.raw_ops.TensorListLength(input_handle=flow)]


def _counts_all(indices: Any) -> bool:
    """Whether indices are 0, 1, ... up to the length of a list, as those are which `stack` takes."""
    if not isinstance(indices, SymbolicTensor) or indices.node.type != "Range":
        return False
    start, limit, delta = indices.node.inputs
    return _number(start) == 0 and _number(delta) == 1 and limit.node.type == "TensorListLength"


def _number(tensor: SymbolicTensor) -> int | None:
    return int(tensor.node.get_attr("value")) if tensor.node.type == "Const" and tensor.dims == () else None


def _refuse(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    raise UnsupportedError(
        f"the op {proto.op!r} is not read: gradients of loops that the file holds are not. Take gradients of what was loaded."
    )


TRANSLATIONS: dict[str, tuple[int, Translation]] = {
    "TensorArrayV3": (1, _make),
    "TensorArrayWriteV3": (4, _write),
    "TensorArrayReadV3": (3, _read),
    "TensorArrayGatherV3": (3, _gather),
    "TensorArrayScatterV3": (4, _scatter),
    "TensorArraySplitV3": (4, _split),
    "TensorArrayConcatV3": (2, _concat),
    "TensorArraySizeV3": (2, _size),
    "TensorArrayCloseV3": (1, lambda scope, proto, items: []),
    "TensorArrayGradV3": (2, _refuse),
}
"""For ops, how many inputs they have, and what takes their place."""
