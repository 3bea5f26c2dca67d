"""Optimizers (`keras.optimizers`): how weights follow from gradients."""

from modtf.layers.optimizers import schedules
from modtf.layers.optimizers.adam import Adam, AdamW
from modtf.layers.optimizers.optimizer import Optimizer
from modtf.layers.optimizers.rmsprop import RMSprop
from modtf.layers.optimizers.sgd import SGD
from modtf.layers.serialization import Registry, serialize

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize"]

_registry = Registry("optimizer", [SGD, Adam, AdamW, RMSprop])
get = _registry.get
deserialize = _registry.deserialize
