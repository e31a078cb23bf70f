"""The running thing: composes pdu, acl and store; the only place that knows transports, clocks and threads."""
