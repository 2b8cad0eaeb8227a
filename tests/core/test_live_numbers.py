"""What the live figure's page is given, held against the trained model itself."""
import base64

import numpy as np
import pytest
from mxnet import nd

from deepfm_tutorial import DeepFM, FieldEncoder
from deepfm_tutorial.live import live_deepfm

CATEGORIES = {"device": ("tablet", "phone"), "topic": ("news", "games", "film")}


def unpack(text, *shape):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


@pytest.mark.parametrize("hidden_units", [(4,), (4, 3)])
def test_the_pages_formula_on_the_pages_numbers_gives_the_models_logits(hidden_units):
    rng = np.random.default_rng(0)
    encoder = FieldEncoder().fit({"device": ["phone", "tablet", "phone"],
                                  "topic": ["film", "games", "news"]})
    model = DeepFM(encoder.field_sizes, 2, hidden_units)
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(nd.array(rng.normal(size=parameter.shape)))
    device, topic = (part.ravel() for part in np.meshgrid(range(2), range(3)))
    rows = {"device": np.array(CATEGORIES["device"])[device],
            "topic": np.array(CATEGORIES["topic"])[topic]}
    ids = encoder.transform(rows)
    table = rng.normal(size=(3, 2))
    page = live_deepfm(model, encoder, ids[3:4], CATEGORIES, -2.4,
                       {("topic", "device"): table}).numbers

    features = np.stack([device, 2 + topic], axis=1)  # counted without unseen ids
    E = unpack(page["factors"], 5, page["k"])[features]  # (6, F, k)
    hidden = E.reshape(6, -1)
    for number, layer in enumerate(page["layers"]):
        bias = unpack(layer["bias"], -1)
        hidden = hidden @ unpack(layer["weight"], len(bias), -1).T + bias
        if number < len(hidden_units):
            hidden = np.maximum(hidden, 0)
    z = (page["bias"] + unpack(page["weights"], 5)[features].sum(axis=1)
         + (E[:, 0] * E[:, 1]).sum(axis=1) + hidden[:, 0])
    np.testing.assert_allclose(z, model(ids).asnumpy(), rtol=1e-4, atol=1e-4)

    assert page["start"] == [device[3], topic[3]]
    assert page["fields"] == [{"name": name, "categories": categories}
                              for name, categories in CATEGORIES.items()]
    (planted,) = page["truth"]["tables"]
    assert page["truth"]["bias"] == -2.4 and planted["fields"] == [1, 0]
    np.testing.assert_array_equal(unpack(planted["values"], 3, 2),
                                  table.astype(np.float32))
