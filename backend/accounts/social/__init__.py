"""Signing in with Google and GitHub, by social-auth-app-django."""
