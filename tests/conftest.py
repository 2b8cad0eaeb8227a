import deepfm_tutorial  # noqa: F401  (before any test module imports MXNet)
