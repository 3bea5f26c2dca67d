"""Our messages against TensorFlow's: names, numbers, types; and both in one process."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import tensorflow  # noqa: F401 (loads its messages into the descriptor pool)
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

OURS = "modtf.saved_model.protos."
THEIRS = "tensorflow."
FILES = ("tensor", "graph", "structure", "object_graph", "saved_model", "checkpoint", "example")
FRAMEWORK = """
    attr_value full_type function graph graph_debug_info node_def op_def resource_handle tensor tensor_shape
    tensor_slice types variable versions
"""
PROTOBUF = """
    fingerprint meta_graph saved_model saved_object_graph saver struct tensor_bundle trackable_object_graph
"""
TENSORFLOW_MODULES = [
    f"tensorflow.core.{folder}.{name}_pb2"
    for folder, names in {"framework": FRAMEWORK, "protobuf": PROTOBUF, "example": "example feature"}.items()
    for name in names.split()
] + ["tensorflow.core.util.saved_tensor_slice_pb2", "tensorflow.python.training.checkpoint_state_pb2"]


def declared_in(files: list[FileDescriptor]) -> dict[str, Descriptor | EnumDescriptor]:
    """All messages and enums of the files, the nested ones too, by their full names."""
    found: dict[str, Descriptor | EnumDescriptor] = {}

    def add(message: Descriptor) -> None:
        found[message.full_name] = message
        found.update({enum.full_name: enum for enum in message.enum_types})
        for nested in message.nested_types:
            add(nested)

    for file in files:
        found.update({enum.full_name: enum for enum in file.enum_types_by_name.values()})
        for message in file.message_types_by_name.values():
            add(message)
    return found


def file_of(module: str) -> FileDescriptor:
    return importlib.import_module(module).DESCRIPTOR


ours = declared_in([file_of(f"{OURS}{name}_pb2") for name in FILES])
theirs = declared_in([file_of(name) for name in TENSORFLOW_MODULES])


def described(field: FieldDescriptor) -> dict[str, object]:
    """What decides how a field is encoded and what it means."""
    referred = field.message_type or field.enum_type
    oneof = field.containing_oneof
    return {
        "number": field.number,
        "type": field.type,
        "of": referred and referred.full_name.removeprefix(OURS).removeprefix(THEIRS),
        "repeated": field.is_repeated,
        "packed": field.is_packed,
        "oneof": oneof and oneof.name,
    }


@pytest.mark.parametrize("name", sorted(ours))
def test_a_message_or_enum_is_tensorflows(name: str) -> None:
    our, their = ours[name], theirs[THEIRS + name.removeprefix(OURS)]
    if isinstance(our, EnumDescriptor):
        assert {value.name: value.number for value in our.values} == {
            value.name: value.number for value in their.values
        }
    else:
        assert our.GetOptions().map_entry == their.GetOptions().map_entry
        assert {field.name: described(field) for field in our.fields} == {
            field.name: described(field) for field in their.fields
        }


def test_none_of_tensorflows_messages_is_missing() -> None:
    assert {name.removeprefix(THEIRS) for name in theirs} - {name.removeprefix(OURS) for name in ours} == {
        "SerializedDType"  # no file holds one
    }


@pytest.mark.parametrize("imports", ["{theirs}; {ours}", "{ours}; {theirs}"], ids=["after", "before"])
def test_both_in_one_process(imports: str) -> None:
    code = imports.format(
        ours="from modtf.saved_model.protos import " + ", ".join(f"{name}_pb2" for name in FILES),
        theirs="import tensorflow; from tensorflow.core.protobuf import saved_model_pb2 as saved_model",
    )
    code += "; assert saved_model.SavedModel.DESCRIPTOR.full_name == 'tensorflow.SavedModel'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
