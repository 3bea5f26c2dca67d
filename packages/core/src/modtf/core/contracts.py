"""What the other packages, and third parties, build on: backends, plugins, ops, graphs, and what can be saved.

Together with the names of `modtf.core` itself this is all of core that may be used from outside.
"""

from modtf.core.backends.contract import CONTRACT_VERSION, ArrayBackend, Backend
from modtf.core.backends.selection import check_contract, get_backend
from modtf.core.engine.binding import Bound, home
from modtf.core.engine.calls import call_graph, is_stateful
from modtf.core.engine.concrete import ConcreteFunction, trace
from modtf.core.engine.context import scoped
from modtf.core.engine.custom_gradients import GraphGradient
from modtf.core.engine.execution import explain
from modtf.core.engine.functions import Function
from modtf.core.engine.graphs import Graph, Node
from modtf.core.engine.passes import copy_node, optimize
from modtf.core.engine.plugins import PLUGIN_CONTRACT_VERSION, CommandError, hookimpl, plugin_manager
from modtf.core.engine.vocabulary import Call, Op, find_kernel_dtype, get_op, op, register
from modtf.core.values.assets import AssetPath
from modtf.core.values.lists import TensorList
from modtf.core.values.resources import Handle, Resource
from modtf.core.values.tensors import EagerTensor, SymbolicTensor
from modtf.core.values.trackable import (
    ReusableSavedModel,
    SavedRoot,
    Trackable,
    Watched,
    call_when_set,
    is_trackable,
    is_waiting,
    tell_waiting,
)

__all__ = [
    "CONTRACT_VERSION", "PLUGIN_CONTRACT_VERSION", "ArrayBackend", "AssetPath", "Backend", "Bound", "Call", "CommandError",
    "ConcreteFunction", "EagerTensor", "Function", "Graph", "GraphGradient", "Handle", "Node", "Op", "Resource",
    "ReusableSavedModel", "SavedRoot", "SymbolicTensor", "TensorList", "Trackable", "Watched", "call_graph",
    "call_when_set", "check_contract", "copy_node", "explain", "find_kernel_dtype", "get_backend", "get_op", "home",
    "hookimpl", "is_stateful", "is_trackable", "is_waiting", "op", "optimize", "plugin_manager", "register", "scoped",
    "tell_waiting", "trace",
]  # fmt: skip
