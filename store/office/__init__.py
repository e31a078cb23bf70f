"""What the office keeps, away from the message's road: people, what they changed, and what their work leaves behind.

Each module has its records and one class over a `Database`. A change and its line in the log commit together.
"""
