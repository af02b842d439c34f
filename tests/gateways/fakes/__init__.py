"""Stand-ins of real gateways, each a process that refuses what the real one refuses."""
