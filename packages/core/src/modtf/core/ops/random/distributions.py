"""The ops that draw from gamma, Poisson, binomial and truncated normal distributions, and an index's place in a shuffle.

The parameters' shape stands at the end of the output's. Their numbers are one after the other for each parameter, though
the samples of one parameter lie apart in the output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, dims_from_value
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import like, unbroadcast
from modtf.core.ops.math.incomplete_gamma import incomplete_gamma
from modtf.core.ops.math.special import lgamma
from modtf.core.ops.random.bits import PHILOX, scrambled_seed
from modtf.core.ops.random.samplers import draw_between, draw_binomial, draw_gamma, draw_poisson
from modtf.core.ops.random.state import Position, skip_state
from modtf.core.ops.random.uniform_and_normal import check_key, check_seed, said_dims, seeded_dims, sizes_of
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import Resource
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_BLOCKS_PER_OUTPUT = 256
_NUMBERS = "float16|float32|float64|index"
_FLOATS = "float16|float32|float64"
_INDEX = "int32|uint32|int64|uint64"

# ------------------------------------------------------------------------------------------------- layout


def _inner_shape(sizes: tuple[int, ...], parameters: Sequence[np.ndarray]) -> tuple[int, ...]:
    """The parameters' broadcast shape.

    Raises:
        InvalidArgumentError: They do not fit together, or the shape does not end with theirs.
    """
    try:
        inner = np.broadcast_shapes(*(item.shape for item in parameters))
    except ValueError:
        shapes = " vs. ".join(str(list(item.shape)) for item in parameters)
        raise InvalidArgumentError(f"The parameters must have compatible batch dimensions: {shapes}") from None
    if sizes[len(sizes) - len(inner) :] != inner or len(inner) > len(sizes):
        raise InvalidArgumentError(
            f"Shape passed in must end with broadcasted shape: {list(sizes)} does not end with {list(inner)}"
        )
    return inner


def _spread(
    sizes: tuple[int, ...], parameters: Sequence[np.ndarray], draw: Callable[..., np.ndarray], dtype: np.dtype
) -> np.ndarray:
    """Draws an array of a shape at whose end the parameters' broadcast shape stands.

    Args:
        sizes: The shape.
        parameters: The parameters.
        draw: From a vector for each parameter, as long as the output has elements, to a vector of numbers.
        dtype: The output's.
    """
    inner = _inner_shape(sizes, parameters)
    count, size = math.prod(inner), math.prod(sizes)
    if not size:
        return np.zeros(sizes, dtype)
    each = size // count
    numbers = draw(*(np.repeat(np.broadcast_to(item, inner).reshape(-1), each) for item in parameters))
    return _as_dtype(numbers.reshape(count, each).T.reshape(sizes), dtype)


def _as_dtype(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return numbers.astype(dtype)
    limits = np.iinfo(dtype)
    return np.where(np.isfinite(numbers), np.clip(numbers, limits.min, limits.max), 0).astype(dtype)


def _gamma(key: np.ndarray, counter: np.ndarray, sizes: tuple[int, ...], alpha: np.ndarray) -> np.ndarray:
    numbers = _spread(sizes, [alpha], lambda a: draw_gamma(key, counter, a.astype(np.float64)), alpha.dtype)
    if alpha.dtype != np.float16:  # subnormal numbers are none in TensorFlow's kernels
        numbers[numbers < np.finfo(alpha.dtype).tiny] = 0
    return numbers


def _poisson(
    key: np.ndarray, counter: np.ndarray, sizes: tuple[int, ...], rate: np.ndarray, dtype: DType
) -> np.ndarray:
    return _spread(sizes, [rate], lambda r: draw_poisson(key, counter, r.astype(np.float64)), dtype.np_dtype)


def _appended_dims(shape: Tensor, parameter: Tensor, **attrs: Any) -> Dims:
    sizes = dims_from_value(shape)
    return None if sizes is None or parameter.dims is None else (*sizes, *parameter.dims)


def _over_samples(call: Any, dy: Tensor, position: int) -> list[Tensor | None]:
    """The gradient of samples of the gamma distribution by its shape, through the distribution function.

    M. Figurnov, S. Mohamed and A. Mnih, "Implicit Reparameterization Gradients", NeurIPS 2018.
    """
    alpha, sample = call.inputs[position], call.outputs[0]
    gradients: list[Tensor | None] = [None] * len(call.inputs)
    gradients[position] = unbroadcast(dy * raw.RandomGammaGrad(alpha, sample), alpha, sample)
    return gradients


# ------------------------------------------------------------------------------------------------- of a seed


@op(
    f"StatelessRandomGammaV2[dtype: {_FLOATS}, T: index, Tseed: index = int64](shape: T, seed: Tseed, alpha: dtype) -> "
    "(output: dtype)",
    shape=seeded_dims,
    host_inputs=("shape",),
    host_only=True,
    quiet=True,
)
def stateless_gamma(xp: Any, shape: np.ndarray, seed: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    check_seed(seed)
    return _gamma(*scrambled_seed(np, seed), sizes_of(shape), alpha)


stateless_gamma.gradient(lambda call, dy: _over_samples(call, dy, 2))


@op(
    f"StatelessRandomGammaV3[dtype: {_FLOATS}, shape_dtype: index = int32](shape: shape_dtype, key: uint64, "
    "counter: uint64, alg: int32, alpha: dtype) -> (output: dtype)",
    shape=said_dims,
    host_inputs=("shape", "alg"),
    host_only=True,
    quiet=True,
)
def stateless_gamma_of_key(
    xp: Any, shape: np.ndarray, key: np.ndarray, counter: np.ndarray, alg: np.ndarray, alpha: np.ndarray
) -> np.ndarray:
    if check_key(int(alg), key, counter) != PHILOX:
        raise InvalidArgumentError(f"Unsupported algorithm id: {alg}. Gamma numbers are defined for Philox only")
    return _gamma(key, counter, sizes_of(shape), alpha)


stateless_gamma_of_key.gradient(lambda call, dy: _over_samples(call, dy, 4))


@op(
    f"StatelessRandomPoisson[Rtype: {_NUMBERS}, T: index, Tseed: index = int64](shape: T, seed: Tseed, lam: Rtype, *, "
    f"dtype: type({_NUMBERS})) -> (output: dtype)",
    shape=seeded_dims,
    host_inputs=("shape",),
    host_only=True,
    quiet=True,
)
def stateless_poisson(xp: Any, shape: np.ndarray, seed: np.ndarray, lam: np.ndarray, *, dtype: DType) -> np.ndarray:
    check_seed(seed)
    return _poisson(*scrambled_seed(np, seed), sizes_of(shape), lam, dtype)


@op(
    f"StatelessRandomBinomial[S: index, Tseed: index = int64, T: {_NUMBERS} = float64](shape: S, seed: Tseed, counts: T, "
    f"probs: T, *, dtype: type({_NUMBERS}) = int64) -> (output: dtype)",
    shape=seeded_dims,
    host_inputs=("shape",),
    host_only=True,
    quiet=True,
)
def stateless_binomial(
    xp: Any, shape: np.ndarray, seed: np.ndarray, counts: np.ndarray, probs: np.ndarray, *, dtype: DType
) -> np.ndarray:
    check_seed(seed)
    key, counter = scrambled_seed(np, seed)
    return _spread(sizes_of(shape), [counts, probs], lambda n, p: draw_binomial(key, counter, n, p), dtype.np_dtype)


@op(
    f"StatelessParameterizedTruncatedNormal[S: index, Tseed: index = int64, dtype: {_FLOATS}](shape: S, seed: Tseed, "
    "means: dtype, stddevs: dtype, minvals: dtype, maxvals: dtype) -> (output: dtype)",
    shape=seeded_dims,
    host_inputs=("shape",),
    host_only=True,
    quiet=True,
)
def stateless_truncated_normal(xp: Any, shape: np.ndarray, seed: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
    check_seed(seed)
    key, counter = scrambled_seed(np, seed)
    sizes = sizes_of(shape)
    rank = max(item.ndim for item in parameters)
    each = math.prod(sizes[: len(sizes) - rank])

    def draw(*vectors: np.ndarray) -> np.ndarray:
        return draw_between(key, counter, [vector[::each] for vector in vectors], len(vectors[0]), each)

    return _spread(sizes, parameters, draw, parameters[0].dtype)


def _normal_cdf(x: Tensor) -> Tensor:
    return like(x, 0.5, scalar=True) * raw.Erfc(x * like(x, -math.sqrt(0.5), scalar=True))


@stateless_truncated_normal.gradient
def _(call: Any, dy: Tensor) -> list[Tensor | None]:
    _, _, mean, deviation, low, high = call.inputs
    sample = call.outputs[0]
    tiny, almost = np.finfo(mean.dtype.np_dtype).tiny, 1 - np.finfo(mean.dtype.np_dtype).eps
    at, lowest, highest = ((value - mean) / deviation for value in (sample, low, high))
    below = (_normal_cdf(at) - _normal_cdf(lowest)) / (_normal_cdf(highest) - _normal_cdf(lowest))
    below = raw.ClipByValue(below, like(mean, tiny, scalar=True), like(mean, almost, scalar=True))
    half = like(mean, 0.5, scalar=True)
    slopes = (
        raw.OnesLike(at), at,
        raw.Exp(half * (at * at - lowest * lowest) + raw.Log1p(-below)),
        raw.Exp(half * (at * at - highest * highest) + raw.Log(below)),
    )  # fmt: skip
    return [
        None,
        None,
        *(unbroadcast(dy * slope, to, sample) for slope, to in zip(slopes, call.inputs[2:], strict=True)),
    ]


for _op in (stateless_poisson, stateless_binomial):
    _op.gradient(None)


# ------------------------------------------------------------------------------------------------- with a state

_SEEDS = "seed: int = 0, seed2: int = 0"


def _seeded(schema: str, kernel: Any, shape: Any = _appended_dims) -> Op:
    return register(Op(schema, kernel=kernel, shape=shape, host_only=True, stateful=True, quiet=True, memory=Position))


def _random_gamma(
    xp: Any, shape: np.ndarray, alpha: np.ndarray, *, seed: int, seed2: int, memory: Position
) -> np.ndarray:
    sizes = (*sizes_of(shape), *alpha.shape)
    return _gamma(*memory.reserve(math.prod(sizes) * _BLOCKS_PER_OUTPUT, seed, seed2), sizes, alpha)


def _random_poisson(
    xp: Any, shape: np.ndarray, rate: np.ndarray, *, seed: int, seed2: int, memory: Position, dtype: DType
) -> np.ndarray:
    sizes = (*sizes_of(shape), *rate.shape)
    source = memory.reserve(math.prod(sizes) * _BLOCKS_PER_OUTPUT, seed, seed2)
    return _poisson(*source, sizes, rate, dtype)


_seeded(f"RandomGamma[S: index, T: {_FLOATS}](shape: S, alpha: T, *, {_SEEDS}) -> (output: T)", _random_gamma).gradient(
    lambda call, dy: _over_samples(call, dy, 1)
)
_seeded(
    f"RandomPoissonV2[S: index, R: {_NUMBERS} = float64](shape: S, rate: R, *, {_SEEDS}, dtype: type({_NUMBERS}) = int64) "
    "-> (output: dtype)",
    _random_poisson,
).gradient(None)

_SAMPLES_PER_BATCH = 100
_BLOCKS_PER_SAMPLE = 2 * 1000


def _random_truncated_normal(
    xp: Any, shape: np.ndarray, *parameters: np.ndarray, seed: int, seed2: int, memory: Position
) -> np.ndarray:
    sizes = sizes_of(shape)
    if not sizes:
        raise InvalidArgumentError("Shape tensor must not be empty")
    for name, item in zip(("means", "stdevs", "minvals", "maxvals"), parameters, strict=True):
        if item.ndim > 1:
            raise InvalidArgumentError(f"Input {name} should be a scalar or vector, got shape: {list(item.shape)}")
        if item.ndim and item.size not in (1, sizes[0]):
            raise InvalidArgumentError(f"Input {name} should have length 1 or shape[0], got shape: {list(item.shape)}")
    size = math.prod(sizes)
    means, deviations, lowest, highest = parameters
    if means.size == deviations.size == 1 and lowest.ndim == highest.ndim == 0:
        batches, each = -(-size // _SAMPLES_PER_BATCH), _SAMPLES_PER_BATCH
    else:
        batches, each = sizes[0], math.prod(sizes[1:])
    source = memory.reserve(batches * _BLOCKS_PER_SAMPLE * (each + 3) // 4, seed, seed2)
    vectors = [np.broadcast_to(item.reshape(-1), batches) for item in parameters]
    return draw_between(*source, vectors, size, each).reshape(sizes)


_seeded(
    f"ParameterizedTruncatedNormal[dtype: {_FLOATS}|bfloat16, T: index](shape: T, means: dtype, stdevs: dtype, "
    f"minvals: dtype, maxvals: dtype, *, {_SEEDS}) -> (output: dtype)",
    _random_truncated_normal,
    said_dims,
).gradient(None)


@op(
    f"StatefulRandomBinomial[S: index, T: {_NUMBERS} = float64](resource: resource, algorithm: int64, shape: S, counts: T, "
    f"probs: T, *, dtype: type({_NUMBERS}) = int64) -> (output: dtype)",
    shape=lambda resource, algorithm, shape, counts, probs, *, dtype: dims_from_value(shape),
    host_inputs=("algorithm", "shape", "counts", "probs"),
    stateful=True,
    quiet=True,
)
def stateful_binomial(
    backend: Backend, resource: Resource, algorithm: np.ndarray, shape: np.ndarray, counts: np.ndarray,
    probs: np.ndarray, *, dtype: DType,
) -> Any:  # fmt: skip
    if int(algorithm) != PHILOX:
        raise InvalidArgumentError(
            f"Unsupported algorithm id: {algorithm}. Binomial numbers are defined for Philox only"
        )
    sizes = sizes_of(shape)
    inner = math.prod(_inner_shape(sizes, [counts, probs]))
    each = math.prod(sizes) // max(inner, 1)
    before = skip_state(backend, resource, PHILOX, np.uint64(inner * 2 * 100 * (each + 3) // 4))
    state = np.asarray(backend.to_numpy(before)).astype(np.uint64)
    numbers = _spread(sizes, [counts, probs], lambda n, p: draw_binomial(state[2:3], state[:2], n, p), dtype.np_dtype)
    return backend.from_numpy(numbers)


stateful_binomial.gradient(None)

# ------------------------------------------------------------------------------------------------- derivatives


@op(
    "RandomGammaGrad[T: float32|float64](alpha: T, sample: T) -> (output: T)",
    shape=broadcast,
    host_only=True,
    quiet=True,
)
def random_gamma_grad(xp: Any, alpha: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """The derivative of a sample by the shape: of the distribution function by it, over the density, with a minus."""
    a, x = np.broadcast_arrays(alpha.astype(np.float64), sample.astype(np.float64))
    log_density = a * np.log(x) - x - lgamma(np, a)  # times x
    slope = incomplete_gamma(a, x)[2]
    negligible = (log_density < -np.log(float(np.finfo(alpha.dtype).max))) | (x == 0) | np.isinf(a) | np.isposinf(x)
    result = np.where(negligible & ~np.isnan(slope), 0.0, -slope * x / np.exp(log_density))
    return result.astype(alpha.dtype)


# ------------------------------------------------------------------------------------------------- an index's place


def _encrypted(value: np.ndarray, keys: Sequence[np.ndarray], bits: int) -> np.ndarray:
    """A round of Feistel's network for each key, over words of so many bits.

    The block cipher is Simon (R. Beaulieu et al., "The SIMON and SPECK Families of Lightweight Block Ciphers", 2013).
    """
    mask = np.uint64((1 << bits) - 1)

    def rotated(word: np.ndarray, distance: int) -> np.ndarray:
        return ((word << np.uint64(distance)) | (word >> np.uint64(bits - distance))) & mask

    left, right = (value >> np.uint64(bits)) & mask, value & mask
    for key in keys:
        left, right = right, left ^ (rotated(right, 1) & rotated(right, 8)) ^ rotated(right, 2) ^ key
    return (left << np.uint64(bits)) | right


def _round_keys(seed: np.ndarray, rounds: int, bits: int) -> list[np.ndarray]:
    mask = (1 << bits) - 1
    constant, sequence = np.uint64(0xFFFFFFFC & mask), 0x7369F885192C0EF5 & mask

    def rotated(word: np.ndarray, distance: int) -> np.ndarray:
        return ((word >> np.uint64(distance)) | (word << np.uint64(bits - distance))) & np.uint64(mask)

    keys = [seed[:, index].astype(np.uint32).astype(np.uint64) & np.uint64(mask) for index in range(3)]
    for index in range(3, rounds):
        bit = np.uint64(sequence >> (index - 3) & 1)
        keys.append(constant ^ bit ^ keys[index - 3] ^ rotated(keys[-1], 3) ^ rotated(keys[-1], 4))
    return keys[:rounds]


def _vector(value: np.ndarray, inner: int, what: str) -> np.ndarray:
    if value.ndim not in (inner, inner + 1) or (inner and value.shape[-1] != 3):
        raise InvalidArgumentError(f"{what}, got shape {list(value.shape)}")
    return value if value.ndim > inner else value[None]


def _place_dims(index: Tensor, seed: Tensor, max_index: Tensor, *, rounds: int) -> Dims:
    ranks = (index.ndim, None if seed.ndim is None else seed.ndim - 1, max_index.ndim)
    if None in ranks:
        return None
    lengths = [tensor.dims[0] for tensor, rank in zip((index, seed, max_index), ranks, strict=True) if rank]  # type: ignore[index]
    return (next((length for length in lengths if length is not None), None),) if lengths else ()


@op(
    f"RandomIndexShuffle[dtype: {_INDEX}, Tseed: {_INDEX}](index: dtype, seed: Tseed, max_index: dtype, *, "
    "rounds: int = 4) -> (output: dtype)",
    shape=_place_dims,
    host_only=True,
)
def index_shuffle(xp: Any, index: np.ndarray, seed: np.ndarray, max_index: np.ndarray, *, rounds: int) -> np.ndarray:
    """Where an index goes in a permutation of [0, max_index]: it is encrypted until it is in that range again.

    J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
    """
    indices = _vector(index, 0, "Index must be a scalar or vector")
    seeds = _vector(seed, 1, "Seed must be a vector of size [3] or a matrix of size [n, 3]")
    limits = _vector(max_index, 0, "Max index must be a scalar or vector")
    lengths = {
        len(item) for item, given in ((indices, index.ndim), (seeds, seed.ndim - 1), (limits, max_index.ndim)) if given
    }
    if len(lengths) > 1:
        raise InvalidArgumentError(f"index, seed and max_index must have the same length, not {sorted(lengths)}")
    if np.any(limits < 0) or np.any(indices < 0) or np.any(indices > limits):
        raise InvalidArgumentError(f"index must be in [0, max_index], but is {index.tolist()} of {max_index.tolist()}")
    if rounds < 4 or rounds % 2:
        raise InvalidArgumentError(f"rounds must be even and 4 at least, not {rounds}")
    count = next(iter(lengths), 1)
    indices, limits = (np.broadcast_to(item, count).astype(np.uint64) for item in (indices, limits))
    seeds = np.broadcast_to(seeds, (count, 3))
    result = np.empty(count, np.uint64)
    widths = [max(limit - 1, 0).bit_length() for limit in limits.tolist()]  # that of a power of two is one too small
    needed = np.array([max(16, width + width % 2) for width in widths])
    for bits in np.unique(needed).tolist():
        for seed in np.unique(seeds[needed == bits], axis=0):
            rows = np.flatnonzero((needed == bits) & (seeds == seed).all(axis=1))
            keys = _round_keys(seed[None], rounds, bits // 2)
            # Of the shortest words a table, since an index far below them is encrypted thousands of times.
            table = _encrypted(np.arange(1 << 16, dtype=np.uint64), keys, 8) if bits == 16 else None
            values, pending = indices[rows], np.arange(len(rows))
            while pending.size:
                before = values[pending]
                values[pending] = (
                    _encrypted(before, keys, bits // 2) if table is None else table[before & np.uint64(0xFFFF)]
                )
                pending = pending[values[pending] > limits[rows][pending]]
            result[rows] = values
    return result.astype(index.dtype).reshape(() if not lengths else (count,))


index_shuffle.gradient(None)
