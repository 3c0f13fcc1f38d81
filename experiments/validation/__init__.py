"""From a training run to a verdict, and from a verdict to the champion."""
