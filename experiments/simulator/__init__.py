"""A simulated platform, to try everything on before any real member is touched.

**It is a simulator and proves nothing about real people.** Its members' ability and willingness
to pay are drawn, the events follow from them by rules we wrote, and the outcomes are drawn from a
probability we know. It can show that the code does what it says: that features look at nothing
after ``as_of``, that a calibrated model finds the known probability, that explanations add up,
that consent is obeyed. It cannot show that the score predicts anything about anyone.

:func:`simulate` writes a world to Parquet, :class:`SimulatorOptions` says what it looks like,
:func:`describe` says what its features carry and refuses a constant one.
"""

from benne.experiments.simulator.consents import CONSENT_SCHEMA, grant_periods
from benne.experiments.simulator.describe import WorldDescription, describe
from benne.experiments.simulator.options import RECIPIENT, SCORING_PURPOSE, TRAINING_PURPOSE, SimulatorOptions
from benne.experiments.simulator.simulate import simulate
from benne.experiments.simulator.world import NOTICE, Simulation, is_simulation

__all__ = [
    "CONSENT_SCHEMA",
    "NOTICE",
    "RECIPIENT",
    "SCORING_PURPOSE",
    "TRAINING_PURPOSE",
    "Simulation",
    "SimulatorOptions",
    "WorldDescription",
    "describe",
    "grant_periods",
    "is_simulation",
    "simulate",
]
