"""A root file system in memory, and how it becomes a tar or a folder: the same bytes for the same files."""
import io
import os
import tarfile

DIRECTORY, FILE, LINK = "directory", "file", "link"
TAR_TYPES = {DIRECTORY: tarfile.DIRTYPE, FILE: tarfile.REGTYPE, LINK: tarfile.SYMTYPE}


class Entry:
    """`content`: a file's bytes, or where a link leads. `layer`: which of an image's layers holds it."""

    def __init__(self, kind, mode, content=b"", owner=0, layer=0):
        self.kind, self.mode, self.content, self.owner, self.layer = kind, mode, content, owner, layer


class Tree:
    """Paths have no leading slash. Everything is root's unless said otherwise, and only root's to write."""

    def __init__(self):
        self.entries = {}

    def directory(self, path, mode=0o755, owner=0):
        self._parents(path)
        self.entries[path] = Entry(DIRECTORY, mode, owner=owner)

    def file(self, path, content, mode=0o644, layer=0):
        self._parents(path)
        self.entries[path] = Entry(FILE, mode, content, layer=layer)

    def link(self, path, target):
        self._parents(path)
        self.entries[path] = Entry(LINK, 0o777, target)

    def _parents(self, path):
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)

    def size(self, below=""):
        return sum(len(e.content) for path, e in self.entries.items() if e.kind == FILE and path.startswith(below))

    def tar(self, time, layer=None):
        """All of it, or one layer: what a layer changes and the folders above that."""
        paths = sorted(self.entries if layer is None else self._of(layer))
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path in paths:
                entry = self.entries[path]
                info = tarfile.TarInfo(path)
                info.type, info.mode, info.mtime = TAR_TYPES[entry.kind], entry.mode, time
                info.uid = info.gid = entry.owner
                if entry.kind == LINK:
                    info.linkname = entry.content
                info.size = len(entry.content) if entry.kind == FILE else 0
                tar.addfile(info, io.BytesIO(entry.content) if info.size else None)
        return out.getvalue()

    def _of(self, layer):
        paths = {path for path, entry in self.entries.items() if entry.layer == layer}
        for path in list(paths):
            while path := os.path.dirname(path):
                paths.add(path)
        return paths

    def write(self, folder, time):
        """Into a folder that is empty or not there yet. Owners are set where we may."""
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            raise FileExistsError("%s is not empty" % folder)
        for path in sorted(self.entries):
            entry, where = self.entries[path], os.path.join(folder, path)
            if entry.kind == LINK:
                os.symlink(entry.content, where)
            elif entry.kind == DIRECTORY:
                os.mkdir(where)
            else:
                with open(where, "wb") as f:
                    f.write(entry.content)
            try:
                os.chown(where, entry.owner, entry.owner, follow_symlinks=False)
            except OSError:  # only root may, and of a container's root only what it has
                pass
            if entry.kind != LINK:
                os.chmod(where, entry.mode)
        for path in sorted(self.entries, reverse=True):  # a folder's time is the last thing that was done in it
            os.utime(os.path.join(folder, path), (time, time), follow_symlinks=False)
