"""What the page may ask, a module a view: each function takes the library, the model's id, and what the page says.

A module's ``__all__`` names its questions, and the classes of which their answers are; the server finds both there.
"""
