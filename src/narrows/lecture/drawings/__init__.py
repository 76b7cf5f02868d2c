"""The lecture's figures: data of `narrows.foundations` in, Matplotlib figures out."""
