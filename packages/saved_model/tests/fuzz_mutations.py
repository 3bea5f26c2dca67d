"""Damage: ways of changing the files of a model, chosen by a random number generator."""

from __future__ import annotations

import io
import itertools
import random
import re
import struct
from collections.abc import Callable
from typing import Any

import google_crc32c
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from modtf.saved_model import DataLossError, varint
from modtf.saved_model.crc import mask
from modtf.saved_model.protos.checkpoint_pb2 import BundleEntryProto, BundleHeaderProto, SavedTensorSlices
from modtf.saved_model.protos.object_graph_pb2 import TrackableObjectGraph
from modtf.saved_model.protos.saved_model_pb2 import SavedModel
from modtf.saved_model.sstable import read_table, write_table

Files = dict[str, bytes]
Random = random.Random

MODEL, TEXT_MODEL = "saved_model.pb", "saved_model.pbtxt"
_MAX_TEXT = 1 << 18  # protobuf reads text slowly: larger ones take seconds, sound or not
LINK = b"\0link to "
"""Begins the content of what becomes a symbolic link."""

NUMBERS = [
    0, 1, -1, 2, 3, 7, 63, 64, 65, 127, 128, 255, 256, 1 << 16, 1 << 20, (1 << 31) - 1, 1 << 31, -(1 << 31), 1 << 32,
    1 << 40, (1 << 62) + 1, (1 << 63) - 1, -(1 << 63), (1 << 64) - 1,
]  # fmt: skip
STRINGS = [
    "", "a", "../../../outside", "/etc/passwd", "x:0", "^x", "a/../..", "\0", ":", "::", "Const", "PartitionedCall",
    "Placeholder", "While", "NoOp", "1099511627776", "-1", "self", "__class__", "T", "a" * 5000,
]  # fmt: skip


def mutate(files: Files, rng: Random) -> tuple[Files, str]:
    """Returns the files of a model after some damage, and what was done."""
    files, done = dict(files), []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        possible = [(kind, weight) for kind, (weight, fits) in _KINDS.items() if fits(files)]
        (kind,) = rng.choices([kind for kind, _ in possible], [weight for _, weight in possible])
        kind(files, rng)
        done.append(kind.__name__.strip("_").replace("_", " "))
    return files, " + ".join(done)


# --- bytes ---------------------------------------------------------------------------------------------------------


def _flip_bits(files: Files, rng: Random) -> None:
    name, data = _some_file(files, rng)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    files[name] = bytes(data)


def _truncate(files: Files, rng: Random) -> None:
    name, data = _some_file(files, rng)
    files[name] = bytes(data[: rng.randrange(len(data) + 1)])


def _splice(files: Files, rng: Random) -> None:
    name, data = _some_file(files, rng)
    _, other = _some_file(files, rng)
    start = rng.randrange(len(other) + 1)
    piece = other[start : start + rng.choice((1, 4, 16, 64, 1000))]
    filler = rng.choice((piece, bytes(len(piece)), b"\xff" * len(piece), b""))
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, len(piece)))] = filler
    files[name] = bytes(data)


def _lie_about_a_length(files: Files, rng: Random) -> None:
    name, data = _some_file(files, rng)
    number = rng.choice(NUMBERS) & ((1 << 64) - 1)
    piece = rng.choice((varint.encode(number), struct.pack("<Q", number), struct.pack("<I", number & 0xFFFFFFFF)))
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((1, len(piece)))] = piece
    files[name] = bytes(data)


# --- files ---------------------------------------------------------------------------------------------------------


def _delete_a_file(files: Files, rng: Random) -> None:
    del files[rng.choice(sorted(files))]


def _exchange_files(files: Files, rng: Random) -> None:
    first, second = rng.choice(sorted(files)), rng.choice(sorted(files))
    files[first], files[second] = files[second], files[first]


def _link_elsewhere(files: Files, rng: Random) -> None:
    files[rng.choice(sorted(files))] = LINK + rng.choice((b"/etc/passwd", b"nowhere", b".", b"/dev/null", b".."))


