"""The composition root: selects the implementations and wires them together. No other package does."""
