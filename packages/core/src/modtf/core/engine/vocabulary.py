"""The op vocabulary: what an op is, and the registry that holds them all.

An op's schema, shape rule, kernel and gradient stand together in its family's file in `ops/`:

    @op("Tanh[T: floating|complex](x: T) -> (y: T)", shape=unchanged)
    def tanh(xp, x):
        return xp.tanh(x)

    @tanh.gradient
    def _(call, dy):
        return raw.TanhGrad(call.outputs[0], dy)
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from modtf.core.engine.schemas import Schema
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import NotFoundError

if TYPE_CHECKING:
    from modtf.core.backends.contract import Backend

Kernel = Callable[..., Any]

_AXIS = {"axis": "reduction_indices"}
PYTHON_NAMES: dict[str, dict[str, str]] = {
    **dict.fromkeys(("All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"), _AXIS),
    "ExpandDims": {"axis": "dim"},
    "Select": {"x": "t", "y": "e"},
    "Split": {"axis": "split_dim"},
    "SplitV": {"axis": "split_dim"},
    "Squeeze": {"axis": "squeeze_dims"},
    "Where": {"condition": "input"},
}
"""Arguments that `tf.raw_ops` calls by other names than TensorFlow's registry and files do: by op, the registry's names."""


class Op:
    """An op of the vocabulary. Calling it runs it by `execute`, with inputs and attributes by name or position.

    Attributes:
        name: TensorFlow's name of it.
        shape_rule: From the input tensors and the attributes to the output shape(s).
        kernel: The computation; its first parameter is `xp`, an Array API namespace, or `backend` if it needs more. A
            string names a function of `xp` which is the whole kernel.
        gradient_rule: From the call and the outputs' gradients to the inputs' gradients; `None` where there is none.
        host_inputs: Inputs whose values decide shapes or axes; they are given to the kernel as NumPy arrays.
        host_outputs: The results are NumPy arrays on every backend (shapes, sizes).
        host_only: The kernel computes on NumPy arrays on every backend (strings, files).
        stateful: It reads or writes state, so it is neither folded nor merged with another.
        prunable: Though stateful, it may be left out if nobody takes its output (reads, random numbers).
        volatile: What it gives may change though its inputs do not (files), so it is computed anew in each run.
        fills_gradients: Its gradient rule is given zeros, rather than `None`, for outputs that nothing flows into.
        quiet: Overflow, division by zero and NaN are ordinary results of it, about which NumPy shall not warn.
        extra: The extra of modtf-core whose library the kernel needs, if any; users read it in the table of ops.
        memory: Makes what the kernel remembers from call to call, which is given to it as `memory`: one for each node of
            a compiled graph, and one for all eager calls with the same attributes and dtypes.
        python_names: The registry's names of arguments that may be given by another name; see `PYTHON_NAMES`.
    """

    def __init__(
        self,
        schema: str,
        *,
        kernel: Kernel | str | None,
        shape: Callable[..., Any],
        host_inputs: Iterable[str] = (),
        host_outputs: bool = False,
        host_only: bool = False,
        stateful: bool = False,
        prunable: bool = False,
        volatile: bool = False,
        quiet: bool = False,
        fills_gradients: bool = True,
        extra: str | None = None,
        memory: Callable[[], Any] | None = None,
    ) -> None:
        self.text = schema
        self.name: str = re.match(r"\w*", schema)[0]  # type: ignore[index]
        self.kernel = kernel
        self.shape_rule = shape
        self.gradient_rule: Callable[..., Any] | None = None
        self.has_gradient_rule = False
        self.host_inputs = frozenset(host_inputs)
        self.host_outputs = host_outputs
        self.host_only = host_only
        self.stateful = stateful
        self.prunable = prunable or not stateful
        self.volatile = volatile
        self.fills_gradients = fills_gradients
        self.quiet = quiet
        self.extra = extra
        self.memory = memory
        self.python_names = PYTHON_NAMES.get(self.name)
        self.bound: dict[Any, Any] = {}
        self.known_attrs: dict[Any, tuple[Any, ...]] = {}

    @functools.cached_property
    def schema(self) -> Schema:
        """Its inputs, attributes and outputs; parsed when first asked for, since a program uses few of all ops."""
        schema = Schema(self.text)
        unknown = self.host_inputs - set(schema.input_names)
        if unknown:
            raise ValueError(f"{self.name} has no inputs {sorted(unknown)}.")
        return schema

    @functools.cached_property
    def cacheable(self) -> bool:
        """Whether bindings and attributes are worth keeping: not where an attribute is a tensor or a function."""
        return not any(attr.kind in ("tensor", "func") for attr in self.schema.attrs)

    def __repr__(self) -> str:
        return f"<op {self.text}>"

    def __call__(self, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        from modtf.core.engine.execution import call_op

        return call_op(self, args, kwargs, name)

    def gradient(self, rule: Callable[..., Any] | None) -> Callable[..., Any] | None:
        """Registers the gradient rule; usable as a decorator. `None` says that no gradient flows through the op."""
        if self.has_gradient_rule:
            raise ValueError(f"{self.name} has a gradient rule already.")
        self.gradient_rule = rule
        self.has_gradient_rule = True
        return rule

    def with_gradient(self, rule: Callable[..., Any], fills_gradients: bool = True) -> Op:
        """Returns an op that is like this one but for its gradient rule; it is not in the registry."""
        made = copy.copy(self)
        made.gradient_rule, made.has_gradient_rule, made.fills_gradients = rule, True, fills_gradients
        return made

    def native_kernel(self, backend: Backend, attrs: Sequence[Any], override: bool = True) -> Kernel:
        """Returns the kernel with namespace and attributes bound: a function of arrays only.

        Args:
            backend: Where it shall compute.
            attrs: The attributes in the schema's order.
            override: Whether a kernel that the backend brings itself goes before the op's own.
        """
        kernel = (backend.kernels.get(self.name) if override else None) or self.kernel
        if kernel is None:
            raise NotImplementedError(f"{self.name} has no kernel.")
        if isinstance(kernel, str):
            return getattr(backend.xp, kernel, None) or _lacking(backend, kernel)
        keywords = dict(zip(self.schema.attr_index, attrs, strict=True))
        if self.memory is not None:
            keywords["memory"] = self.memory()
        first = backend if _wants_backend(kernel) else backend.xp
        bound = functools.partial(kernel, first, **keywords)
        if self.schema.is_flat:
            return bound
        group = self.schema.group
        return lambda *arrays: bound(*group(arrays, attrs))


def _lacking(backend: Backend, function: str) -> Kernel:
    def kernel(*arrays: Any) -> Any:
        raise NotImplementedError(f"The namespace of the backend {backend.name!r} has no function {function!r}.")

    return kernel


@functools.cache
def _wants_backend(kernel: Kernel) -> bool:
    return next(iter(inspect.signature(kernel).parameters), None) == "backend"


class Call:
    """One use of an op: what tapes note, what gradient rules are given, and what graph nodes are.

    Attributes:
        op: The op.
        inputs: The input tensors, lists spread out.
        attrs: The attributes in the schema's order.
        outputs: The output tensors, lists spread out.
    """

    __slots__ = ("attrs", "inputs", "op", "outputs")

    def __init__(self, op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...], outputs: Sequence[Any]) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.outputs = outputs

    def __getitem__(self, name: str) -> Any:
        """The value of an attribute."""
        return self.attrs[self.op.schema.attr_index[name]]


REGISTRY: dict[str, Op] = {}


def op(schema: str, *, shape: Callable[..., Any], **traits: Any) -> Callable[[Kernel], Op]:
    """Returns a decorator that makes the kernel below it an op of the vocabulary.

    Args:
        schema: The one-line schema; see `schemas`.
        shape: The shape rule.
        **traits: What else `Op` takes.
    """
    return lambda kernel: register(Op(schema, kernel=kernel, shape=shape, **traits))


def register(op: Op) -> Op:
    """Adds an op to the vocabulary.

    Raises:
        ValueError: There is one of that name already.
    """
    if op.name in REGISTRY:
        raise ValueError(f"There is an op {op.name!r} already: {REGISTRY[op.name].text}")
    REGISTRY[op.name] = op
    return op


def get_op(name: str) -> Op:
    """Returns the op of that name; families that wait are loaded, and then plugins asked, if it is not known yet.

    Raises:
        NotFoundError: No such op is known.
    """
    found = REGISTRY.get(name)
    if found is None:
        from modtf.core.ops import load_all

        load_all()
        found = REGISTRY.get(name)
    if found is None:
        from modtf.core.engine.plugins import load_op_plugins

        load_op_plugins()
        found = REGISTRY.get(name)
    if found is None:
        raise NotFoundError(
            f"There is no op {name!r}. Core has {len(REGISTRY)} ops (tf.raw_ops); a plugin can add more through the "
            "entry-point group 'modtf.plugins'."
        )
    return found


def find_kernel_dtype(xp: Any, dtype: DType) -> Any:
    """Returns the namespace's own object for a dtype (the NumPy dtype if it has none by that name)."""
    return getattr(xp, dtype.name, dtype.np_dtype)
