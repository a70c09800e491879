"""The leakage guard: are films or patients of a test part among those that a model was trained on?

What is compared: names of films, patients (both also across data sets, along ``same_as`` and ``person`` of the
indexes), and pictures. See docs/leakage.md.
"""
