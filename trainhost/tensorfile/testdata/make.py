"""Writes small.pt and small4.pt: what torch.save writes, by Python's own pickle and zipfile."""
import argparse, collections, io, pickle, struct, sys, types, zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules["torch"], sys.modules["torch._utils"] = torch, utils


def function(name):
    def f(*_):
        pass
    f.__module__, f.__qualname__ = "torch._utils", name
    setattr(utils, name, f)
    return f


rebuild, parameter = function("_rebuild_tensor_v2"), function("_rebuild_parameter")


class Storage:
    def __init__(self, kind, key, count, data):
        self.kind = type(kind, (), {"__module__": "torch"})
        setattr(torch, kind, self.kind)
        self.key, self.count, self.data = key, count, data


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.args = (storage, offset, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return rebuild, self.args


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return parameter, (self.tensor, True, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, o):
        if isinstance(o, Storage):
            return "storage", o.kind, o.key, "cpu", o.count


f32 = Storage("FloatStorage", "0", 6, struct.pack("<6f", 1, 2, 3, 4, 5, 6))
f16 = Storage("HalfStorage", "1", 2, struct.pack("<2e", 0.5, -2))
bf16 = Storage("BFloat16Storage", "2", 1, struct.pack("<H", 0x3FC0))
i64 = Storage("LongStorage", "3", 1, struct.pack("<q", 7))
model = collections.OrderedDict(
    w=Tensor(f32, 0, (2, 3), (3, 1)),
    wt=Tensor(f32, 0, (3, 2), (1, 3)),
    tail=Tensor(f32, 4, (2,), (1,)),
    half=Tensor(f16, 0, (2,), (1,)),
    param=Parameter(Tensor(f32, 1, (), ())),
    expanded=Tensor(f32, 2, (2, 2), (0, 1)),
)
model._metadata = collections.OrderedDict(version=1)
root = {
    "model": model,
    "ema": collections.OrderedDict(b=Tensor(bf16, 0, (1,), (1,))),
    "opt": {
        "state": {0: {"step": Tensor(i64, 0, (), ()), "lr": 1e-4}},
        "groups": [{"params": [0, 1, -5, 70000, 2**40], "fused": None, "on": True}],
    },
    "args": argparse.Namespace(model="DMFT-B/2", lr=1e-4),
    "steps": 400000,
}
for protocol, name in (2, "small.pt"), (4, "small4.pt"):
    code = io.BytesIO()
    Pickler(code, protocol).dump(root)
    with zipfile.ZipFile(name, "w") as z:
        def put(entry, data):
            z.writestr(zipfile.ZipInfo("archive/" + entry, (1980, 1, 1, 0, 0, 0)), data)
        put("data.pkl", code.getvalue())
        put("byteorder", b"little")
        for s in f32, f16, bf16, i64:
            put("data/" + s.key, s.data)
        put("version", b"3\n")
