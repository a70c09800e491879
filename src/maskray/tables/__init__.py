"""From metrics to tables beside the printed ones, to figures and to the report."""
