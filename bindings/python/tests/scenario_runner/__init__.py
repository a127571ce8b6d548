"""Plays the scenario files of tests/scenarios against the library, by way of the Python binding."""
