"""Which elements come, and in what order: taking, skipping, repeating, shuffling, keeping, reading ahead."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.data.base import AUTOTUNE, INFINITE, UNKNOWN, DatasetBase, Stage, Through, build
from modtf.core.api.data.elements import values_of
from modtf.core.api.data.functions import scalar_of
from modtf.core.api.data.options import Options
from modtf.core.api.data.structures import merged_specs
from modtf.core.ops.control.iterators import on_host
from modtf.core.values import nest
from modtf.core.values.dtypes import int32, int64, string
from modtf.core.values.errors import FailedPreconditionError, InvalidArgumentError, OpError, UnimplementedError
from modtf.core.values.specs import TensorSpec

if TYPE_CHECKING:
    from modtf.core.api.data.dataset import Dataset


class Take(Through):
    """The first elements."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self._count = count

    def elements(self) -> Iterator[Any]:
        return islice(self.source.elements(), None if self._count < 0 else self._count)

    def size(self) -> int:
        size = self.source.size()
        if self._count < 0 or size == UNKNOWN:
            return size
        return self._count if size == INFINITE else min(size, self._count)


class Skip(Through):
    """All but the first elements."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self._count = count

    def elements(self) -> Iterator[Any]:
        return iter(()) if self._count < 0 else islice(self.source.elements(), self._count, None)

    def size(self) -> int:
        size = self.source.size()
        if self._count < 0:
            return 0
        return size if size < 0 else max(size - self._count, 0)


class Shard(Through):
    """Every so-manyth element."""

    def __init__(self, source: Stage, count: int, index: int) -> None:
        super().__init__(source)
        if count < 1:
            raise InvalidArgumentError(f"Number of shards must be greater than zero (currently num_shards = {count}).")
        if not 0 <= index < count:
            raise InvalidArgumentError(f"Index must be between 0 and {count - 1} (currently index = {index}).")
        self._count, self._index = count, index

    def elements(self) -> Iterator[Any]:
        return islice(self.source.elements(), self._index, None, self._count)

    def size(self) -> int:
        size = self.source.size()
        return size if size < 0 else size // self._count + (self._index < size % self._count)


class Repeat(Through):
    """The elements several times."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self._count = count

    def elements(self) -> Iterator[Any]:
        passes = 0
        while self._count < 0 or passes < self._count:
            empty = True
            for element in self.source.elements():
                empty = False
                yield element
            if empty and self._count < 0:
                return
            passes += 1

    def size(self) -> int:
        size = self.source.size()
        if self._count < 0:
            return 0 if size == 0 else INFINITE
        if self._count == 0:
            return 0
        return size if size < 0 else size * self._count


class Concatenate(Stage):
    """The elements of several sources, one after the other."""

    def __init__(self, *sources: Stage) -> None:
        self.sources = sources

    def elements(self) -> Iterator[Any]:
        for source in self.sources:
            yield from source.elements()

    def size(self) -> int:
        sizes = [source.size() for source in self.sources]
        if INFINITE in sizes:
            return INFINITE
        return UNKNOWN if UNKNOWN in sizes else sum(sizes)


class SeedSequence:
    """The random generators of one stage's passes: all different, the same ones for the same seeds."""

    def __init__(self, seeds: dict[str, int], anew: bool) -> None:
        given = (seeds["seed"], seeds["seed2"])
        self._sequence = np.random.SeedSequence(None if given == (0, 0) else given)
        self._anew = anew
        self._lock = threading.Lock()

    def generator(self) -> np.random.Generator:
        """Returns the generator for the next pass."""
        with self._lock:
            sequence = self._sequence.spawn(1)[0] if self._anew else self._sequence
        return np.random.default_rng(sequence)


class Shuffle(Through):
    """The elements in a random order."""

    def __init__(self, source: Stage, buffer_size: int, seeds: SeedSequence) -> None:
        super().__init__(source)
        if buffer_size < 1 and buffer_size != UNKNOWN:
            raise InvalidArgumentError("buffer_size must be greater than zero or UNKNOWN_CARDINALITY")
        self._buffer_size = buffer_size
        self._seeds = seeds

    def elements(self) -> Iterator[Any]:
        generator = self._seeds.generator()
        source = self.source.elements()
        buffer = list(source) if self._buffer_size == UNKNOWN else list(islice(source, self._buffer_size))
        if self._buffer_size != UNKNOWN and len(buffer) == self._buffer_size:
            numbers: Iterator[int] = iter(())
            for element in source:
                place = next(numbers, -1)
                if place < 0:
                    numbers = iter(generator.integers(len(buffer), size=1024).tolist())
                    place = next(numbers)
                chosen, buffer[place] = buffer[place], element
                yield chosen
        for place in generator.permutation(len(buffer)).tolist():
            yield buffer[place]

    def size(self) -> int:
        return self.source.size()


