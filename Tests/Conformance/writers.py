#!/usr/bin/env python3
"""Writes ever higher numbers into a directory until there is a file `stop` in it: into one file over
several blocks, into a log, into another file, through a mapping, and by renaming a new file over an old
one, always in this order. What is seen at one instant can be told from that.

usage: writers.py DIRECTORY NAME
"""
import mmap
import os
import sys

place, name = sys.argv[1:]


def path(kind):
    return f"{place}/{kind}-{name}"


def opened(kind, flags=0):
    return os.open(path(kind), os.O_RDWR | os.O_CREAT | flags, 0o644)


first, log, second, mapped = opened("first"), opened("log", os.O_APPEND), opened("second"), opened("map")
os.ftruncate(first, 16384)
os.ftruncate(mapped, 8192)
view = mmap.mmap(mapped, 8192)
number = 0
while not os.path.exists(f"{place}/stop"):
    number += 1
    # 16 bytes: no record is on two pages, which the kernel may write one by one.
    record = b"%015d\n" % number
    os.pwrite(first, record * 1024, 0)
    os.write(log, record)
    os.pwrite(second, record, 160)
    view[:16] = record
    view[4096:4112] = record
    with open(path("new"), "wb") as file:
        file.write(record)
    os.rename(path("new"), path("renamed"))
