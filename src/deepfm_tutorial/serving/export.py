"""A trained model as a graph of operators: MXNet's own form, and ONNX (chapter 13)."""
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import mxnet as mx

from ..embeddings import INPUTS, FieldBlock, input_symbols, named_parameters

OPSET = 13
"""The version of ONNX's operators that each file is stamped with.

MXNet writes its operators as opset 13 defines them (ONNX 1.8, November 2020). Left
alone, it stamps the newest that the installed onnx knows, and an engine refuses what it
does not know.
"""

IR_VERSION = 7
"""The version of ONNX's file format that each file is stamped with, opset 13's own."""


LARGEST = 2**31 - 2**20
"""Bytes of parameters that fit into an ONNX file, with a little room for the graph.

The file is one protobuf message, whose length is a signed 32-bit number.
"""


def graph_of(model: FieldBlock, with_values: bool = False) -> mx.sym.Symbol:
    """Return the graph of the model's logits, a Symbol with the output `logits_output`.

    Its inputs are `ids` (B, F) int32 and, if `with_values`, `values` (B, F) float32.
    Dropout does nothing in it, and batch norm uses its running means. Parameters have
    the names that `model.save_parameters` gives them, such as `embedding.factors`.
    """
    logits = model(*input_symbols(with_values))
    graph = json.loads(mx.sym.identity(logits, name="logits").tojson())
    named = {p.name: name for name, p in named_parameters(model).items()}
    for node in graph["nodes"]:
        node["name"] = named.get(node["name"], node["name"])
    return mx.sym.load_json(json.dumps(graph))


def write_onnx(path: str | Path, model: FieldBlock, with_values: bool = False) -> None:
    """Write the model's graph and parameters to an ONNX file, for any number of rows.

    Inputs and parameters are named as in `graph_of`; the output is `logits` (B,). The
    file is of `OPSET` and `IR_VERSION`, so that onnxruntime 1.7 and later open it.

    Raises:
        ValueError: the parameters have more than `LARGEST` bytes.
    """
    import onnx  # only who exports needs it

    check_size(model)
    weights = {name: p.data() for name, p in named_parameters(model).items()}
    types = [INPUTS[given.name] for given in input_symbols(with_values)]
    num_fields = len(model.field_sizes)
    columns = "columns" if model.pooled else num_fields
    with _onnx_mapping(onnx):
        mx.onnx.export_model(graph_of(model, with_values), weights, in_types=types,
                             in_shapes=[(1, num_fields)] * len(types),
                             onnx_file_path=str(path), dynamic=True,
                             dynamic_input_shapes=[("rows", columns)] * len(types))
    exported = onnx.load(path)
    _fix_parameters(exported.graph)
    exported.ir_version, exported.opset_import[0].version = IR_VERSION, OPSET
    onnx.checker.check_model(exported)
    onnx.save(exported, path)


def check_size(model: FieldBlock) -> None:
    """Raise ValueError if an ONNX file cannot hold the model."""
    size = 4 * sum(p.data().size for p in named_parameters(model).values())
    if size > LARGEST:
        raise ValueError(f"the model's parameters have {size:,} bytes: an ONNX file "
                         f"holds at most {LARGEST:,}")


def _fix_parameters(graph: Any) -> None:
    """Take the parameters off the list of inputs, where MXNet puts them, too."""
    fixed = {parameter.name for parameter in graph.initializer}
    inputs = [given for given in graph.input if given.name not in fixed]
    del graph.input[:]
    graph.input.extend(inputs)


@contextmanager
def _onnx_mapping(onnx: ModuleType) -> Iterator[None]:
    """Lend onnx `onnx.mapping`, which MXNet's exporter reads and onnx 1.19 removed."""
    if hasattr(onnx, "mapping"):
        yield
        return
    number_of = onnx.helper.np_dtype_to_tensor_dtype
    undefined = onnx.TensorProto.UNDEFINED
    numbers = [n for n in onnx.TensorProto.DataType.values() if n != undefined]
    dtypes = {n: onnx.helper.tensor_dtype_to_np_dtype(n) for n in numbers}
    lent = ModuleType("onnx.mapping")
    lent.TENSOR_TYPE_TO_NP_TYPE = dtypes
    lent.NP_TYPE_TO_TENSOR_TYPE = {dtype: number_of(dtype) for dtype in dtypes.values()}
    onnx.mapping = sys.modules["onnx.mapping"] = lent
    try:
        yield
    finally:
        del onnx.mapping, sys.modules["onnx.mapping"]
