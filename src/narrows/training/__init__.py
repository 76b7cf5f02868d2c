"""Training: one loop, a generator of steps, that every caller consumes."""