class Cache(Through):
    """The elements, kept from the first pass on."""

    def __init__(self, source: Stage) -> None:
        super().__init__(source)
        self._kept: list[Any] | None = None

    def elements(self) -> Iterator[Any]:
        if self._kept is not None:
            yield from self._kept
            return
        seen = []
        for element in self.source.elements():
            seen.append(element)
            yield element
        self._kept = seen

    def size(self) -> int:
        return self.source.size()


class _Channel:
    """What a thread that reads ahead has read, at most so many elements."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[tuple[Any, BaseException | None]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._abandoned = False

    def fill(self, source: Stage) -> None:
        """Reads a whole pass; the work of the thread."""
        with on_host():
            try:
                for element in source.elements():
                    if not self._put((element, None)):
                        return
            except BaseException as error:
                self._put((None, error))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, item: tuple[Any, BaseException | None]) -> bool:
        with self._changed:
            while len(self._items) >= self._capacity and not self._abandoned:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()
            return not self._abandoned

    def abandon(self) -> None:
        """Has the thread stop."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def get(self) -> Any:
        """Returns the next element; raises what reading it raised.

        Raises:
            StopIteration: There is none.
        """
        with self._changed:
            while not self._items and not self._ended:
                self._changed.wait()
            if not self._items:
                raise StopIteration
            element, error = self._items.popleft()
            self._changed.notify_all()
        if error is not None:
            raise error
        return element


class _ReadAhead:
    """The elements of a pass that a thread reads ahead; the thread ends with it."""

    def __init__(self, source: Stage, capacity: int) -> None:
        self._channel = _Channel(capacity)
        self._thread = threading.Thread(target=self._channel.fill, args=(source,), name="modtf-prefetch", daemon=True)
        self._started = False

    def __iter__(self) -> _ReadAhead:
        return self

    def __next__(self) -> Any:
        if not self._started:
            self._started = True
            self._thread.start()
        return self._channel.get()

    def __del__(self) -> None:
        self._channel.abandon()


class Prefetch(Through):
    """The elements, read ahead by a thread."""

    _AHEAD = 2

    def __init__(self, source: Stage, buffer_size: int) -> None:
        super().__init__(source)
        if buffer_size < AUTOTUNE:
            raise InvalidArgumentError("buffer_size must be >= 0 or set buffer_size to be AUTOTUNE for auto-tuning")
        self._buffer_size = self._AHEAD if buffer_size == AUTOTUNE else buffer_size

    def elements(self) -> Iterator[Any]:
        return _ReadAhead(self.source, self._buffer_size) if self._buffer_size else self.source.elements()

    def size(self) -> int:
        return self.source.size()


class Unique(Through):
    """Each element once."""

    def elements(self) -> Iterator[Any]:
        seen = set()
        for element in self.source.elements():
            array = np.asarray(values_of(element)[0])
            key = array.tolist() if array.dtype == object else array.tobytes()
            key = (array.shape, tuple(np.ravel(array)) if array.dtype == object else key)
            if key not in seen:
                seen.add(key)
                yield element


class IgnoreErrors(Through):
    """The elements that can be computed."""

    def __init__(self, source: Stage, log_warning: bool) -> None:
        super().__init__(source)
        self._log_warning = log_warning

    def elements(self) -> Iterator[Any]:
        source = self.source.elements()
        while True:
            try:
                element = next(source)
            except StopIteration:
                return
            except OpError as error:
                if self._log_warning:
                    warnings.warn(f"Dropped an element: {error}", stacklevel=2)
                continue
            yield element

    def size(self) -> int:
        return INFINITE if self.source.size() == INFINITE else UNKNOWN


class _Same(Through):
    def elements(self) -> Iterator[Any]:
        return self.source.elements()

    def size(self) -> int:
        return self.source.size()


class AssertSize(_Same):
    """The elements, which are counted."""

    def __init__(self, source: Stage, size: int) -> None:
        super().__init__(source)
        self._size = size

    def elements(self) -> Iterator[Any]:
        count = 0
        expected = "infinite" if self._size == INFINITE else f"{self._size} elements"
        for element in self.source.elements():
            if count == self._size:
                raise FailedPreconditionError(
                    f"Input dataset was expected to contain {expected} but contained at least {count + 1} elements."
                )
            count += 1
            yield element
        if self._size != UNKNOWN and count != self._size:
            raise FailedPreconditionError(
                f"Input dataset was expected to contain {expected} but contained only {count} elements."
            )

    def size(self) -> int:
        return self._size


