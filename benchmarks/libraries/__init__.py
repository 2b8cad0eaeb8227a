"""One module a library, all with the same three calls.

`Trainer(data, batch_norm)` takes the arrays of `data.write`; `new_model(seed)` starts
afresh; `train(epochs)` is what is timed; `predict()` returns the test rows'
probabilities.
"""
