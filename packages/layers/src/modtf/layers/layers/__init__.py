"""All layers (`keras.layers`), a family a file."""

from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer
from modtf.layers.layers.activation import Activation, ReLU, Softmax
from modtf.layers.layers.convolution import Conv2D, DepthwiseConv2D
from modtf.layers.layers.core import Dense, Identity, Input, InputLayer, Lambda
from modtf.layers.layers.merging import Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract
from modtf.layers.layers.normalization import BatchNormalization
from modtf.layers.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from modtf.layers.layers.preprocessing import Rescaling
from modtf.layers.layers.regularization import Dropout
from modtf.layers.layers.reshaping import Flatten, Reshape

AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "Activation", "Add", "Average", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Concatenate", "Conv2D",
    "Convolution2D", "Dense", "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalAvgPool2D",
    "GlobalMaxPool2D", "GlobalMaxPooling2D", "Identity", "Input", "InputLayer", "InputSpec", "Lambda", "Layer", "MaxPool2D",
    "MaxPooling2D", "Maximum", "Minimum", "Multiply", "ReLU", "Rescaling", "Reshape", "Softmax", "Subtract",
]  # fmt: skip
