"""`TensorShape`: the possibly partial shape of a tensor, and arithmetic on dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["Dims", "TensorShape", "as_dims", "broadcast_dims", "broadcast_static_shape", "size_of"]

Dims = tuple[int | None, ...] | None
"""A shape in the form that shape rules compute with: `None` for an unknown rank, `None` inside for an unknown size."""


class TensorShape:
    """The shape of a tensor: fully known, partly known (`None` for a size) or of unknown rank.

    Args:
        dims: An iterable of sizes (ints or `None`), an int for rank 1, another `TensorShape`, or `None` for an
            unknown rank.

    Raises:
        ValueError: A size is negative.
        TypeError: A size is neither an int nor `None`.
    """

    __slots__ = ("_dims",)

    def __init__(self, dims: Any) -> None:
        self._dims: Dims = as_dims(dims)

    @property
    def dims(self) -> Dims:
        """The sizes as a tuple, or `None` if the rank is unknown."""
        return self._dims

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or `None`."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    def __len__(self) -> int:
        return len(self.as_list())

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[int | None]:
        return iter(self.as_list())

    def __getitem__(self, key: Any) -> Any:
        if self._dims is None:
            return TensorShape(None) if isinstance(key, slice) else None
        return TensorShape(self._dims[key]) if isinstance(key, slice) else self._dims[key]

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        from modtf.core.values.conversion import convert_to_tensor

        if not self.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {self} to a Tensor.")
        if dtype is None:
            dtype = "int32" if all(size is not None and size < 2**31 for size in self.as_list()) else "int64"
        return convert_to_tensor(self.as_list(), dtype=dtype, name=name)

    def as_list(self) -> list[int | None]:
        """Returns the sizes as a list.

        Raises:
            ValueError: The rank is unknown.
        """
        if self._dims is None:
            raise ValueError("as_list() is not defined on a TensorShape of unknown rank.")
        return list(self._dims)

    def is_fully_defined(self) -> bool:
        """Whether the rank and every size are known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless every size is known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined.")

    def num_elements(self) -> int | None:
        """The number of elements, or `None` if a size is unknown."""
        return size_of(self._dims)

    def with_rank(self, rank: int) -> TensorShape:
        """Returns this shape, or one of `rank` unknown sizes if the rank was unknown.

        Raises:
            ValueError: The rank is known and another.
        """
        if self._dims is None:
            return TensorShape([None] * rank)
        if len(self._dims) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}.")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Returns this shape.

        Raises:
            ValueError: The rank is known and lower.
        """
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}.")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Returns this shape.

        Raises:
            ValueError: The rank is known and higher.
        """
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}.")
        return self

    def assert_has_rank(self, rank: int | None) -> None:
        """Raises ValueError if the rank is known, and not `rank`; `None` stands for any."""
        if rank is not None:
            self.with_rank(rank)

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError if the ranks of this shape and `other` are known, and not the same."""
        theirs = TensorShape(other)
        if None not in (self.rank, theirs.rank) and self.rank != theirs.rank:
            raise ValueError(f"Shapes {self} and {theirs} must have the same rank.")

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError if no fully known shape fits both."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible.")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some fully known shape fits both."""
        theirs = as_dims(other)
        if self._dims is None or theirs is None:
            return True
        return len(self._dims) == len(theirs) and all(
            a is None or b is None or a == b for a, b in zip(self._dims, theirs, strict=True)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every shape that fits this one fits `other` too."""
        theirs = as_dims(other)
        if theirs is None:
            return True
        return (
            self._dims is not None
            and len(self._dims) == len(theirs)
            and all(b is None or a == b for a, b in zip(self._dims, theirs, strict=True))
        )

    def merge_with(self, other: Any) -> TensorShape:
        """Returns the shape that has what is known from either.

        Raises:
            ValueError: The two contradict each other.
        """
        theirs = as_dims(other)
        if not self.is_compatible_with(theirs):
            raise ValueError(f"Shapes {self} and {TensorShape(theirs)} are not compatible.")
        if self._dims is None or theirs is None:
            return TensorShape(self._dims if theirs is None else theirs)
        return TensorShape([b if a is None else a for a, b in zip(self._dims, theirs, strict=True)])

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """Returns the narrowest shape that both fit: sizes that differ become unknown."""
        theirs = as_dims(other)
        if self._dims is None or theirs is None or len(self._dims) != len(theirs):
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self._dims, theirs, strict=True)])

    def most_specific_common_supertype(self, others: Iterable[Any]) -> TensorShape | None:
        """Returns the narrowest shape that this one and all `others` fit; `None` if one is no `TensorShape`."""
        result = self
        for other in others:
            if not isinstance(other, TensorShape):
                return None
            result = result.most_specific_compatible_shape(other)
        return result

    def concatenate(self, other: Any) -> TensorShape:
        """Returns the sizes of this shape followed by those of `other`."""
        theirs = as_dims(other)
        return TensorShape(None if self._dims is None or theirs is None else self._dims + theirs)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        try:
            return self._dims == as_dims(other)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        return str(self._dims)

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorShape, (self._dims,)


def as_dims(value: Any) -> Dims:
    """Returns anything that describes a shape as a tuple of sizes, or `None` for an unknown rank."""
    if value is None:
        return None
    if type(value) is TensorShape:
        return value._dims
    if isinstance(value, Iterable):
        return tuple(_as_dim(dim) for dim in value)
    return (_as_dim(value),)


def _as_dim(value: Any) -> int | None:
    if value is None:
        return None
    try:
        dim = value.__index__()
    except AttributeError:
        raise TypeError(f"A dimension must be an integer or None, not {value!r}.") from None
    if dim < 0:
        raise ValueError(f"A dimension must not be negative, not {dim}.")
    return dim


def size_of(dims: Dims) -> int | None:
    """The number of elements of a shape, or `None` if it is not fully known."""
    if dims is None:
        return None
    size = 1
    for dim in dims:
        if dim is None:
            return None
        size *= dim
    return size


def broadcast_dims(*shapes: Dims) -> Dims:
    """The shape that the given ones broadcast to, unknown where it depends on unknown sizes.

    Raises:
        ValueError: Two sizes are neither equal nor 1.
    """
    if any(dims is None for dims in shapes):
        return None
    rank = max((len(dims) for dims in shapes if dims is not None), default=0)
    result: list[int | None] = []
    for axis in range(-rank, 0):
        size: int | None = 1
        for dims in shapes:
            assert dims is not None
            dim = dims[axis] if -axis <= len(dims) else 1
            if dim == 1 or dim == size:
                continue
            if size == 1:
                size = dim
            elif size is None or dim is None:
                size = dim if size is None else size
            else:
                shown = " and ".join(str(TensorShape(dims)) for dims in shapes)
                raise ValueError(f"Incompatible shapes for broadcasting: {shown}.")
        result.append(size)
    return tuple(result)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Returns the shape that two known shapes broadcast to (`tf.broadcast_static_shape`)."""
    return TensorShape(broadcast_dims(as_dims(shape_x), as_dims(shape_y)))
