"""What the page may ask, a module a view: each function takes the library, the model's id, and what the page says."""
