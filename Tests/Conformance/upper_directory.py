"""Random changes through mounts with upperdir=, written back now and then: afterwards kernel overlayfs
must show with the same directories what the mount has shown.

usage: upper_directory.py STRATA DIRECTORY SEED"""
import os, random, shutil, subprocess, sys

strata, base, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
chance = random.Random(seed)
mount = f"{base}/mount"
options = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
for name in ("lower/a/b/c", "lower/d", "lower/e/f", "upper", "work", "mount", "kernel"):
    os.makedirs(f"{base}/{name}")
for name in ("a", "a/b", "a/b/c", "d", "e", "e/f"):
    for number in range(4):
        with open(f"{base}/lower/{name}/f{number}", "w") as file:
            file.write(f"{name}{number}" * 50)


def content(path):
    if os.path.islink(path):
        return os.readlink(path)
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def shown(root):
    """Everything that can be seen of a tree."""
    found = {}
    for place, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(place, name)
            status = os.lstat(path)
            links = 0 if os.path.isdir(path) else status.st_nlink
            names = [x for x in os.listxattr(path, follow_symlinks=False) if x[:8] != "trusted."]
            found[path[len(root):]] = (
                status.st_mode, status.st_uid, status.st_mtime_ns, links, content(path),
                sorted((x, os.getxattr(path, x, follow_symlinks=False)) for x in names))
    return found


def step():
    directories = [place for place, _, _ in os.walk(mount)]
    files = [os.path.join(place, x) for place, _, names in os.walk(mount) for x in names]
    directory, file = chance.choice(directories), chance.choice(files or [mount])
    new = os.path.join(directory, chance.choice("uvwxyz") + str(chance.randrange(3)))
    try:
        match chance.randrange(14):
            case 0 | 1:
                with open(new if chance.random() < 0.5 else file, "a") as output:
                    output.write(str(chance.random()))
            case 2: os.unlink(file)
            case 3: os.mkdir(new)
            case 4 if directory != mount: shutil.rmtree(directory)
            case 5: os.rename(file, new)
            case 6: os.rename(directory, os.path.join(chance.choice(directories), "moved"))
            # Files with several names are written all anew, which is not to be all that is tried.
            case 7 if seed % 2 == 0: os.link(file, new)
            case 8: os.symlink("x" * chance.randrange(1, 9), new)
            case 9: os.chmod(file, chance.choice([0o600, 0o644, 0o755]))
            case 10: os.chmod(directory, chance.choice([0o700, 0o755]))
            case 11: os.setxattr(file, "user.t", b"v")
            case 12: os.setxattr(directory, "user.t", b"v")
            case 13: os.removexattr(directory, "user.t")
    except OSError:
        pass


for turn in range(4):
    subprocess.run([strata, "mount-helper", "none", mount, "-o", options], check=True)
    for _ in range(chance.randrange(1, 5)):
        for _ in range(chance.randrange(1, 12)):
            step()
        # That writes back.
        directory = os.open(mount, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    for _ in range(chance.randrange(4)):
        step()
    wanted = shown(mount)
    subprocess.run([strata, "umount-helper", mount], check=True)
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, f"{base}/kernel"], check=True)
    found = shown(f"{base}/kernel")
    subprocess.run(["umount", f"{base}/kernel"], check=True)
    for path in sorted(wanted.keys() | found.keys()):
        if wanted.get(path) != found.get(path):
            sys.exit(f"seed {seed}, {path}: {found.get(path)}, should be {wanted.get(path)}")
