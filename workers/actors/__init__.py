"""Actors: thin, safe to run twice, each with its own patience. Declared on our broker, whoever imports them first."""

from workers import broker as broker