class Ordering(DatasetBase):
    """The methods of `Dataset` that choose and order elements."""

    def _like_this(self, kind: str, make: Any, values: Sequence[Any] = ()) -> Dataset:
        return build(kind, self.element_spec, make, [self], values)

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """Returns the first `count` elements; all, if it is -1.

        Args:
            count: A scalar int64.
            name: Without effect.
        """
        number = scalar_of(count, int64, "count")
        return self._like_this("_TakeDataset", lambda s, v: Take(s[0], int(v[0])), [number])

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """Returns the elements without the first `count`; none, if it is -1.

        Args:
            count: A scalar int64.
            name: Without effect.
        """
        number = scalar_of(count, int64, "count")
        return self._like_this("_SkipDataset", lambda s, v: Skip(s[0], int(v[0])), [number])

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """Returns the elements `count` times; forever, if it is `None` or -1.

        Args:
            count: A scalar int64.
            name: Without effect.
        """
        number = scalar_of(-1 if count is None else count, int64, "count")
        return self._like_this("_RepeatDataset", lambda s, v: Repeat(s[0], int(v[0])), [number])

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Dataset:
        """Returns every `num_shards`-th element, the first being number `index`.

        Args:
            num_shards: How many shards there are, a scalar int64.
            index: Which of them this is, a scalar int64.
            name: Without effect.

        Raises:
            InvalidArgumentError: There is no such shard.
        """
        numbers = [scalar_of(num_shards, int64, "num_shards"), scalar_of(index, int64, "index")]
        return self._like_this("_ShardDataset", lambda s, v: Shard(s[0], int(v[0]), int(v[1])), numbers)

    def concatenate(self, dataset: Any, name: str | None = None) -> Dataset:
        """Returns the elements of this dataset, then those of another.

        Args:
            dataset: The other one.
            name: Without effect.

        Raises:
            TypeError: Its elements have another structure, or are of another kind or dtype.
        """
        spec = merged_specs(self.element_spec, dataset.element_spec)
        return build("_ConcatenateDataset", spec, lambda s, v: Concatenate(*s), [self, dataset])

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Returns pairs of a number, counted from `start`, and an element.

        Args:
            start: The first number, a scalar int64.
            name: Without effect.
        """
        from modtf.core.api.data.dataset import Dataset

        return Dataset.zip((Dataset.range(start, np.iinfo(np.int64).max), self))

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool = True, name: str | None = None
    ) -> Dataset:
        """Returns the elements in a random order: each next one is drawn from a buffer that is filled up again.

        The order is uniformly random if the buffer holds all elements. It follows from the seeds, but is another than
        TensorFlow's.

        Args:
            buffer_size: The size of the buffer, a scalar int64; -2 for all elements.
            seed: A seed; see `tf.random.set_seed`.
            reshuffle_each_iteration: Whether each pass has an order of its own.
            name: Without effect.

        Raises:
            InvalidArgumentError: The buffer's size is 0 or negative.
        """
        from modtf.core.api.random import op_seeds

        seeds = SeedSequence(op_seeds(None if seed is None else int(seed)), reshuffle_each_iteration is not False)
        size = scalar_of(buffer_size, int64, "buffer_size")
        return self._like_this("_ShuffleDataset", lambda s, v: Shuffle(s[0], int(v[0]), seeds), [size])

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """Returns the elements, which are kept in memory at the end of the first pass and taken from there afterwards.

        Args:
            filename: Must be `""`.
            name: Without effect.

        Raises:
            UnimplementedError: A file is named.
        """
        if not isinstance(filename, str) or filename:
            raise UnimplementedError("Dataset.cache keeps elements in memory, not in a file; leave out `filename`.")
        return self._like_this("CacheDataset", lambda s, v: Cache(s[0]))

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """Returns the elements, which a thread computes ahead of their being asked for.

        Args:
            buffer_size: How many at most, a scalar int64; `tf.data.AUTOTUNE` for some.
            name: Without effect.
        """
        size = scalar_of(buffer_size, int64, "buffer_size")
        return self._like_this("_PrefetchDataset", lambda s, v: Prefetch(s[0], int(v[0])), [size])

    def unique(self, name: str | None = None) -> Dataset:
        """Returns each element once, where it first comes.

        Raises:
            InvalidArgumentError: The elements have more than one part.
            TypeError: They are neither int32, int64 nor string.
        """
        specs = nest.flatten(self.element_spec)
        for spec in specs:
            if not isinstance(spec, TensorSpec) or spec.dtype not in (int32, int64, string):
                raise TypeError(
                    f"`tf.data.Dataset.unique` does not support type {getattr(spec, 'dtype', spec)!r} -- only `tf.int32`, "
                    "`tf.int64`, and `tf.string` are supported."
                )
        if len(specs) != 1:
            raise InvalidArgumentError("UniqueDataset only supports inputs with a single component.")
        return self._like_this("_UniqueDataset", lambda s, v: Unique(s[0]))

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """Returns the elements without those that could not be computed.

        Where a function of `map` or `filter` fails, the pass goes on behind that element; other stages end with an error.

        Args:
            log_warning: Whether to warn of each.
            name: Without effect.
        """
        return self._like_this("_IgnoreErrorsDataset", lambda s, v: IgnoreErrors(s[0], log_warning))

    def with_options(self, options: Options, name: str | None = None) -> Dataset:
        """Returns the dataset with options set; see `tf.data.Options`. They do not change the elements.

        Args:
            options: The options; those set before stay where these do not say otherwise.
            name: Without effect.
        """
        made = self._like_this("_OptionsDataset", lambda s, v: _Same(s[0]))
        made._options = made._options.merge(options)
        return made
