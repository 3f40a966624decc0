"""Denoises pairs of pictures by several programs and prints a table; see bench-quality.sh."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image

restore, folder = sys.argv[1:3]


def load(path):
    return numpy.asarray(Image.open(path).convert("RGB"))


def psnr(a, b):
    mse = numpy.mean((a.astype(float) - b.astype(float)) ** 2)
    return 10 * numpy.log10(255**2 / max(1e-9, mse))


pairs = []
for real in sorted(glob.glob(os.path.join(folder, "*_real.*"))):
    mean = glob.glob(os.path.splitext(real)[0][: -len("_real")] + "_mean.*")
    if mean:
        pairs.append((real, mean[0]))
if not pairs:
    sys.exit("bench-quality: %s holds no pairs *_real.* and *_mean.*" % folder)

# A filter that takes longer for a picture is left out: it is too slow for the frames of a camera.
LIMIT = 60  # seconds


def run(*command):
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=LIMIT)


work = tempfile.mkdtemp()
methods = [("restore -task denoise", lambda i, o: run(restore, "-task", "denoise", i, o))]
for n in (5, 10, 15):
    methods.append((
        "restore -noise %d" % n,
        lambda i, o, n=n: run(restore, "-task", "denoise", "-noise", str(n), i, o),
    ))
try:
    import cv2

    def nlm(h):
        def method(i, o):
            picture = cv2.imread(i)
            cv2.imwrite(o, cv2.fastNlMeansDenoisingColored(picture, None, h, h, 7, 21))

        return method

    for h in (3, 5, 7, 10):
        default = " (default)" if h == 3 else ""
        methods.append(("OpenCV fastNlMeansDenoisingColored, h = %d%s" % (h, default), nlm(h)))
except ImportError:
    pass
if shutil.which("gm"):
    methods.append(("GraphicsMagick -despeckle", lambda i, o: run("gm", "convert", i, "-despeckle", o)))
    median = lambda i, o: run("gm", "convert", i, "-median", "1", o)
    methods.append(("GraphicsMagick -median 1", median))
if shutil.which("gmic"):
    for name, args in (
        ("G'MIC bilateral 10,7", ["bilateral", "10,7"]),
        ("G'MIC denoise 10,10", ["denoise", "10,10"]),
        ("G'MIC denoise_patchpca", ["denoise_patchpca", ","]),
    ):
        gmic = lambda i, o, args=args: run("gmic", "-v", "0", i, *args, "-output", o)
        methods.append((name, gmic))

scores = {}
before = [psnr(load(r), load(m)) for r, m in pairs]
for name, method in methods:
    values, began = [], time.time()
    for k, (real, mean) in enumerate(pairs):
        out = os.path.join(work, "out.png")
        source = os.path.join(work, "in.png")
        Image.open(real).convert("RGB").save(source)
        try:
            method(source, out)
            values.append(psnr(load(out), load(mean)))
        except Exception as error:  # unknown filter, or too slow
            print("bench-quality: %s: %s" % (name, error), file=sys.stderr)
            break
    if len(values) == len(pairs):
        scores[name] = (values, (time.time() - began) / len(pairs))

print("%d pairs, input %.2f dB\n" % (len(pairs), numpy.mean(before)))
print("| program | PSNR | gain | worst gain | worse than the input | seconds |\n|---|---|---|---|---|---|")


def row(name, values, seconds):
    gains = numpy.array(values) - before
    numbers = (numpy.mean(values), gains.mean(), gains.min(), (gains < 0).sum())
    print("| %s | %.2f | %+.2f | %+.2f | %d |" % ((name,) + numbers) + seconds + " |")


for name, (values, seconds) in scores.items():
    row(name, values, " %.2f" % seconds)
opencv = [values for name, (values, _) in scores.items() if name.startswith("OpenCV")]
if opencv:
    row("OpenCV, the best h of each picture", numpy.max(opencv, axis=0), "")
shutil.rmtree(work)
