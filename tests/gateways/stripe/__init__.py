"""What only Stripe does, beside the stories: tests of its adapter and of its double."""
