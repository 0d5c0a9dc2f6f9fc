"""The version of the pure core; bit equality is promised within one version and platform."""

CORE_VERSION = "2"
"""Raised with every change that could change a decision, a state or a learner."""
