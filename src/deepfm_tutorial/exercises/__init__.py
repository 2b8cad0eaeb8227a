"""Checks for the exercises: each takes an answer and says what is wrong with it.

A check raises `AssertionError` with a message that helps, or prints that the answer
is right. Chapter 1's are in `chapter_01`, and so on; all compare by `_compare`. In a
session whose language has a catalogue they speak that: see `_language`.
"""
from ._language import in_readers_language
from .chapter_01 import (
    check_csr_pays,
    check_hashed,
    check_ids_by_hand,
    check_rare_as_unseen,
    check_weights_of_newcomer,
    check_without_offsets,
)
from .chapter_02 import (
    check_absorbed,
    check_fewest_features,
    check_field_aware,
    check_new_logit,
    check_triples,
)
from .chapter_03 import (
    check_inner_products,
    check_inside_pairs,
    check_surviving_terms,
    check_swapped_tables,
)
from .chapter_04 import (
    check_gradient_by_product,
    check_mean_of_tags,
    check_useless,
    check_weighted_gradient,
)
from .chapter_05 import (
    check_dropout_growth,
    check_forward_and_slope,
    check_leaky_scale,
    check_signed_sum,
)
from .chapter_06 import (
    check_both_sides,
    check_deepfm_count,
    check_focal_loss,
    check_two_sigmoids,
)
from .chapter_07 import (
    check_auc_with_ties,
    check_best_accuracy,
    check_temperature,
    check_undo_sampling,
)
from .chapter_08 import (
    check_acquaintances,
    check_bins,
    check_holm,
    check_ten_years,
)
from .chapter_09 import (
    check_best_of_five,
    check_gauc,
    check_liked_rate,
    check_paired_interval,
)
from .chapter_10 import (
    check_centred_fm,
    check_decayed,
    check_importance,
    check_misleading_shift,
    check_pure_by_hand,
)
from .chapter_11 import check_buckets_needed, check_catch_up, check_gradient_rows
from .chapter_12 import check_bytes_of_a_step, check_mean_of_all, check_most_workers
from .chapter_13 import (
    check_codes_by_hand,
    check_four_bit_packing,
    check_undo_second_sigmoid,
)
from .chapter_14 import check_rate_to_come, check_rows_needed, check_z_limit
from .chapter_16 import check_bag_inputs, check_first_steps, check_running_variance

__all__ = [name for name in dir() if name.startswith("check_")]
globals().update({name: in_readers_language(globals()[name]) for name in __all__})


def __dir__() -> list[str]:
    """Name only the checks: completion shows a reader nothing else then."""
    return __all__
