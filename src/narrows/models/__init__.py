"""The theory, one part per file: corruption, nets, bottleneck, likelihood, prior, objective, and the model they make.

An input is corrupted, pressed through a bottleneck into a code, turned by a likelihood back into a distribution over
inputs, and a prior says where new codes come from; an objective says how the parts are trained together.
"""
