"""A tournament in one file: every row that is a fact, restored in another database.

`python -m zipfile -l` lists it: `manifest.json`, and for each table its rows as JSON lines. What is
computed from the facts (ratings, counters, events, indexes) is not in it, and is computed again
where it is restored. Neither are leases: nobody runs a tournament that was just restored.
"""

from db.archive.reading import Restored, restore
from db.archive.writing import Archived, write_archive

__all__ = ["Archived", "Restored", "restore", "write_archive"]
