"""maskray: guided masked vision-language pre-training on chest X-rays, from raw data to the printed tables."""

__version__ = "0.1.0"
