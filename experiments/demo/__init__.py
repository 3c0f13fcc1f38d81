"""The whole way on a simulated platform: events, consent, features, model, scores, report."""

from benne.experiments.demo.run import STEPS, DemoOptions, DemoResult, run_demo

__all__ = ["STEPS", "DemoOptions", "DemoResult", "run_demo"]
