"""The lecture's first half, in its order: from the threshold unit to convolution and pooling.

NumPy and SciPy only; nothing here imports the rest of narrows, and each file is meant to be read at a sitting.
"""
