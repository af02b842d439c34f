"""Actors: thin, safe to run twice, each with its own patience."""
