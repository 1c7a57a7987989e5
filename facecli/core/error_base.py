"""FacecliError: the base of the error tree in core/errors.py."""

from typing import ClassVar

TREE = "facecli.core.errors"  # the module whose classes name their own reasons


class FacecliError(Exception):
    """The operation failed."""

    reason: ClassVar[str] = "UNKNOWN"
    hint: ClassVar[str] = ""
    retryable: bool = False
    upload_id: str  # the failed upload, in a stream of several
    retry_after: int  # seconds, if waiting helps

    def __init_subclass__(cls) -> None:
        """Set the public reason: the class name in capitals, or for a plug-in's error its base's."""
        if cls.__module__ != TREE:
            cls.reason = next(kind.reason for kind in cls.__mro__[1:] if issubclass(kind, FacecliError))
        elif "reason" not in vars(cls):
            cls.reason = "".join(f"_{c}" if c.isupper() else c.upper() for c in cls.__name__)[1:]

    def __init__(self, message: str = "", **details: str | int) -> None:
        self.message = message or (type(self).__doc__ or self.reason).splitlines()[0]
        self.details, self.request_id = details, ""  # of the failed call, as in the server's log
        self.retryable = self.retryable or "retry_after" in details
        vars(self).update(details)
        super().__init__(self.message)