def _rename_a_file(files: Files, rng: Random) -> None:
    name = rng.choice(sorted(files))
    files[name.replace("00000", "00001", 1) if "00000" in name else f"{name}x"] = files.pop(name)


# --- messages ------------------------------------------------------------------------------------------------------


def _edit_model(files: Files, rng: Random) -> None:
    _edit_message(files, MODEL, SavedModel, rng)


def _edit_text_model(files: Files, rng: Random) -> None:
    try:
        proto = text_format.Parse(files[TEXT_MODEL], SavedModel())
    except (text_format.ParseError, UnicodeDecodeError):
        return
    _change(proto, rng)
    if proto.ByteSize() > _MAX_TEXT:
        return
    files[TEXT_MODEL] = text_format.MessageToBytes(proto)


def _write_as_text(files: Files, rng: Random) -> None:
    try:
        proto = SavedModel.FromString(files[MODEL])
    except DecodeError:
        return
    _change(proto, rng)
    if proto.ByteSize() > _MAX_TEXT:
        return
    lines = text_format.MessageToString(proto).splitlines()
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(len(lines))
        lines[at : at + rng.choice((0, 1, 1))] = [
            rng.choice([*lines[at : at + 1], *rng.choices(lines), "}", "x {", "\0"])
        ]
    del files[MODEL]
    files[TEXT_MODEL] = "\n".join(lines).encode()


def _edit_message(files: Files, name: str, kind: type[Any], rng: Random) -> None:
    try:
        proto = kind.FromString(files[name])
    except DecodeError:
        return
    _change(proto, rng)
    files[name] = proto.SerializeToString(deterministic=True)


def _change(message: Message, rng: Random) -> None:
    words = [word.decode() for word in re.findall(rb"[\w/:^]{3,60}", message.SerializeToString(deterministic=True))]
    for _ in range(rng.choice((1, 1, 2, 5))):
        _change_one(message, words, rng)


def _change_one(message: Message, words: list[str], rng: Random) -> None:
    """Goes down into a message by chance, large parts being more likely, and changes something there."""
    for depth in itertools.count():
        found = message.ListFields()
        if not found or (depth > 0 and rng.random() < 0.06):
            if message.DESCRIPTOR.fields:
                _set_field(message, rng.choice(message.DESCRIPTOR.fields), words, rng)
            return
        field, value = rng.choices(found, [_weight(field, value, depth) for field, value in found])[0]
        is_message = field.type == FieldDescriptor.TYPE_MESSAGE
        if is_message and field.is_repeated and _is_map(field):
            keys = sorted(value)
            if rng.random() < 0.15:
                del value[rng.choice(keys)]
                return
            inner = value[rng.choice(keys)]
            if isinstance(inner, Message) and rng.random() < 0.15:
                key = (
                    rng.choice(words) if words and isinstance(keys[0], str) and rng.random() < 0.3 else rng.choice(keys)
                )
                value[key].CopyFrom(inner)
                return
            if not isinstance(inner, Message):
                return
            message = inner
        elif is_message and field.is_repeated:
            if rng.random() < (0.15 if depth else 0.01):
                _change_list(value, rng)
                return
            message = value[rng.randrange(len(value))]
        elif is_message:
            if rng.random() < 0.1:
                message.ClearField(field.name)
                return
            message = value
        else:
            _set_field(message, field, words, rng)
            return


def _weight(field: Any, value: Any, depth: int) -> float:
    if field.type != FieldDescriptor.TYPE_MESSAGE:
        return 1.0 if depth else 0.05
    if not field.is_repeated:
        return 1.0 + value.ByteSize() ** 0.5
    return 1.0 + 3 * len(value) ** 0.5


