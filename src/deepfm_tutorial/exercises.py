"""Checks for the exercises: each takes a reader's answer and says what is wrong with it.

A check raises `AssertionError` with a message that helps, or prints that the answer is right.
"""
import numpy as np

RIGHT = "Right."
