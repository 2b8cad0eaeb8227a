from ._validation import as_numpy
