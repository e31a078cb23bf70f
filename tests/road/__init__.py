"""The whole road over real sockets: a server of its own, customers that count every octet, and the books."""
