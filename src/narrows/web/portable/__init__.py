"""A fitted model for a page that has no server: what JavaScript needs to compute with it, as one frame of the wire."""
