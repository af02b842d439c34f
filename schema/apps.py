from django.apps import AppConfig


class SchemaConfig(AppConfig):
    """The GraphQL edge. An app only for its management command and its static files."""

    name = "schema"
    label = "schema"
