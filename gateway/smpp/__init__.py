"""SMPP towards the customers: sessions, the links that carry them, and one handler per command."""
