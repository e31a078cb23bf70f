"""What survives: accounts, money, messages and how they ended. The only SQL. Knows no wire and no rules."""
