"""Chapter 6's stored runs are those that its study would make."""
from itertools import product

import numpy as np
from mxnet import nd
from samples import copy
from sklearn.metrics import roc_auc_score
from stored import check_cases

from deepfm_tutorial import FM, DeepFM
from studies import deepfm_claims, study


def test_each_run_is_stored_once():
    check_cases(study.read("deepfm_claims_tables"), ["tables", "seed"],
                product(deepfm_claims.TABLES, deepfm_claims.TABLE_SEEDS))
    check_cases(study.read("deepfm_claims_products"),
                ["factors", "rows", "model", "seed"],
                product(deepfm_claims.FACTORS, deepfm_claims.NUM_ROWS,
                        deepfm_claims.PRODUCT_MODELS, deepfm_claims.PRODUCT_SEEDS))


def test_a_run_comes_out_as_it_is_stored():
    stored = study.read("deepfm_claims_products").set_index(
        ["factors", "rows", "model", "seed"]).found
    again = deepfm_claims.product_run(2, 8000, "FM", 1)
    assert abs(again["found"] - stored[2, 8000, "FM", 1]) < 0.002


def test_with_equal_tables_two_tables_say_what_deepfm_says():
    ids = np.random.default_rng(0).integers([0, 4], [4, 7], size=(50, 2))
    shared, separate = (deepfm_claims.with_tables(name, (4, 3))
                        for name in deepfm_claims.TABLES)
    for model in (shared, separate):
        model.initialize()
    for parameter in shared.collect_params().values():
        parameter.set_data(parameter.data() + 0.1)
    copy(shared.first_order, separate.fm.first_order)
    for half in (separate.fm, separate.dnn):
        copy(shared.embedding, half.embedding)
    copy(shared.mlp, separate.dnn.mlp)
    np.testing.assert_allclose(separate(ids).asnumpy(), shared(ids).asnumpy(),
                               rtol=1e-4, atol=1e-5)
    assert isinstance(shared, DeepFM)
    factors = [sum(p.shape[1] for name, p in model.collect_params().items()
                   if "factors" in name) for model in (shared, separate)]
    assert factors == [8, 16]


def test_found_is_one_for_the_truth_and_what_clicks_say_on_average():
    world = deepfm_claims.Product(2, seed=0)

    assert abs(np.log(world.p / (1 - world.p)).std() - 2) < 0.5
    z = np.log(world.p / (1 - world.p)).reshape(50, 50)
    left, sizes, right = np.linalg.svd(z)
    np.testing.assert_allclose(sizes[2:], 0, atol=1e-6)  # two factors, no more
    model = FM((50, 50), 2)
    model.initialize()
    model.embedding.factors.set_data(nd.array(np.concatenate(
        [left[:, :2] * sizes[:2], right[:2].T])))
    assert abs(world.found(model) - 1) < 1e-5
    (ids, labels), p = world.draw(200_000), world.p.reshape(50, 50)
    drawn = roc_auc_score(labels, p[ids[:, 0], ids[:, 1] - 50])
    expected = deepfm_claims.comparison.auc(world.p, world.p)
    assert abs(drawn - expected) < 0.005
