"""Evaluators, one module each, each offering `EVALUATOR`."""
