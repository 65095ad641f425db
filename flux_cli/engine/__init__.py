"""Batches, their repair, and the fan-out: ids in, tasks out, in order. Prints nothing."""
