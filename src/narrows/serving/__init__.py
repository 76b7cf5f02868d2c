"""Models behind HTTP: an inference service, and what the explorer's server shares with it (`guard`, `images`)."""
