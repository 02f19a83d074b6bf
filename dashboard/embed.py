#!/usr/bin/env python3
"""Builds the web application and turns it into a C file, each asset gzip-compressed.

Usage: embed.py WEB_DIR OUT_C DEPFILE

Runs `npm ci` only when package-lock.json changed since the last one, and vite into a folder of the
build, so that the sources stay clean. The result is the same for the same sources. Who has the built
binary needs no Node.
"""
import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json",
         ".txt": "text/plain; charset=utf-8", ".png": "image/png", ".ico": "image/x-icon"}


def sources(web):
    for base, folders, files in os.walk(web):
        folders[:] = sorted(f for f in folders if f not in ("node_modules", "dist", "test"))
        for name in sorted(files):
            yield os.path.join(base, name)


def run(command, web):
    result = subprocess.run(command, cwd=web, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}")
    return result.stdout


def install(web):
    """npm ci when the lock file is not the one that node_modules was made of."""
    with open(os.path.join(web, "package-lock.json"), "rb") as file:
        want = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(web, "node_modules", ".flotilla-lock")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == want:
                return
    if shutil.which("npm") is None:
        sys.exit("npm is missing: ./dev deps installs it")
    run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"], web)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(want)


def build(web, out):
    run(["node", "scripts/check-i18n.mjs"], web)
    run(["node_modules/.bin/tsc", "--noEmit"], web)
    run(["node_modules/.bin/vite", "build", "--outDir", out, "--emptyOutDir", "--logLevel", "warn"],
        web)
    print(run(["node", "scripts/sizes.mjs", out], web), end="")


def entry(dist, path):
    with open(os.path.join(dist, path), "rb") as file:
        data = file.read()
    return data, gzip.compress(data, 9, mtime=0)


def emit(dist, out):
    paths = []
    for base, folders, files in os.walk(dist):
        folders.sort()
        paths += [os.path.relpath(os.path.join(base, name), dist) for name in files]
    blobs, rows = [], []
    for number, path in enumerate(sorted(p for p in paths if p != "manifest.json")):
        data, packed = entry(dist, path)
        tag = hashlib.sha256(data).hexdigest()[:24]
        kind = TYPES.get(os.path.splitext(path)[1], "application/octet-stream")
        hashed = "true" if path.startswith("assets/") else "false"
        text = ",".join(map(str, packed))
        blobs.append(f"static const unsigned char data_{number}[] = {{ {text} }};\n")
        rows.append(f'    {{ "/{path}", "{kind}", "\\"{tag}\\"", {hashed}, {len(data)}, '
                    f"{len(packed)}, data_{number} }},\n")
    with open(out, "w", encoding="utf-8") as file:
        file.write("/* Made by dashboard/embed.py; not edited by hand. */\n"
                   '#include "dashboard/assets.h"\n\n' + "".join(blobs) +
                   "\nconst struct asset asset_table[] = {\n" + "".join(rows) + "};\n"
                   "const size_t asset_count = sizeof asset_table / sizeof asset_table[0];\n")


def main():
    web, out, depfile = (os.path.abspath(arg) for arg in sys.argv[1:4])
    dist = os.path.join(os.path.dirname(out), "web-dist")
    with open(os.path.join(web, ".gitignore"), "rb") as lock:  # two build folders share node_modules
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(web)
        build(web, dist)
    emit(dist, out)
    with open(depfile, "w", encoding="utf-8") as file:
        names = " ".join(name.replace(" ", "\\ ") for name in sources(web))
        file.write(f"{os.path.relpath(out, os.getcwd())}: {names}\n")


if __name__ == "__main__":
    main()
