"""Programs written for a distribution strategy (`tf.distribute`), run in one process on one backend.

A strategy's replicas run one after another, on the backend that is current: nothing is distributed over devices or
machines, and nothing gets faster. What a program computes is what it computes under TensorFlow's strategies: each replica
knows its number, draws random numbers of its own, and takes part in reductions over all of them. Variables are single: what
one replica assigns, all others see at once.

Each replica has a thread, of which one runs at a time: until its function returns, or until it comes to a `merge_call` (or
a reduction, which is one), where it waits for the others.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from modtf.core.api.distributed_values import (
    DistributedValues,
    PerReplica,
    ReduceOp,
    RunOptions,
    reduce_op_of,
    reduced,
    regrouped,
    selected,
)  # fmt: skip
from modtf.core.config import list_logical_devices
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.autograph import converted_inside
from modtf.core.engine.replicas import Surroundings, surroundings
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "DistributedValues", "MirroredStrategy", "OneDeviceStrategy", "ReduceOp", "ReplicaContext", "RunOptions", "Strategy",
    "experimental_set_strategy", "get_replica_context", "get_strategy", "has_strategy", "in_cross_replica_context",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- replicas


class ReplicaContext:
    """What a replica's function knows of its place: `tf.distribute.get_replica_context()`.

    Attributes:
        strategy: The strategy.
        number: The replica's number as a Python integer.
    """

    def __init__(self, strategy: Strategy, replica_id_in_sync_group: Any, turns: _Turns | None = None) -> None:
        self.strategy = strategy
        self.number = int(replica_id_in_sync_group)
        self._turns = turns
        self._graph = contexts.current().graph

    @property
    def replica_id_in_sync_group(self) -> Any:
        """The replica's number: a scalar int32 tensor, or a Python integer where there is no strategy."""
        return self.number if self.strategy is _DEFAULT else convert_to_tensor(np.int32(self.number))

    @property
    def num_replicas_in_sync(self) -> int:
        """The number of replicas."""
        return self.strategy.num_replicas_in_sync

    @property
    def devices(self) -> tuple[str, ...]:
        """The name of the device that the replica is said to have."""
        return (self.strategy.devices[self.number],)

    def merge_call(self, merge_fn: Callable[..., Any], args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        """Waits for all replicas to come here, and calls a function once for all of them.

        Args:
            merge_fn: Called with the strategy and the arguments, in which each replica's values are a `PerReplica`.
            args: This replica's positional arguments.
            kwargs: Its arguments by name.

        Returns:
            This replica's part of what the function returned.

        Raises:
            RuntimeError: Other replicas ended without coming here, or a `tf.function`, a loop or a conditional is being
                traced inside the replica's function.
        """
        if self._turns is None:
            with self.strategy.inside(None):
                return merge_fn(self.strategy, *args, **(kwargs or {}))
        if contexts.current().graph is not self._graph:
            raise RuntimeError(
                "merge_call (or a reduction over replicas) was called while a tf.function, a loop or a conditional inside "
                "the replica's function was traced. Call it directly in the function given to Strategy.run."
            )
        return self._turns.meet(self.number, merge_fn, tuple(args), dict(kwargs or {}))

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """Returns the sum or mean of all replicas' values, to each of them.

        Args:
            reduce_op: A `ReduceOp`, or its name.
            value: This replica's value, or a structure of values.
            options: Without effect.
        """
        op = reduce_op_of(reduce_op)

        def merge(strategy: Any, *leaves: Any) -> list[Any]:
            return [reduced(op, strategy.experimental_local_results(leaf)) for leaf in leaves]

        results = self.merge_call(merge, nest.flatten(value))
        return nest.pack_sequence_as(value, [raw.Identity(leaf) for leaf in results])  # tensors of its own

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """Returns all replicas' values one after the other along an axis, to each of them.

        Args:
            value: This replica's value, or a structure of values.
            axis: The axis along which they are put together.
            options: Without effect.
        """

        def merge(strategy: Any, *leaves: Any) -> list[Any]:
            return [_gathered(strategy.experimental_local_results(leaf), axis) for leaf in leaves]

        gathered = self.merge_call(merge, nest.flatten(value))
        return nest.pack_sequence_as(value, [raw.Identity(leaf) for leaf in gathered])


def _gathered(values: Sequence[Any], axis: int) -> Tensor:
    return raw.ConcatV2(list(values), np.int32(axis)) if len(values) > 1 else convert_to_tensor(values[0])


class _Stopped(BaseException):
    """Ends a replica that waits for others, one of which failed."""


class _Turns:
    """The replicas of one call of `Strategy.run`, which take turns."""

    def __init__(self, strategy: Strategy, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self._strategy = strategy
        self._function = function
        self._args, self._kwargs = args, kwargs
        count = strategy.num_replicas_in_sync
        self._goes_on = [threading.Semaphore(0) for _ in range(count)]
        self._rests = threading.Semaphore(0)
        self._results: dict[int, Any] = {}
        self._errors: dict[int, BaseException] = {}
        self._waiting: dict[int, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {}
        self._merged: Any = None
        self._stop = False
        self._turn = 0
        self._positions = {
            generator: dict.fromkeys(range(count), generator.state.value()) for generator in strategy.generators
        }

    def run(self) -> list[Any]:
        """Runs all replicas; returns their results in order."""
        count = len(self._goes_on)
        threads = []
        for number in range(count):
            context = contextvars.copy_context()
            threads.append(threading.Thread(target=context.run, args=(self._replica, number), daemon=True))
            threads[-1].start()
        try:
            while len(self._results) < count:
                for number in range(count):
                    if number not in self._results:
                        self._take_turn(number)
                        self._waiting.pop(number, None)
                        self._goes_on[number].release()
                        self._rests.acquire()
                        if number in self._errors:
                            raise self._errors[number]
                if self._waiting:
                    self._merge(count)
            self._take_turn(0)
        finally:
            self._stop = True
            for semaphore in self._goes_on:
                semaphore.release()
            for thread in threads:
                thread.join()
        return [self._results[number] for number in range(count)]

    def _take_turn(self, number: int) -> None:
        """Puts the strategy's generators where the replica left them; all replicas begin at the same place."""
        for generator, states in self._positions.items():
            if number != self._turn:
                states[self._turn] = generator.state.value()
                generator.state.assign(states[number])
        self._turn = number

    def _replica(self, number: int) -> None:
        self._goes_on[number].acquire()
        if self._stop:
            return
        try:
            with self._strategy.inside(ReplicaContext(self._strategy, number, self)):
                args, kwargs = selected(number, self._args), selected(number, self._kwargs)
                self._results[number] = self._function(*args, **kwargs)
        except _Stopped:
            return
        except BaseException as error:
            self._errors[number] = error
        self._rests.release()

    def meet(self, number: int, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Waits, in a replica's thread, for the others; returns its part of what the merged call gave."""
        self._waiting[number] = (function, args, kwargs)
        self._rests.release()
        self._goes_on[number].acquire()
        if self._stop:
            raise _Stopped
        return selected(number, self._merged)

    def _merge(self, count: int) -> None:
        if len(self._waiting) < count:
            raise RuntimeError(
                f"Replicas {sorted(self._waiting)} wait in a merge_call or reduction, but the functions of replicas "
                f"{sorted(self._results)} ended. All replicas must make the same ones."
            )
        calls = [self._waiting[number] for number in range(count)]
        with self._strategy.inside(None):
            args, kwargs = regrouped([args for _, args, _ in calls]), regrouped([kwargs for _, _, kwargs in calls])
            self._merged = calls[0][0](self._strategy, *args, **kwargs)


# ------------------------------------------------------------------------------------------------- strategies


class Strategy:
    """How a program's replicas are run: `MirroredStrategy` has several, `OneDeviceStrategy` one.

    The default strategy, which `get_strategy()` gives outside of any scope, runs a function as it is.

    Attributes:
        devices: The names of the devices that the replicas are said to have.
    """

    def __init__(self, extended: Any = None, devices: Sequence[str] = ("/device:CPU:0",)) -> None:
        self.devices = tuple(devices)
        self._generators: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def num_replicas_in_sync(self) -> int:
        """The number of replicas."""
        return len(self.devices)

    @property
    def extended(self) -> Strategy:
        """The strategy itself, which has all that there is."""
        return self

    def scope(self) -> contextlib.AbstractContextManager[Strategy]:
        """`with strategy.scope():` makes it the current one; generators made inside belong to it.

        Raises:
            RuntimeError: Another strategy's scope is around.
        """
        return self._scope()

    @contextlib.contextmanager
    def _scope(self) -> Iterator[Strategy]:
        around = surroundings.get()
        if around is not None:
            self.assert_same(around.strategy)
        with self.inside(None if around is None else around.replica):
            yield self

    @contextlib.contextmanager
    def inside(self, replica: ReplicaContext | None) -> Iterator[None]:
        """Makes the strategy the current one, and a replica (or none) the one whose turn it is."""
        token = surroundings.set(Surroundings(self, replica))
        try:
            yield
        finally:
            surroundings.reset(token)

    def assert_same(self, strategy: Any) -> None:
        """Refuses another strategy.

        Raises:
            RuntimeError: It is another.
        """
        if strategy is not self:
            raise RuntimeError(f"Mixing different tf.distribute.Strategy objects: {strategy} is not {self}")

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """Calls a function once for each replica.

        Args:
            fn: The function.
            args: Its positional arguments; of a `PerReplica` among them, each replica gets its own value.
            kwargs: Its arguments by name, likewise.
            options: Without effect.

        Returns:
            The result; with several replicas, of its structure, with a `PerReplica` for each leaf.

        Raises:
            RuntimeError: A replica of some strategy runs already.
        """
        around = surroundings.get()
        if around is not None:
            self.assert_same(around.strategy)
            if around.replica is not None:
                raise RuntimeError("Strategy.run cannot be called inside a replica's function.")
        function, named = converted_inside(fn), dict(kwargs or {})
        if self.num_replicas_in_sync == 1:
            with self.inside(ReplicaContext(self, 0)):
                return function(*selected(0, tuple(args)), **selected(0, named))
        return regrouped(_Turns(self, function, tuple(args), named).run())

    def reduce(self, reduce_op: Any, value: Any, axis: Any) -> Any:
        """Makes one value of the replicas'.

        Args:
            reduce_op: A `ReduceOp`, or its name.
            value: What `run` gave, or a structure of such values.
            axis: An axis of each replica's value to be reduced as well, or `None`.

        Raises:
            ValueError: The sum of a value is wanted that is not one of several replicas.
        """
        op = reduce_op_of(reduce_op)
        return nest.map_structure(lambda leaf: self._reduced_over(op, leaf, axis), value)

    def _reduced_over(self, op: ReduceOp, value: Any, axis: Any) -> Any:
        if not isinstance(value, DistributedValues) and self.num_replicas_in_sync > 1 and axis is None:
            if op is ReduceOp.MEAN or (isinstance(value, (int, float)) and value == 0):
                return value
            raise ValueError(f"A non-DistributedValues value {value} cannot be reduced with the given reduce op {op}.")
        values = self.experimental_local_results(value)
        if axis is None:
            return reduced(op, values)
        sums = [raw.Sum(item, np.asarray(axis, np.int32), keep_dims=False) for item in values]
        total = reduced(ReduceOp.SUM, sums)
        if op is ReduceOp.SUM:
            return total
        shapes = [
            raw.GatherV2(raw.Shape(item), np.atleast_1d(np.asarray(axis, np.int32)), np.int32(0)) for item in values
        ]
        sizes = [raw.Prod(shape, np.zeros(1, np.int32), keep_dims=False) for shape in shapes]
        return total / raw.Cast(reduced(ReduceOp.SUM, sizes), DstT=total.dtype)

    def gather(self, value: Any, axis: int) -> Any:
        """Returns the replicas' values, or a structure of them, one after the other along an axis."""
        return nest.map_structure(lambda leaf: _gathered(self.experimental_local_results(leaf), axis), value)

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """Returns each replica's value as a tuple; of any other value, a tuple with it alone."""
        return value.values if isinstance(value, DistributedValues) else (value,)

    def experimental_distribute_values_from_function(self, value_fn: Callable[[Any], Any]) -> Any:
        """Returns what a function gives for each replica.

        Args:
            value_fn: Called with a `ValueContext` that has `replica_id_in_sync_group` and `num_replicas_in_sync`.
        """
        count = self.num_replicas_in_sync
        values = [value_fn(ValueContext(number, count)) for number in range(count)]
        if not nest.is_nested(values[0]):
            return PerReplica(values)
        leaves = zip(*(nest.flatten(value) for value in values), strict=True)
        return nest.pack_sequence_as(values[0], [PerReplica(leaf) for leaf in leaves])

    def add_generator(self, generator: Any) -> None:
        """Has each replica draw numbers of its own from a generator."""
        self._generators.add(generator)

    @property
    def generators(self) -> list[Any]:
        """The generators that were made in its scope."""
        return list(self._generators)


class ValueContext:
    """For which replica a value is made.

    Attributes:
        replica_id_in_sync_group: Its number.
        num_replicas_in_sync: The number of replicas.
    """

    def __init__(self, replica_id_in_sync_group: int = 0, num_replicas_in_sync: int = 1) -> None:
        self.replica_id_in_sync_group = replica_id_in_sync_group
        self.num_replicas_in_sync = num_replicas_in_sync


class OneDeviceStrategy(Strategy):
    """A strategy of one replica.

    Args:
        device: The name of the device that it is said to have, e.g. `"/cpu:0"`.
    """

    def __init__(self, device: str) -> None:
        super().__init__(devices=[device])


class MirroredStrategy(Strategy):
    """A strategy of several replicas, which run one after another on the one backend.

    Args:
        devices: A name for each replica, e.g. `["cpu:0", "cpu:1"]`; by default the backend's GPUs, or its first CPU.
        cross_device_ops: Without effect.

    Raises:
        ValueError: The list of devices is empty.
    """

    def __init__(self, devices: Sequence[str] | None = None, cross_device_ops: Any = None) -> None:
        if devices is None:
            found = list_logical_devices("GPU") or list_logical_devices()[:1]
            devices = [device.name for device in found]
        if not devices:
            raise ValueError("Got an empty `devices` list; MirroredStrategy needs one for each replica.")
        super().__init__(devices=devices)


class _DefaultStrategy(Strategy):
    """What is current outside of any scope."""

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        return fn(*args, **(kwargs or {}))

    @contextlib.contextmanager
    def inside(self, replica: ReplicaContext | None) -> Iterator[None]:
        yield


_DEFAULT = _DefaultStrategy()


def get_strategy() -> Strategy:
    """Returns the current strategy."""
    around = surroundings.get()
    return _DEFAULT if around is None else around.strategy


def has_strategy() -> bool:
    """Returns whether a strategy other than the default one is current."""
    return surroundings.get() is not None


def get_replica_context() -> ReplicaContext | None:
    """Returns the place of the replica whose function runs; `None` in a strategy's scope outside of such a function."""
    around = surroundings.get()
    return ReplicaContext(_DEFAULT, 0) if around is None else around.replica


def in_cross_replica_context() -> bool:
    """Returns whether a strategy's scope, or a merged call, is around, rather than a replica's function."""
    around = surroundings.get()
    return around is not None and around.replica is None


def experimental_set_strategy(strategy: Strategy | None) -> None:
    """Makes a strategy the current one from now on; `None` ends that.

    Raises:
        RuntimeError: It is called in a replica's function.
    """
    around = surroundings.get()
    if around is not None and around.replica is not None:
        raise RuntimeError("experimental_set_strategy cannot be called inside a replica's function.")
    surroundings.set(None if strategy is None or strategy is _DEFAULT else Surroundings(strategy, None))
