"""What a user of the SDK would write; runs in the SDK's own environment."""

import os
import sys

from acedatacloud import AceDataCloud


client = AceDataCloud(
    api_token=os.environ["FLUX_API_TOKEN"], base_url=os.environ["FLUX_API_BASE_URL"]
)
for task_id in sys.stdin.read().split():
    print(client.tasks.get(task_id, service="flux"))  # noqa: T201
