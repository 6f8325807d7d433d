"""The HTTP face: parse, call, render. Holds no rule of its own."""
