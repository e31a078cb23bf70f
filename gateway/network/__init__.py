"""Towards the mobile networks: connectors, and the dispatch that feeds them and books what they report."""
