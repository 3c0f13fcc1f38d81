"""Projects a data scientist copies and changes: from their own data to a validated model.

Each is one script in cells (``<name>.py.txt``, so that nothing imports it) and a notebook made of it.
"""

from benne.experiments.templates.copying import TEMPLATES, new_project, script_of
from benne.experiments.templates.notebook import as_notebook

__all__ = ["TEMPLATES", "as_notebook", "new_project", "script_of"]
