"""Tables as people have them: which kind of values each column holds, and cells ↔ numbers; knows no model."""
