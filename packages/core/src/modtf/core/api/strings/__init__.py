"""`tf.strings`: functions of strings, which are bytes; those with `unicode` in their names read text in them.

Functions of one string each take ragged tensors too.
"""

from modtf.core.api.strings.elementwise import (
    as_string,
    join,
    length,
    lower,
    regex_full_match,
    regex_replace,
    strip,
    substr,
    to_hash_bucket,
    to_hash_bucket_fast,
    to_hash_bucket_strong,
    to_number,
    unicode_script,
    unicode_transcode,
    upper,
)  # fmt: skip
from modtf.core.api.strings.joining import format, ngrams, reduce_join, unsorted_segment_join
from modtf.core.api.strings.splitting import (
    bytes_split,
    split,
    unicode_decode,
    unicode_decode_with_offsets,
    unicode_encode,
    unicode_split,
    unicode_split_with_offsets,
)  # fmt: skip

__all__ = [
    "as_string", "bytes_split", "format", "join", "length", "lower", "ngrams", "reduce_join", "regex_full_match",
    "regex_replace", "split", "strip", "substr", "to_hash_bucket", "to_hash_bucket_fast", "to_hash_bucket_strong",
    "to_number", "unicode_decode", "unicode_decode_with_offsets", "unicode_encode", "unicode_script", "unicode_split",
    "unicode_split_with_offsets", "unicode_transcode", "unsorted_segment_join", "upper",
]  # fmt: skip
