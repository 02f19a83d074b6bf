#!/usr/bin/env python3
"""Puts page.html, page.css and page.js into one C file: report.html up to its data, and after it.

Usage: embed.py FOLDER OUT_C

The page allows itself by its content security policy nothing but this very style and script, by
their hashes, and no connection at all: whatever a name in the data may say, nothing else runs.
"""
import base64
import hashlib
import os
import sys

MARK = "@DATA@"


def source(text):
    """The CSP word for an inline block."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def c_array(name, text):
    data = text.encode()
    rows = [", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
    return (f"const char {name}[] = {{\n    " + ",\n    ".join(rows) + f"\n}};\n"
            f"const size_t {name}_size = sizeof {name};\n")


def main():
    folder, out = sys.argv[1:3]

    def read(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    style, script, page = read("page.css"), read("page.js"), read("page.html")
    for text in (style, script):
        if "</" in text:
            sys.exit("embed.py: \"</\" in page.css or page.js could end its element")
    page = (page.replace("@STYLE_HASH@", source(style)).replace("@SCRIPT_HASH@", source(script))
            .replace("@STYLE@", style).replace("@SCRIPT@", script))
    if not page.isascii():
        sys.exit("embed.py: the page is written in ASCII, so that a char holds each byte")
    head, tail = page.split(MARK)
    with open(out, "w", encoding="utf-8") as file:
        file.write("/* Made by backtest/report_page/embed.py; not edited by hand. */\n"
                   '#include "backtest/report_page.h"\n\n' +
                   c_array("report_page_head", head) + c_array("report_page_tail", tail))


if __name__ == "__main__":
    main()
