"""What if: events imagined on top of a member's own history, and what the score would be on a day ahead.

Nothing here is stored. The same kernel computes the features and the same model scores them, so that a what-if is
what appending those events and scoring on that day would give, bit for bit.
"""

from benne.explain.what_if.action import Action, Limits
from benne.explain.what_if.answer import Outlook, WhatIfAnswer, WhatIfLine
from benne.explain.what_if.baseline import Habit, habit_of
from benne.explain.what_if.catalogue import ACTIONS, action_of
from benne.explain.what_if.history import History
from benne.explain.what_if.recomputing import Scoring, features_of, scored_by
from benne.explain.what_if.trying import FARTHEST, WhatIfs
from benne.explain.what_if.wording import action_in_words, habit_in_words

__all__ = [
    "ACTIONS",
    "FARTHEST",
    "Action",
    "Habit",
    "History",
    "Limits",
    "Outlook",
    "Scoring",
    "WhatIfAnswer",
    "WhatIfLine",
    "WhatIfs",
    "action_in_words",
    "action_of",
    "features_of",
    "habit_in_words",
    "habit_of",
    "scored_by",
]
