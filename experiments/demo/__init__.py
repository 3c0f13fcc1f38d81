"""The whole way on a simulated platform: events, consent, features, model, scores, report."""

from benne.experiments.demo.run import DemoOptions, DemoResult, run_demo

__all__ = ["DemoOptions", "DemoResult", "run_demo"]
