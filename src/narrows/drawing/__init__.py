"""What is drawn: curves, sheets of examples and the frame of a page, from arrays and texts; no model is seen here."""
