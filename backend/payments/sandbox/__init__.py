"""A payment gateway that moves no money: its own records, payment page and signed webhooks. Never in production."""
