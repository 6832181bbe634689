#!/usr/bin/env python3
"""Makes the databases of this folder, for the record: they are not made again by tests.

usage: make.py LIBDB1 (libdb1-2.2.5.so of Debian's package libdb1-compat, Berkeley DB 1.85); db5.3_load from the path.
Every file holds keyN -> value of N for N below 60; `long` ones a pair of long items, `duplicates` ones 90 values of one key.
"""
import ctypes as c
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__)) + "/"
PAIRS = [(b"key%d" % n, b"value of %d" % n) for n in range(60)]
LONG = [(b"long", b"v" * 3000), (b"K" * 700, b"w" * 900), (b"N" * 300, b"")]
DUPLICATES = [(b"many", b"%02d" % n) for n in range(90)]
LIBRARY = c.CDLL(sys.argv[1])


class Item(c.Structure):
    _fields_ = [("data", c.c_char_p), ("size", c.c_size_t)]


class Hash(c.Structure):
    _fields_ = [("bsize", c.c_uint), ("ffactor", c.c_uint), ("nelem", c.c_uint), ("cachesize", c.c_uint),
                ("hash", c.c_void_p), ("lorder", c.c_int)]


class Btree(c.Structure):
    _fields_ = [("flags", c.c_ulong), ("cachesize", c.c_uint), ("maxkeypage", c.c_int), ("minkeypage", c.c_int),
                ("psize", c.c_uint), ("compare", c.c_void_p), ("prefix", c.c_void_p), ("lorder", c.c_int)]


class Database(c.Structure):
    pass


PUT = c.CFUNCTYPE(c.c_int, c.POINTER(Database), c.POINTER(Item), c.POINTER(Item), c.c_uint)
Database._fields_ = [("type", c.c_int), ("close", c.CFUNCTYPE(c.c_int, c.POINTER(Database))),
                     ("remove", c.c_void_p), ("get", PUT), ("put", PUT)]
opened = getattr(LIBRARY, "dbopen", None) or LIBRARY.__dbopen
opened.restype = c.POINTER(Database)


def old(name, kind, info, pairs):
    path = HERE + name + ".db"
    if os.path.exists(path):
        os.unlink(path)
    db = opened(path.encode(), os.O_RDWR | os.O_CREAT, 0o644, kind, c.byref(info))
    for key, value in pairs:
        put = db.contents.put(db, c.byref(Item(key, len(key))), c.byref(Item(value, len(value))), 0)
        assert put == 0, (name, key)
    db.contents.close(db)


def new(name, kind, options, pairs):
    path = HERE + name + ".db"
    if os.path.exists(path):
        os.unlink(path)
    words = [word for option in options for word in ("-c", option)]
    text = b"".join(key + b"\n" + value + b"\n" for key, value in pairs)
    subprocess.run(["db5.3_load", "-T", "-t", kind, *words, path], input=text, check=True)


for order, number in (("little", 1234), ("big", 4321)):
    old("hash-1.85-" + order, 1, Hash(256, 4, 1, 0, None, number), PAIRS)
    old("hash-1.85-long-" + order, 1, Hash(256, 4, 1, 0, None, number), PAIRS + LONG)
    old("btree-1.85-" + order, 0, Btree(0, 0, 0, 2, 512, None, None, number), PAIRS)
    old("btree-1.85-duplicates-" + order, 0, Btree(1, 0, 0, 2, 512, None, None, number), PAIRS + DUPLICATES)
    # A library of the other byte order damages long items of a btree.
    if order == "little":
        old("btree-1.85-long-" + order, 0, Btree(0, 0, 0, 2, 512, None, None, number), PAIRS + LONG[:1])
    for kind in ("hash", "btree"):
        base = ["db_pagesize=512", "db_lorder=%d" % number]
        new(kind + "-5.3-long-" + order, kind, base, PAIRS + LONG)
        new(kind + "-5.3-checksums-" + order, kind, base + ["chksum=1"], PAIRS)
        new(kind + "-5.3-duplicates-" + order, kind, base + ["duplicates=1"], PAIRS + DUPLICATES)
        new(kind + "-5.3-sorted-duplicates-" + order, kind, base + ["duplicates=1", "dupsort=1"], PAIRS + DUPLICATES)
