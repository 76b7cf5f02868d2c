"""Kernels in C, for what a framework's overhead or memory's slowness would be most of the time of."""