def _change_list(values: Any, rng: Random) -> None:
    place, other = rng.randrange(len(values)), rng.randrange(len(values))
    action = rng.choice(("delete", "repeat", "exchange", "overwrite", "multiply"))
    if action == "delete":
        del values[place]
    elif action == "overwrite":
        values[place].CopyFrom(values[other])
    elif action == "exchange":
        copy = type(values[place])()
        copy.CopyFrom(values[place])
        values[place].CopyFrom(values[other])
        values[other].CopyFrom(copy)
    else:
        many = 300 if values[place].ByteSize() < 1000 else 5
        for _ in range(1 if action == "repeat" else many):
            values.add().CopyFrom(values[place])


def _set_field(message: Any, field: Any, words: list[str], rng: Random) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if field.is_repeated and not _is_map(field):
            getattr(message, field.name).add()
        elif not field.is_repeated:
            getattr(message, field.name).SetInParent()
        return
    old = getattr(message, field.name)
    if not field.is_repeated:
        setattr(message, field.name, _new_value(field, old, words, rng))
    elif not old or rng.random() < 0.2:
        old.extend([_new_value(field, None, words, rng)] * rng.choice((1, 1, 5000)))
    elif rng.random() < 0.2:
        del old[rng.randrange(len(old))]
    else:
        place = rng.randrange(len(old))
        old[place] = _new_value(field, old[place], words, rng)


def _new_value(field: Any, old: Any, words: list[str], rng: Random) -> Any:
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return not old
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return rng.choice((0.0, -1.0, 1e30, float("nan"), float("inf"), 0.5))
    if kind == FieldDescriptor.CPPTYPE_STRING:
        if words and rng.random() < 0.4:
            word = rng.choice(words)
            return word.encode() if field.type == FieldDescriptor.TYPE_BYTES else word
        text = rng.choice([*STRINGS, *[old or ""] * 4])
        is_bytes = field.type == FieldDescriptor.TYPE_BYTES
        data = bytearray(text if isinstance(text, bytes) else text.encode())
        if data and rng.random() < 0.5:
            data[rng.randrange(len(data))] = rng.choice(b"0129_:x^/") if not is_bytes else rng.randrange(256)
        if data and rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        return bytes(data) if is_bytes else data.decode("utf-8", "ignore")
    number = rng.choice(NUMBERS) if rng.random() < 0.6 else (old or 0) + rng.choice((-1, 1, 2, 100))
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        number = rng.choice((*range(30), 101, 120, number))
    bits = (
        32
        if kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_ENUM)
        else 64
    )
    number &= (1 << bits) - 1
    signed = kind not in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    return number - (1 << bits) if signed and number >> (bits - 1) else number


def _is_map(field: Any) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


# --- checkpoints, with checksums that fit --------------------------------------------------------------------------


def read_index(data: bytes) -> dict[bytes, bytes]:
    """Returns what a table holds."""
    return dict(read_table(data, "the index"))


def write_index(items: dict[bytes, bytes]) -> bytes:
    """Returns a table."""
    file = io.BytesIO()
    write_table(file, sorted(items.items()))
    return file.getvalue()


def _edit_index(files: Files, rng: Random) -> None:
    name = rng.choice(_tables(files))
    try:
        items = read_index(files[name])
        for _ in range(rng.choice((1, 1, 2))):
            key = rng.choice(sorted(items))
            action = rng.random()
            if action < 0.1:
                del items[key]
            elif action < 0.2:
                items[_changed(key, rng)] = items[key]
            elif action < 0.3:
                items[key] = items[rng.choice(sorted(items))]
            else:
                kind = BundleEntryProto if key else BundleHeaderProto
                proto: Any = (kind if name.endswith(".index") else SavedTensorSlices).FromString(items[key])
                _change(proto, rng)
                items[key] = proto.SerializeToString()
    except Exception:  # damaged already
        return
    files[name] = write_index(items)


