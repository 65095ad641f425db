"""Tasks of the past week, for an account that has a history."""

from flux_cli.sandbox.store import TaskStore


_WEEK = 7 * 24 * 3600.0  # seconds
_LATEST = 60.0  # seconds ago
_SAMPLES = (  # model, prompt
    ("flux-dev", "a lighthouse in a storm, oil on canvas"),
    ("flux-2-pro", "street market in Lisbon, film grain, 35mm"),
    ("flux-kontext-max", "make the sky violet"),
    ("flux-2-max", "an astronaut reading in a library"),
    ("flux-dev", "isometric kitchen, soft shadows"),
    ("flux-2-flex", "poster for a jazz festival, two colours"),
    ("flux-3", "a small boat leaves the harbour at dawn"),
    ("flux-2-klein", "macro photo of a red dandelion"),
)


def add_history(store: TaskStore, count: int) -> None:
    """Submit `count` tasks, evenly spread over the past week."""
    end = store.now() - _LATEST
    for number in range(count):
        model, prompt = _SAMPLES[number % len(_SAMPLES)]
        created_at = end - _WEEK * (count - 1 - number) / count
        body = {"action": "generate", "model": model, "prompt": prompt, "async": True}
        if model == "flux-3":
            store.submit(body, type="videos", created_at=created_at)
        else:
            store.submit({**body, "size": "1:1"}, created_at=created_at)
