"""Restores a grey ramp with noise through libvfm, with nothing but Python's own ctypes.

    make lib && python3 restore/capi/example/example.py bin/libvfm.so
"""
import ctypes as c
import random
import sys


class Config(c.Structure):
    _fields_ = [("device", c.c_char_p), ("weights", c.c_char_p), ("tile", c.c_int32)]


class Request(c.Structure):
    _fields_ = [("task", c.c_char_p), ("width", c.c_int32), ("height", c.c_int32), ("in_", c.c_int32), ("out", c.c_int32),
                ("noise", c.c_double), ("mask", c.POINTER(c.c_uint8)), ("steps", c.c_int32), ("samples", c.c_int32), ("seed", c.c_uint64),
                ("mean", c.POINTER(c.c_float)), ("std", c.POINTER(c.c_float)), ("in_flight", c.c_int32)]


lib = c.CDLL(sys.argv[1])
lib.vfm_close.argtypes = [c.c_uint64]
lib.vfm_restore.argtypes = [c.c_uint64, c.POINTER(Request), c.c_char_p, c.c_size_t, c.c_char_p, c.c_size_t, c.c_char_p, c.c_size_t]
lib.vfm_version.restype = c.c_char_p
err = c.create_string_buffer(512)


def check(status, what):
    if status:
        sys.exit(f"{what}: status {status}: {err.value.decode()}")


model = c.c_uint64()
cfg = Config(weights=sys.argv[2].encode() if len(sys.argv) > 2 else None)
check(lib.vfm_open(c.byref(cfg), c.byref(model), err, c.c_size_t(len(err))), "open")

w, h = 64, 48
clean = [min(255, 2 * x + y) for y in range(h) for x in range(w) for _ in range(3)]
noisy = bytes(max(0, min(255, round(v + random.gauss(0, 10)))) for v in clean)
out = c.create_string_buffer(3 * w * h)
req = Request(task=b"denoise", width=w, height=h, noise=10)
check(lib.vfm_restore(model, c.byref(req), noisy, len(noisy), out, len(out), err, len(err)), "restore")


def error(pix):
    return sum((a - b) ** 2 for a, b in zip(pix, clean)) / len(clean)


print(f"libvfm {lib.vfm_version().decode()}: squared error {error(noisy):.1f} became {error(out.raw):.1f}")
lib.vfm_close(model)
sys.exit(0 if error(out.raw) < error(noisy) else 1)
