"""`tf.image`: resizing, cutting, turning, colouring, measuring, decoding and encoding images."""

from modtf.core.api.image.adjusting import *
from modtf.core.api.image.boxes import *
from modtf.core.api.image.codecs import *
from modtf.core.api.image.colour import *
from modtf.core.api.image.cropping import *
from modtf.core.api.image.geometry import *
from modtf.core.api.image.metrics import *
from modtf.core.api.image.resizing import *
