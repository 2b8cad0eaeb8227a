"""The stored speed results: complete, made with today's settings, and what the book claims of them."""
import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import profiler  # noqa: F401

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
