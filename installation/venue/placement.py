"""Putting files where a system keeps them, so that doing it twice changes nothing and taking them away leaves nothing.

What is to be placed is data: written files, copied files, links, each with its absolute path on the machine. A `Root`
carries it out below a directory: `/`, or a folder in a test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from installation.errors import UnavailableError

PRIVATE_MODE = 0o640
SECRET_MODE = 0o600  # the owner's alone
_COMPILED = "__pycache__"


@dataclass(frozen=True, slots=True)
class Written:
    """A file with content of ours."""

    path: PurePosixPath
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a file that is already on this machine; readable by everyone, whatever the original is, unless `mode`
    says otherwise.
    """

    path: PurePosixPath
    source: Path
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Linked:
    """A symbolic link."""

    path: PurePosixPath
    target: str


Entry = Written | Copied | Linked


class Root:
    """A file system to place things in. Folders it makes are 0755, owned by whoever runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def real(self, path: PurePosixPath) -> Path:
        """Where an absolute path of the machine lies for us."""
        return self._folder / path.relative_to("/")

    def exists(self, path: PurePosixPath) -> bool:
        """Whether something is there (a broken link counts)."""
        return os.path.lexists(self.real(path))

    def place(self, entries: Iterable[Entry]) -> list[PurePosixPath]:
        """Makes every entry so; the paths that were not so already. Raises UnavailableError where it cannot write."""
        changed = []
        for entry in entries:
            try:
                if self._place(entry):
                    changed.append(entry.path)
            except OSError as error:
                raise UnavailableError(f"cannot write {entry.path}: {error.strerror or error}") from error
        return changed

    def pending(self, entries: Iterable[Entry]) -> list[PurePosixPath]:
        """The paths that `place` would change."""
        return [entry.path for entry in entries if not _is_so(self.real(entry.path), entry)]

    def _place(self, entry: Entry) -> bool:
        real = self.real(entry.path)
        if _is_so(real, entry):
            return False
        _make_folder(real.parent)
        if real.is_dir() and not real.is_symlink():
            shutil.rmtree(real)
        # Beside it, then renamed over it: a power cut leaves the old file or the new one.
        temporary = real.with_name(real.name + ".new")
        temporary.unlink(missing_ok=True)
        match entry:
            case Written():
                temporary.touch(mode=0o600)  # a secret is never readable, not for a moment
                temporary.write_bytes(entry.content)
                temporary.chmod(entry.mode)
            case Copied():
                temporary.touch(mode=0o600)
                shutil.copyfile(entry.source, temporary)
                temporary.chmod(entry.mode)
                status = entry.source.stat()
                os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
            case Linked():
                temporary.symlink_to(entry.target)
        temporary.replace(real)
        return True

    def prune(self, folder: PurePosixPath, keep: Iterable[PurePosixPath]) -> list[PurePosixPath]:
        """Deletes what lies below `folder` and is not kept, compiled Python aside; the paths deleted."""
        kept = {self.real(path) for path in keep}
        gone = [path for path in _files_below(self.real(folder)) if path not in kept]
        for path in gone:
            path.unlink()
        self._drop_empty_folders(self.real(folder))
        return [self._named(path) for path in gone]

    def remove(self, path: PurePosixPath) -> bool:
        """Deletes a file or a whole folder; False if it was not there."""
        real = self.real(path)
        if not os.path.lexists(real):
            return False
        if real.is_dir() and not real.is_symlink():
            shutil.rmtree(real)
        else:
            real.unlink()
        return True

    def _named(self, real: Path) -> PurePosixPath:
        return PurePosixPath("/", *real.relative_to(self._folder).parts)

    def _drop_empty_folders(self, folder: Path) -> None:
        for path, _, _ in os.walk(folder, topdown=False):
            content = list(Path(path).iterdir())
            if all(item.name == _COMPILED for item in content) and Path(path) != folder:
                shutil.rmtree(path)


def tree(source: Path, target: PurePosixPath, skip: frozenset[str] = frozenset()) -> Iterator[Copied]:
    """Copies of every file below `source`, sorted, without folders named in `skip` and without compiled Python."""
    for folder, names, files in os.walk(source):
        names[:] = sorted(name for name in names if name not in skip and name != _COMPILED)
        relative = Path(folder).relative_to(source)
        for name in sorted(files):
            yield Copied(target.joinpath(*relative.parts, name), Path(folder) / name)


def _is_so(real: Path, entry: Entry) -> bool:
    """Whether an entry is in place already. Copies are told apart by size and time of change, as rsync does."""
    if isinstance(entry, Linked):
        return real.is_symlink() and str(real.readlink()) == entry.target
    if real.is_symlink() or not real.is_file():
        return False
    status = real.stat()
    if isinstance(entry, Written):
        return status.st_mode & 0o777 == entry.mode and real.read_bytes() == entry.content
    source = entry.source.stat()
    same = (status.st_size, status.st_mtime_ns) == (source.st_size, source.st_mtime_ns)
    return same and status.st_mode & 0o777 == entry.mode


def _make_folder(folder: Path) -> None:
    """Like mkdir -p, but 0755 whatever the umask: the player's user must be able to read it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir()
    folder.chmod(0o755)


def _files_below(folder: Path) -> list[Path]:
    return [
        Path(path) / name
        for path, _, names in os.walk(folder)
        if Path(path).name != _COMPILED
        for name in sorted(names)
    ]
