"""What functions compute: text, numbers, images, signals, linear algebra, random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from described import Written, call, model, module, numbers, pure, spec

FAMILY = "computing"
TEXTS = np.array([b"Hello, World 42", b"", "Grüße €".encode(), b"a_b-c 7.5"], object)


@model(FAMILY)
def strings() -> Written:
    s = tf.strings

    def f(x: Any) -> Any:
        return [
            s.lower(x), s.upper(x, encoding="utf-8"), s.length(x), s.length(x, unit="UTF8_CHAR"), s.substr(x, 0, 3),
            s.regex_replace(x, "[aeiou]+", "_"), s.regex_full_match(x, ".*[0-9].*"), s.strip(s.join([" ", x, "  "])),
            s.to_hash_bucket_fast(x, 1000), s.to_hash_bucket_strong(x, 1000, [1, 2]), s.bytes_split(x).to_tensor(""),
            s.as_string(tf.range(4)), s.as_string([1.5, -2.25], precision=3), s.to_number(["1.5", "-3e2"]), s.format("<{}>", x),
            s.unicode_decode(x, "UTF-8").to_tensor(-1), s.ngrams(s.split("a b c d"), 2), s.reduce_join(x, separator="|"),
            s.unicode_transcode(x, "UTF-8", "UTF-16-BE"), tf.io.encode_base64(x), tf.io.decode_base64(tf.io.encode_base64(x)),
            s.unsorted_segment_join(x, [0, 1, 0, 1], 2, separator="+"), tf.strings.to_hash_bucket(x, 50),
        ]  # fmt: skip

    return pure(f, TEXTS)


@model(FAMILY)
def decoding() -> Written:
    def f(csv: Any, raw: Any, json: Any) -> Any:
        columns = tf.io.decode_csv(csv, [[0], [1.5], ["none"]])
        return (
            *columns,
            tf.io.decode_raw(raw, tf.uint16),
            tf.io.parse_tensor(json, tf.float32),
            tf.io.serialize_tensor(columns[0]),
        )

    tensor = tf.io.serialize_tensor(numbers(2, 3)).numpy()
    root = module(
        f=tf.function(
            f, input_signature=[spec(None, dtype=tf.string), spec(None, dtype=tf.string), spec(dtype=tf.string)]
        )
    )
    csv = np.array([b"1,2.5,abc", b',,"x,y"'], object)
    return Written(root, [call("f", csv, np.array([b"\x01\x02\x03\x04", b"abcd"], object), np.array(tensor, object))])


@model(FAMILY)
def images_decoded() -> Written:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    files = [tf.io.encode_png(image).numpy(), tf.io.encode_png(image[..., :1]).numpy()]

    @tf.function(input_signature=[spec(dtype=tf.string)])
    def f(data: Any) -> Any:
        decoded = tf.io.decode_image(data, channels=3, expand_animations=False)
        scaled = tf.image.convert_image_dtype(tf.io.decode_png(data, channels=3), tf.float32)
        return decoded, scaled, tf.image.resize(scaled, [4, 6])

    return Written(module(f=f), [call("f", np.array(file, object)) for file in files])


@model(FAMILY)
def jpegs_served() -> Written:
    """A served classifier of files: decode each, resize, convolve."""
    kernel = tf.Variable(numbers(3, 3, 3, 4) * 0.1)
    rows, columns = np.mgrid[:24, :16]
    image = np.stack([rows * 8, columns * 12, rows + columns], -1).astype(np.uint8)
    file = tf.io.encode_jpeg(image, quality=95).numpy()

    def one(data: Any) -> Any:
        decoded = tf.cast(tf.io.decode_jpeg(data, channels=3), tf.float32)
        return tf.image.resize(decoded, [8, 8]) / 255.0

    @tf.function(input_signature=[spec(None, dtype=tf.string, name="image_bytes")])
    def f(files: Any) -> Any:
        images = tf.map_fn(one, files, fn_output_signature=tf.float32)
        return {"scores": tf.nn.softmax(tf.reduce_mean(tf.nn.conv2d(images, kernel, 1, "SAME"), [1, 2]))}

    return Written(module(f=f, kernel=kernel), [call("f", np.array([file, file], object))], signatures=f, rtol=1e-4)


@model(FAMILY)
def image_ops() -> Written:
    def f(x: Any) -> Any:
        i = tf.image
        boxes, picked = tf.constant([[0.1, 0.2, 0.9, 0.8], [0.0, 0.0, 1.0, 1.0]]), tf.constant([0, 1])
        return [
            i.resize(x, [9, 4]), i.resize(x, [3, 11], method="nearest"), i.resize(x, [5, 5], method="bicubic"),
            i.resize(x, [4, 4], method="area"), i.resize(x, [4, 3], antialias=True), i.crop_and_resize(x, boxes, picked, [3, 3]),
            i.flip_left_right(x), i.rot90(x), i.adjust_contrast(x, 1.5), i.rgb_to_grayscale(x), i.rgb_to_hsv(x),
            i.adjust_hue(x, 0.2), i.adjust_saturation(x, 0.5), i.central_crop(x, 0.5), i.pad_to_bounding_box(x, 1, 1, 10, 10),
            i.per_image_standardization(x), i.sobel_edges(x), i.total_variation(x), i.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
            i.non_max_suppression(boxes, [0.5, 0.9], 2), i.ssim(x, x * 0.9, 1.0, filter_size=3),
        ]  # fmt: skip

    return pure(f, np.abs(numbers(2, 6, 7, 3)) % 1)


@model(FAMILY)
def elementwise() -> Written:
    def f(x: Any) -> Any:
        m, y = tf.math, tf.abs(x) + 0.5
        return [
            m.sin(x), m.exp(x), m.log(y), m.log1p(y), m.expm1(x), m.sqrt(y), m.rsqrt(y), m.erf(x), m.erfc(x), m.lgamma(y), m.digamma(y),
            m.tanh(x), m.sigmoid(x), m.softplus(x), m.atan2(x, y), m.pow(y, x), m.floormod(x, y), m.floor(x), m.round(x * 3), m.rint(x * 3),
            m.igamma(y, y), m.betainc(y, y, m.sigmoid(x)), m.zeta(y + 1.5, y), m.polygamma(1.0, y), m.erfinv(m.tanh(x)), m.ndtri(m.sigmoid(x)),
            m.bessel_i0e(x), m.xlogy(x, y), m.xdivy(x, y), m.divide_no_nan(x, x * 0.0), m.cumsum(x, 1), m.cumprod(x, 0, reverse=True),
            m.cumulative_logsumexp(x, 1), m.reduce_logsumexp(x, 1), m.reduce_variance(x, 0), m.top_k(x, 2), m.in_top_k([0, 1, 2], x, 2),
            m.segment_sum(x, [0, 0, 1]), m.unsorted_segment_max(x, [1, 0, 1], 3), m.confusion_matrix([0, 1], [1, 1]), m.l2_normalize(x, 1),
        ]  # fmt: skip

    return pure(f, numbers(3, 4))


@model(FAMILY)
def integers() -> Written:
    def f(x: Any, y: Any) -> Any:
        b = tf.bitwise
        return [
            x + y, x - y, x * y, x // y, x % y, tf.truncatediv(x, y), tf.truncatemod(x, y), b.bitwise_and(x, y), b.bitwise_xor(x, y),
            b.left_shift(x, y % 5), b.right_shift(x, y % 5), b.invert(x), tf.abs(x), tf.sign(x), tf.maximum(x, y), tf.cast(x, tf.int8),
            tf.math.bincount(tf.abs(x) % 7), tf.unique(x % 3), tf.sort(x), tf.argsort(x, stable=True), tf.one_hot(x % 4, 4), x < y,
            tf.searchsorted(tf.sort(x), y), tf.math.reduce_prod(x % 5), tf.bitcast(x, tf.uint64), tf.reduce_sum(tf.cast(x, tf.uint8)),
        ]  # fmt: skip

    return pure(f, np.array([7, -7, 1 << 40, -3]), np.array([2, 2, 3, -2]))


@model(FAMILY)
def indexing() -> Written:
    def f(x: Any, rows: Any) -> Any:
        return [
            x[1:, ::2], x[..., -1], x[:, None, 1], tf.gather(x, rows, axis=1), tf.gather_nd(x, rows[:, None]), tf.boolean_mask(x, x[:, 0] > 0),
            tf.where(x > 0, x, -1.0), tf.where(x > 0.5), tf.transpose(x), tf.reverse(x, [1]), tf.roll(x, 1, 1), tf.tile(x, [2, 1]),
            tf.pad(x, [[1, 0], [0, 2]], "REFLECT"), tf.split(x, 2, axis=1), tf.stack([x, x], 1), tf.unstack(x, axis=1), tf.concat([x, x], 0),
            tf.scatter_nd(rows[:, None], x[:2], [5, 4]), tf.tensor_scatter_nd_update(x, rows[:, None], x[:2] * 0), tf.repeat(x, 2, axis=0),
            tf.meshgrid(x[0], x[1]), tf.sequence_mask(rows, 4), tf.linalg.band_part(x, 1, 0), tf.linalg.diag(x[0]), tf.reshape(x, [-1, 2, 2]),
            tf.broadcast_to(x[:1], [2, 4]), tf.expand_dims(x, 1), tf.squeeze(x[:1], 0), tf.space_to_batch(x[None, :, :, None], [1, 2], [[0, 0], [0, 0]]),
            tf.dynamic_partition(x, [0, 1, 0], 2), tf.dynamic_stitch([[0, 2], [1]], [x[:2], x[2:]]), tf.argmax(x, 1), tf.rank(x), tf.size(x),
        ]  # fmt: skip

    return pure(f, numbers(3, 4), np.array([2, 0], np.int32))


@model(FAMILY)
def einsums() -> Written:
    def f(a: Any, b: Any) -> Any:
        return [
            tf.einsum("bij,bjk->bik", a, b), tf.einsum("bij->bji", a), tf.einsum("bij,bjk->", a, b), tf.einsum("...ij,...jk->...ik", a, b),
            tf.einsum("bii->bi", a[:, :, :3]), tf.tensordot(a, b, [[2], [1]]), tf.matmul(a, b), tf.matmul(a, a, transpose_b=True),
            tf.linalg.matvec(a, b[:, :, 0]), tf.einsum("abc,cde->abde", a, tf.transpose(b, [1, 2, 0])),
        ]  # fmt: skip

    return pure(f, numbers(2, 3, 4), numbers(2, 4, 5, seed=1))


@model(FAMILY)
def linear_algebra() -> Written:
    def f(x: Any) -> Any:
        a, g = tf.linalg, tf.matmul(x, x, transpose_a=True) + 2.0 * tf.eye(3)
        lower, (q, r) = a.cholesky(g), a.qr(g)
        return [
            lower, a.inv(g), a.det(g), a.slogdet(g), a.solve(g, tf.ones([2, 3, 1])), a.triangular_solve(lower, tf.ones([2, 3, 1])),
            q @ r, tf.abs(r), a.svd(g, compute_uv=False), a.eigvalsh(g), a.expm(g * 0.1), a.lstsq(x, x[..., :1]), a.trace(g), a.norm(g, axis=[1, 2]),
            a.logdet(g), a.pinv(x), a.matrix_rank(g), a.sqrtm(g), a.cross(x[:, 0], x[:, 1]), a.global_norm([x, g]), a.lu(g)[0], a.tridiagonal_matmul(
                (tf.ones([2, 3]), tf.ones([2, 3]), tf.ones([2, 3])), g, diagonals_format="sequence"),
        ]  # fmt: skip

    return pure(f, numbers(2, 4, 3))


@model(FAMILY)
def signals() -> Written:
    def f(x: Any) -> Any:
        s = tf.signal
        stft = s.stft(x, 16, 8, 16)
        mel = s.linear_to_mel_weight_matrix(6, 9, 8000.0, 100.0, 3500.0)
        power = tf.abs(stft) ** 2
        return [
            s.rfft(x), s.irfft(s.rfft(x)), s.fft(tf.cast(x, tf.complex64)), s.fft2d(tf.cast(x, tf.complex64)), stft,
            s.inverse_stft(stft, 16, 8, 16), tf.tensordot(power, mel, 1), s.dct(x), s.idct(x), s.frame(x, 5, 3), s.hann_window(9),
            s.mfccs_from_log_mel_spectrograms(tf.math.log(tf.tensordot(power, mel, 1) + 1e-3)), s.overlap_and_add(s.frame(x, 8, 4), 4), s.fftshift(x),
        ]  # fmt: skip

    return pure(f, numbers(2, 64))


@model(FAMILY)
def complex_numbers() -> Written:
    def f(x: Any) -> Any:
        y = tf.complex(x, x * 0.5 + 1.0)
        return [
            y * y, tf.math.conj(y), tf.abs(y), tf.math.angle(y), tf.math.real(y), tf.exp(y), tf.sqrt(y), y / (y + 1.0), y @ tf.linalg.adjoint(y),
            tf.reduce_prod(y), tf.sin(y), tf.math.log(y), tf.cast(y, tf.complex128), tf.linalg.inv(y @ tf.linalg.adjoint(y) + tf.eye(2, dtype=tf.complex64)),
        ]  # fmt: skip

    return pure(f, numbers(2, 3))


@model(FAMILY)
def neural_networks() -> Written:
    def f(x: Any) -> Any:
        n, kernel = tf.nn, tf.constant(numbers(3, 3, 4, 8) * 0.2)
        y = n.conv2d(x, kernel, [1, 2, 2, 1], [[0, 0], [1, 2], [2, 1], [0, 0]])
        return [
            y, n.depthwise_conv2d(x, kernel[..., :2], [1, 1, 1, 1], "SAME", dilations=[2, 2]), n.conv2d_transpose(n.conv2d(x, kernel, 2, "SAME"), kernel, [2, 8, 8, 4], 2),
            n.separable_conv2d(x, kernel[..., :1], kernel[:1, :1], [1, 1, 1, 1], "VALID"), n.max_pool_with_argmax(x, 2, 2, "VALID"), n.avg_pool2d(x, 3, 2, "SAME"),
            n.fractional_avg_pool(x, [1, 1.5, 1.5, 1], seed=3)[0] * 0, n.local_response_normalization(x), n.batch_normalization(x, 0.1, 2.0, 0.3, 0.4, 1e-3),
            n.moments(x, [0, 1]), n.softmax(x), n.log_softmax(x, 1), n.elu(x), n.selu(x), n.gelu(x), n.swish(x), n.leaky_relu(x), n.crelu(x), n.relu6(x),
            n.space_to_depth(x, 2), n.depth_to_space(x, 2), n.dilation2d(x, kernel[..., 0], [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]), n.erosion2d(
                x, kernel[..., 0], [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]), n.sigmoid_cross_entropy_with_logits(tf.ones_like(x), x), n.l2_loss(x),
            n.atrous_conv2d(x, kernel, 2, "SAME"), n.conv1d(x[:, 0], kernel[0], 1, "SAME"), n.pool(x, [2, 2], "AVG", dilations=[2, 1]),
            n.ctc_greedy_decoder(tf.transpose(x[:, 0], [1, 0, 2]), [8, 8])[1], n.ctc_loss(tf.constant([[1, 2], [2, 0]]), x[:, 0], [2, 1], [8, 8], False, blank_index=0),
        ]  # fmt: skip

    return pure(f, numbers(2, 8, 8, 4))


@model(FAMILY)
def convolutions_of_volumes() -> Written:
    def f(x: Any) -> Any:
        kernel = tf.constant(numbers(2, 3, 2, 3, 4))
        return [
            tf.nn.conv3d(x, kernel, [1, 1, 2, 1, 1], "SAME"), tf.nn.conv3d(x, kernel, [1] * 5, "VALID"), tf.nn.max_pool3d(x, 2, 2, "SAME"), tf.nn.avg_pool3d(x, 2, 1, "VALID"),
            tf.nn.conv3d_transpose(tf.nn.conv3d(x, kernel, [1, 2, 2, 2, 1], "SAME"), kernel, [1, 4, 5, 6, 3], [1, 2, 2, 2, 1]),
        ]  # fmt: skip

    return pure(f, numbers(1, 4, 5, 6, 3))


@model(FAMILY)
def random_numbers_from_seeds() -> Written:
    def f(seed: Any) -> Any:
        r = tf.random
        return [
            r.stateless_uniform([3, 2], seed), r.stateless_normal([5], seed), r.stateless_uniform([4], seed, 0, 10, tf.int32), r.stateless_truncated_normal([3], seed),
            r.stateless_categorical([[0.1, 2.0, 0.3]], 6, seed), r.split(seed, 3), r.fold_in(seed, 7), r.experimental.stateless_shuffle(tf.range(8), seed),
            r.stateless_uniform([3], seed, None, None, tf.uint32), r.stateless_poisson([4], seed, [1.0, 2.0, 3.0, 40.0]), r.stateless_gamma([3], seed, 0.7),
            r.stateless_binomial([4], seed, 10.0, 0.3), r.stateless_normal([2], seed, dtype=tf.float16), r.stateless_uniform([2], seed, alg="philox"),
            tf.image.stateless_random_crop(tf.reshape(tf.range(48), [4, 4, 3]), [2, 2, 3], seed), tf.nn.experimental.stateless_dropout(tf.ones([6]), 0.5, seed),
        ]  # fmt: skip

    root = module(f=tf.function(f, input_signature=[spec(2, dtype=tf.int32)]))
    return Written(root, [call("f", np.array([seed, 7], np.int32)) for seed in (0, 12345)])


@model(FAMILY)
def half_precision() -> Written:
    kernel = tf.Variable(numbers(4, 3))

    def f(x: Any) -> Any:
        half, brain = tf.cast(x, tf.float16), tf.cast(x, tf.bfloat16)
        return [
            half @ tf.cast(kernel, tf.float16), brain @ tf.cast(kernel, tf.bfloat16), tf.nn.softmax(half), tf.reduce_sum(brain, 1), tf.exp(brain), half > 0,
            tf.nn.relu(brain) + 1, tf.cast(brain, tf.float32), tf.reduce_mean(half, 0), tf.argmax(brain, 1),
        ]  # fmt: skip

    return pure(f, numbers(3, 4), kernel=kernel)


@model(FAMILY)
def quantization() -> Written:
    def f(x: Any) -> Any:
        q = tf.quantization
        return [
            q.fake_quant_with_min_max_args(x, -1.0, 2.0), q.fake_quant_with_min_max_vars(x, -0.5, 1.5, num_bits=4, narrow_range=True),
            q.fake_quant_with_min_max_vars_per_channel(x, [-1.0, -2.0, 0.0, -3.0], [1.0, 2.0, 3.0, 4.0]), q.quantize_and_dequantize_v2(x, -1.0, 1.0, range_given=True),
            q.dequantize(*q.quantize(x, -2.0, 2.0, tf.quint8)),
        ]  # fmt: skip

    return pure(f, numbers(3, 4))


@model(FAMILY)
def attention_written_out() -> Written:
    weights = [tf.Variable(numbers(8, 8, seed=seed) * 0.3) for seed in range(4)]

    def f(x: Any, mask: Any) -> Any:
        q, k, v = [tf.reshape(x @ weight, [tf.shape(x)[0], -1, 2, 4]) for weight in weights[:3]]
        scores = tf.einsum("bqhd,bkhd->bhqk", q, k) / 2.0
        scores += tf.where(mask[:, None, None, :], 0.0, -1e9)
        mixed = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), v)
        y = x + tf.reshape(mixed, tf.shape(x)) @ weights[3]
        mean, variance = tf.nn.moments(y, [-1], keepdims=True)
        return (y - mean) * tf.math.rsqrt(variance + 1e-6)

    mask = np.array([[True, True, True, False, False], [True] * 5])
    return pure(f, numbers(2, 5, 8), mask, weights=weights)


@model(FAMILY)
def a_detectors_last_steps() -> Written:
    def f(boxes: Any, scores: Any) -> Any:
        found = tf.image.combined_non_max_suppression(boxes[:, :, None], scores, 4, 5, 0.5, 0.2)
        picked, valid = tf.image.non_max_suppression_padded(
            boxes[0], scores[0, :, 0], 4, 0.5, pad_to_max_output_size=True
        )
        return found, picked * tf.cast(tf.range(4) < valid, tf.int32)

    corners = np.random.default_rng(1).uniform(0, 0.6, (1, 9, 2)).astype(np.float32)
    return pure(f, np.concatenate([corners, corners + 0.35], -1), np.abs(np.tanh(numbers(1, 9, 2))))
