"""`Variable`: a tensor's worth of state, with assignment."""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import get_op
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.partial_updates import PartialUpdates
from modtf.core.values.resources import Handle, Resource
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import EagerTensor, Operators, Reference, SymbolicTensor, Tensor

__all__ = ["Variable", "VariableAggregation", "VariableSynchronization", "variable_creator_scope"]


class VariableSynchronization(enum.Enum):
    """When a distributed variable is synchronised; kept for code that names it."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How a distributed variable's updates are combined; kept for code that names it."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


Creator = Callable[..., Any]
_creators: ContextVar[tuple[Creator, ...]] = ContextVar("modtf_variable_creators", default=())


@contextlib.contextmanager
def variable_creator_scope(variable_creator: Creator) -> Iterator[None]:
    """`with tf.variable_creator_scope(creator):` has a function make the variables that are made inside.

    Args:
        variable_creator: A function `(next_creator, **kwargs)`, which is given the arguments of `tf.Variable` by name and
            returns what shall be the variable: as a rule, what `next_creator(**kwargs)` returns. That of the innermost scope
            is asked first, and its next creator is that of the scope around.
    """
    token = _creators.set((*_creators.get(), variable_creator))
    try:
        yield
    finally:
        _creators.reset(token)


class _AskingCreators(type):
    """Has the creators in whose scope `Variable(...)` is called make the variable. Subclasses are made as they are."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        creators = _creators.get()
        if not creators or cls is not Variable:
            return super().__call__(*args, **kwargs)
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        bound.apply_defaults()
        create: Creator = super().__call__
        for creator in creators:
            create = functools.partial(creator, create)
        return create(**{name: value for name, value in bound.arguments.items() if name != "self"})


