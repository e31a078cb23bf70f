"""HTTP: the API, the socket it is served on, and what the public may ask. Knows the operator's desk, not the road."""
