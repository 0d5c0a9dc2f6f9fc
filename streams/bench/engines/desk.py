"""The fixed job on Riverdesk's own desk: ``python -m streams.bench.engines.desk``.

Nothing is left out or replaced but the core: journal, claims, durable state, checkpoints, web.
"""

from models.fixed_job.core import FixedCore
from streams.bench.engines.ending import end_with_owner
from streams.process import run
from streams.settings import load

if __name__ == "__main__":
    end_with_owner()
    run("desk", load(), core=FixedCore())
