"""What is wrong with a file, in one sentence without its name."""


class UnusableError(ValueError):
    """A file's content that cannot be used; the caller puts the name of the file before it."""
