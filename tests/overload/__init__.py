"""More than there is room for, and for longer than anybody watches."""
