"""A trained model as a graph of operators: MXNet's own form, and ONNX (chapter 12)."""
import json

import mxnet as mx

from .updates import named_parameters

INPUTS = {"ids": "int32", "values": "float32"}
"""What a graph takes, each (B, F), and of which type. Only continuous fields need `values`."""


def input_names(with_values):
    """Return the names of a graph's inputs, in order."""
    return list(INPUTS) if with_values else ["ids"]


def graph_of(model, with_values=False):
    """Return the graph that computes the model's logits, a Symbol with the output `logits_output`.

    Its inputs are `ids` (B, F) int32 and, if `with_values`, `values` (B, F) float32. Dropout does
    nothing in it, and batch norm uses its running means. Parameters have the names that
    `model.save_parameters` gives them, such as `embedding.factors`.
    """
    inputs = [mx.sym.var(name, dtype=INPUTS[name]) for name in input_names(with_values)]
    graph = json.loads(mx.sym.identity(model(*inputs), name="logits").tojson())
    named = {p.name: name for name, p in named_parameters(model).items()}
    for node in graph["nodes"]:
        node["name"] = named.get(node["name"], node["name"])
    return mx.sym.load_json(json.dumps(graph))


def write_onnx(path, model, with_values=False):
    """Write the model's graph and parameters to an ONNX file, for any number of rows.

    Inputs and parameters are named as in `graph_of`; the output is `logits` (B,). The file is one
    protobuf message, which can have 2 GB at most.
    """
    import onnx  # only who exports needs it

    graph = graph_of(model, with_values)
    types = [INPUTS[name] for name in input_names(with_values)]
    num_fields = len(model.field_sizes)
    mx.onnx.export_model(graph, {name: p.data() for name, p in named_parameters(model).items()},
                         in_shapes=[(1, num_fields)] * len(types), in_types=types,
                         onnx_file_path=str(path), dynamic=True,
                         dynamic_input_shapes=[("rows", num_fields)] * len(types))
    exported = onnx.load(path)
    _fix_parameters(exported.graph)
    onnx.checker.check_model(exported)
    onnx.save(exported, path)


def _fix_parameters(graph):
    """MXNet lists parameters among the inputs too, as if each call might bring others."""
    fixed = {parameter.name for parameter in graph.initializer}
    inputs = [given for given in graph.input if given.name not in fixed]
    del graph.input[:]
    graph.input.extend(inputs)
