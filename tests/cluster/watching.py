"""Snakemake as it is, except that it asks Slurm for news every two seconds: the plugin's own pauses grow to minutes."""

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

_SECONDS = 2.0

if __name__ == "__main__":
    RemoteExecutor.next_seconds_between_status_checks = property(lambda self: _SECONDS, lambda self, value: None)
    main()
