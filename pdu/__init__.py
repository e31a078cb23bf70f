"""SMPP 3.4 on the wire: octets to values and back, in both directions.

Knows no socket, no clock and no account; imports the standard library only."""
