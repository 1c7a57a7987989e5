"""Made by proto/generate.py; do not edit."""
