"""One module per data set, each reading the folder as the owners distribute it.

A reader has ``read_index(site, dataset)`` and, where the data set has reports, ``read_reports(site, dataset)``.
``site`` maps "folder" (and "reports" for MIMIC-CXR) to a path or None. Readers never open an image.
"""
