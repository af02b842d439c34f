"""What runs the shop on one's own machine: the virtual environment, embedded engines, `make run`."""
