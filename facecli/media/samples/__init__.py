"""Sample pictures for demonstrations and tests."""
