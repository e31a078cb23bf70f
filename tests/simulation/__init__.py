"""The whole gateway in a world of its own: time that jumps, a network and a disk that fail, all decided by one seed."""