class Variable(PartialUpdates, Operators, metaclass=_AskingCreators):
    """A value that ops can read and assign, and that functions capture rather than copy.

    It stands wherever a tensor does. Under `tf.function`, variables may be made by the first call only.

    Args:
        initial_value: The first value, or a function without arguments that gives it.
        trainable: Whether tapes watch it by themselves and `trainable_variables` lists it; by default yes, unless
            `synchronization` is `ON_READ`.
        validate_shape: Whether the shape is fixed to that of `initial_value`; otherwise any may be assigned.
        name: Its name; not unique.
        dtype: The dtype; by default that of `initial_value`.
        constraint: A function that optimizers apply to the value after each update.
        synchronization: See `VariableSynchronization`.
        aggregation: See `VariableAggregation`.
        shape: The shape that values must fit, if it is wider than that of `initial_value`.

    Raises:
        ValueError: `initial_value` is missing or does not fit `shape`, or the variable is made by another call of a
            `tf.function` than the first.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        *,
        name: str | None = None,
        dtype: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
    ) -> None:
        if initial_value is None:
            raise ValueError("A tf.Variable needs an initial_value; none was given.")
        context = contexts.current()
        if context.graph is not None:
            from modtf.core.engine.functions import note_created_variable

            note_created_variable(self)
        scope = context.scope
        with contexts.init_scope():
            value = initial_value() if callable(initial_value) else initial_value
            if isinstance(value, SymbolicTensor):
                from modtf.core.engine.lifting import evaluate

                value = evaluate(value)
            tensor = convert_to_tensor(value, dtype=None if dtype is None else as_dtype(dtype))
        assert isinstance(tensor, EagerTensor)
        declared = TensorShape(shape) if shape is not None else (tensor.shape if validate_shape else TensorShape(None))
        if not declared.is_compatible_with(tensor.shape):
            raise ValueError(
                f"The initial value's shape {tensor.shape} is not compatible with the given shape {declared}."
            )
        resource = Resource(scope + (name or "Variable"), tensor.dtype, declared.dims, tensor)
        self._set_up(
            resource, synchronization is not VariableSynchronization.ON_READ if trainable is None else trainable
        )
        self.constraint = constraint
        self.synchronization = synchronization
        self.aggregation = aggregation

    def _set_up(self, resource: Resource, trainable: bool) -> None:
        self._resource = resource
        self.handle = Handle(resource, self)
        self.trainable = trainable
        self.constraint = None
        self.synchronization = VariableSynchronization.AUTO
        self.aggregation = VariableAggregation.NONE

    @classmethod
    def uninitialized(cls, shape: Any, dtype: Any, name: str = "Variable", trainable: bool = True) -> Variable:
        """Makes a variable without a value, for a loader to assign one."""
        self = cls.__new__(cls)
        self._set_up(Resource(name, as_dtype(dtype), TensorShape(shape).dims), trainable)
        return self

    @property
    def name(self) -> str:
        return f"{self._resource.name}:0"

    @property
    def dtype(self) -> DType:
        return self._resource.dtype

    @property
    def shape(self) -> TensorShape:
        return TensorShape(self._resource.dims)

    @property
    def dims(self) -> Any:
        return self._resource.dims

    def get_shape(self) -> TensorShape:
        """Returns `shape`."""
        return self.shape

    @property
    def ndim(self) -> int | None:
        return self.shape.rank

    @property
    def device(self) -> str:
        """The device that holds the value."""
        value = self._resource.value
        return "" if value is None else value.device

    def set_shape(self, shape: Any) -> None:
        """Adds what the caller knows of the shape, if it was not fixed.

        Raises:
            ValueError: It contradicts what is known already.
        """
        self._resource.dims = self.shape.merge_with(shape).dims

    def value(self) -> Tensor:
        """Returns the current value as a tensor."""
        return execute(_READ, (self.handle,), (self._resource.dtype,))

    read_value = value

    def numpy(self) -> Any:
        """Returns the current value as a new NumPy array."""
        if contexts.inside_function():
            raise NotImplementedError("numpy() is only available when eager execution is enabled.")
        return self.value().numpy()  # type: ignore[attr-defined]

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Returns whether the variable has a value."""
        return raw.VarIsInitializedOp(self.handle, name=name)

    def _assign(self, op: Any, value: Any, attrs: tuple[Any, ...], name: str | None, read_value: bool) -> Any:
        tensor = convert_to_tensor(value, dtype=self.dtype)
        if not self.shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch. The variable shape {self.shape}, and the "
                f"assigned value shape {tensor.shape} are incompatible."
            )
        node = execute(op, (self.handle, tensor), attrs, name)
        if not read_value:
            return node or None
        return self

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Replaces the value, at one stroke.

        Args:
            value: The new value, of the variable's dtype and a shape that fits.
            use_locking: Without effect: every assignment is atomic.
            name: A name for the graph node.
            read_value: Whether to return the variable rather than nothing (while a function is traced, the node).

        Raises:
            ValueError: The shape or dtype does not fit.
        """
        return self._assign(_ASSIGN, value, (False,), name, read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds to the value; arguments as for `assign`."""
        return self._assign(_ASSIGN_ADD, delta, (), name, read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtracts from the value; arguments as for `assign`."""
        return self._assign(_ASSIGN_SUB, delta, (), name, read_value)

    def ref(self) -> Reference:
        """Returns a hashable reference to this very variable."""
        return Reference(self)

    def __tf_tensor__(self, dtype: DType | None = None, name: str | None = None) -> Tensor:
        if dtype is not None and dtype is not self.dtype:
            raise ValueError(
                f"Incompatible type conversion requested to type {dtype.name!r} for variable of type {self.dtype.name!r}. "
                "Convert it with tf.cast."
            )
        return self.value()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value().__array__(dtype, copy)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        raise TypeError("Variable is unhashable. Use `variable.ref()` as the key of a dict or member of a set.")

    def __bool__(self) -> bool:
        return bool(self.value())

    def __int__(self) -> int:
        return int(self.value())  # type: ignore[call-overload]

    def __float__(self) -> float:
        return float(self.value())  # type: ignore[arg-type]

    def __index__(self) -> int:
        return self.value().__index__()  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self.value())  # type: ignore[arg-type]

    def __iter__(self) -> Any:
        return iter(self.value())

    def __repr__(self) -> str:
        value = self._resource.value
        if contexts.inside_function():
            return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"
        shown = "<uninitialized>" if value is None else repr(value).split("numpy=", 1)[-1][:-1]
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}, numpy={shown}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        value = self._resource.value
        copied = Variable.uninitialized(self.shape, self.dtype, self._resource.name, self.trainable)
        copied._resource.value = value  # tensors never change, so both may start from the same one
        copied.constraint, copied.synchronization, copied.aggregation = (
            self.constraint, self.synchronization, self.aggregation,
        )  # fmt: skip
        memo[id(self)] = copied
        return copied


_READ = get_op("ReadVariableOp")
_ASSIGN = get_op("AssignVariableOp")
_ASSIGN_ADD = get_op("AssignAddVariableOp")
_ASSIGN_SUB = get_op("AssignSubVariableOp")


def _forwarded(name: str) -> Callable[..., Any]:
    return lambda self, *operands: getattr(self.value(), name)(*operands)


_OPERATORS = (
    "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv", "mod", "rmod", "pow",
    "rpow", "matmul", "rmatmul", "neg", "abs", "invert", "and", "rand", "or", "ror", "xor", "rxor", "lt", "le", "gt", "ge",
    "eq", "ne",
)  # fmt: skip
for _name in _OPERATORS:
    setattr(Variable, f"__{_name}__", _forwarded(f"__{_name}__"))


def _refused_in_place(operator: str, method: str) -> Callable[..., Any]:
    advice = f"Use `variable.{method}(value)` to modify the variable, or" if method else "Use"

    def refused(self: Variable, value: Any) -> Any:
        raise RuntimeError(
            f"`variable {operator}= value` with `tf.Variable`s is not supported. {advice} `out = variable {operator} value` to "
            "get a new output tensor."
        )

    return refused


for _name, _operator, _method in (
    ("add", "+", "assign_add"), ("sub", "-", "assign_sub"), ("mul", "*", ""), ("truediv", "/", ""), ("pow", "**", ""),
):  # fmt: skip
    setattr(Variable, f"__i{_name}__", _refused_in_place(_operator, _method))
Variable.__array_priority__ = Tensor.__array_priority__  # type: ignore[attr-defined]
