"""Numbers about a fitted model, and the plain baselines it has to beat."""
