"""A load generator for any SMPP 3.4 server: what it bears, as the customer sees it.

Invariant: it reads and writes SMPP by itself and is a client only. Of this product it knows the text codecs and the
names of statuses in `pdu`, and no other room: a mistake of the server must not be able to hide in code that both share.
"""