def _edit_block(files: Files, rng: Random) -> None:
    """Changes bytes of a block of a table, then its checksum."""
    name = rng.choice(_tables(files))
    data = bytearray(files[name])
    try:
        offset, size = _some_block(data, rng)
    except (DataLossError, ValueError):  # damaged already
        return
    for _ in range(rng.choice((1, 1, 2))):
        if size:
            data[offset + rng.randrange(size + 1)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    crc = google_crc32c.value(bytes(data[offset : offset + size + 1]))
    data[offset + size + 1 : offset + size + 5] = struct.pack("<I", mask(crc))
    files[name] = bytes(data)


def _some_block(data: bytearray, rng: Random) -> tuple[int, int]:
    """The offset and size of a block of a table: of the index, or of the only data block that small tables have."""
    numbers, at = [], 0
    for _ in range(4):
        number, at = varint.decode(bytes(data[-48:]), at, "the footer")
        numbers.append(number)
    metaindex, _, index, size = numbers
    if not 5 <= metaindex < index + size + 5 <= len(data) - 48:
        raise ValueError("no such table")
    return (index, size) if rng.random() < 0.3 else (0, metaindex - 5)


def _edit_values(files: Files, rng: Random) -> None:
    """Changes the data of a tensor or the description of the objects in it, then its checksum in the index."""
    name = rng.choice([name for name in _tables(files) if name.endswith(".index")] or [""])
    try:
        items = read_index(files[name])
        header = BundleHeaderProto.FromString(items[b""])
        key = rng.choice(sorted(items)[1:])
        if b"_CHECKPOINTABLE_OBJECT_GRAPH" in items and rng.random() < 0.7:
            key = b"_CHECKPOINTABLE_OBJECT_GRAPH"
        entry = BundleEntryProto.FromString(items[key])
        path = f"{name.removesuffix('.index')}.data-{entry.shard_id:05d}-of-{header.num_shards:05d}"
        data = bytearray(files[path])
        raw = bytes(data[entry.offset : entry.offset + entry.size])
        if key == b"_CHECKPOINTABLE_OBJECT_GRAPH":
            _, at = varint.decode(raw, 0, "")
            proto = TrackableObjectGraph.FromString(raw[at + 4 :])
            _change(proto, rng)
            text = proto.SerializeToString()
            checked = struct.pack("<I", len(text))
            stored = struct.pack("<I", mask(google_crc32c.value(checked)))
            raw, entry.offset, entry.size = varint.encode(len(text)) + stored + text, len(data), 0
            entry.size = len(raw)
            entry.crc32c = mask(google_crc32c.value(checked + stored + text))
            data += raw
        else:
            changed = bytearray(raw)
            changed[rng.randrange(len(changed))] = rng.randrange(256)
            data[entry.offset : entry.offset + entry.size] = changed
            entry.crc32c = mask(google_crc32c.value(bytes(changed)))
        items[key] = entry.SerializeToString()
        files[path], files[name] = bytes(data), write_index(items)
    except Exception:  # damaged already
        return


def _tables(files: Files) -> list[str]:
    return [name for name in sorted(files) if name.endswith(".index") or name.endswith("variables-00000-of-00001")]


def _changed(key: bytes, rng: Random) -> bytes:
    return rng.choice((key + b"x", key[:-1], b"\0" + key, b"\xff" + key, key.swapcase(), b"/".join([key, key])))


def _some_file(files: Files, rng: Random) -> tuple[str, bytearray]:
    name = rng.choice(sorted(files))
    return name, bytearray(files[name])


def _any(files: Files) -> bool:
    return bool(files)


_KINDS: dict[Callable[[Files, Random], None], tuple[int, Callable[[Files], bool]]] = {
    _flip_bits: (10, _any),
    _truncate: (6, _any),
    _splice: (8, _any),
    _lie_about_a_length: (8, _any),
    _delete_a_file: (1, _any),
    _exchange_files: (1, _any),
    _link_elsewhere: (1, _any),
    _rename_a_file: (1, _any),
    _edit_model: (60, lambda files: MODEL in files),
    _write_as_text: (3, lambda files: MODEL in files),
    _edit_text_model: (30, lambda files: TEXT_MODEL in files),
    _edit_index: (14, lambda files: bool(_tables(files))),
    _edit_block: (6, lambda files: bool(_tables(files))),
    _edit_values: (6, lambda files: bool(_tables(files))),
}
