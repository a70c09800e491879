"""The one kind of error that is meant for the user's eyes."""


class InputError(Exception):
    """Something outside the program is wrong and the user can mend it.

    The message names the file (and row or column, where there is one) and the remedy. Commands print it
    without a traceback and exit with status 1. It never carries report text or patients' names.
    """
