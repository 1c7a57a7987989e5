"""Picks and joins the implementations; the only package that may."""
