"""A disk that is full or gone, in words; the libraries that write say it each in their own way."""

from __future__ import annotations

import errno

_FULL = "make room there"
_GONE = "wait until it answers again"
_REMEDIES = {
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("your quota is used up", f"{_FULL}, or ask for a larger one"),
    errno.EFBIG: ("the file is larger than is allowed here", "raise the limit (ulimit -f)"),
    errno.EROFS: ("the file system is read-only", _GONE),
    errno.ESTALE: ("the file system has gone", _GONE),
    errno.EIO: ("the file system reports an error", _GONE),
    errno.ENOTCONN: ("the file system has gone", _GONE),
    errno.ETIMEDOUT: ("the file system does not answer", _GONE),
    errno.EHOSTDOWN: ("the file system does not answer", _GONE),
}


def storage_problem(error: BaseException) -> str | None:
    """What to tell the user where a disk or its file system is the reason of ``error``; None for all other errors."""
    chain: BaseException | None = error
    while chain is not None:
        number = chain.errno if isinstance(chain, OSError) else _number_in(str(chain))
        if number in _REMEDIES:
            what, remedy = _REMEDIES[number]
            place = getattr(chain, "filename", None)
            where = f"{place}: " if place else ""
            return f"{where}{what}: {remedy}, then run again; what is written is whole, and work goes on from there"
        chain = chain.__cause__ or chain.__context__
    return None


def _number_in(text: str) -> int | None:
    """Compiled writers (safetensors, HDF5) have the number in their words alone."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ESTALE, errno.EROFS):
        if f"os error {number}" in text or f"errno = {number}" in text:
            return number
    return None
