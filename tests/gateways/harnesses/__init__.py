"""One module for each gateway, whose HARNESS drives its double; the stories find them here."""
