"""Dense nets, forward and backward by hand: K models at once, exact to automatic differentiation."""
