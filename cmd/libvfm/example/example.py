"""Restores a grey ramp with noise through libvfm, with nothing but Python's own ctypes.

    make lib && python3 cmd/libvfm/example/example.py bin/libvfm.so
"""
import ctypes as c
import random
import sys


class Structure(c.Structure):
    """Begins with its size, everything else zero."""

    def __init__(self, **members):
        super().__init__(size=c.sizeof(self), **members)


class Config(Structure):
    _fields_ = [("size", c.c_uint32), ("tile", c.c_int32), ("device", c.c_char_p), ("weights", c.c_char_p), ("cache_dir", c.c_char_p),
                ("precision", c.c_int32), ("reserved", c.c_int32), ("timeout", c.c_double), ("pace", c.c_double)]


class Format(c.Structure):
    _fields_ = [(name, c.c_int32) for name in ("layout", "bits", "chroma", "matrix", "range", "siting")]


class Plane(c.Structure):
    _fields_ = [("data", c.c_void_p), ("stride", c.c_ssize_t), ("step", c.c_ssize_t), ("bytes", c.c_size_t)]


class Frame(Structure):
    _fields_ = [("size", c.c_uint32), ("plane", Plane * 3), ("mask", c.c_void_p), ("timestamp", c.c_int64), ("cookie", c.c_uint64)]


class Request(Structure):
    _fields_ = [("size", c.c_uint32), ("width", c.c_int32), ("height", c.c_int32), ("steps", c.c_int32), ("task", c.c_char_p),
                ("in_", Format), ("out", Format), ("noise", c.c_double), ("mask", c.c_void_p), ("seed", c.c_uint64), ("temperature", c.c_double),
                ("mean", c.c_void_p), ("std", c.c_void_p), ("samples", c.c_int32), ("in_flight", c.c_int32), ("drop_oldest", c.c_int32),
                ("expected", c.c_int32), ("cancel", c.c_uint64), ("temporal", c.c_int32), ("reserved", c.c_int32)]


lib = c.CDLL(sys.argv[1])
lib.vfm_close.argtypes = [c.c_uint64]
lib.vfm_restore.argtypes = [c.c_uint64, c.POINTER(Request), c.POINTER(Frame), c.POINTER(Frame), c.c_char_p, c.c_size_t]
lib.vfm_version.restype = c.c_char_p
err = c.create_string_buffer(512)


def check(status, what):
    if status:
        sys.exit(f"{what}: status {status}: {err.value.decode()}")


def frame(buffer):
    f = Frame()
    f.plane[0].data, f.plane[0].bytes = c.addressof(buffer), len(buffer)
    return f


model = c.c_uint64()
cfg = Config(weights=sys.argv[2].encode() if len(sys.argv) > 2 else None)
check(lib.vfm_open(c.byref(cfg), c.byref(model), err, c.c_size_t(len(err))), "open")

w, h = 64, 48
clean = [min(255, 2 * x + y) for y in range(h) for x in range(w) for _ in range(3)]
noisy = (c.c_ubyte * (3 * w * h))(*(max(0, min(255, round(v + random.gauss(0, 10)))) for v in clean))
out = (c.c_ubyte * (3 * w * h))()
req = Request(task=b"denoise", width=w, height=h, noise=10)  # a format of zeros is RGB of 8 bits
check(lib.vfm_restore(model, c.byref(req), frame(noisy), frame(out), err, len(err)), "restore")


def error(pix):
    return sum((a - b) ** 2 for a, b in zip(pix, clean)) / len(clean)


print(f"libvfm {lib.vfm_version().decode()}: squared error {error(noisy):.1f} became {error(out):.1f}")
lib.vfm_close(model)
sys.exit(0 if error(out) < error(noisy) else 1)
