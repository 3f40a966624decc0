/* Restores a picture and then a few frames of a stream. Build and run, from the repository's root:
 *
 *   make lib && cc -Ibin restore/capi/example/example.c -o bin/example -Lbin -lvfm -Wl,-rpath,'$ORIGIN' && bin/example
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfm.h"

enum { W = 96, H = 64, FRAMES = 5 };

static char err[512];

static void check(vfm_status s, const char *what)
{
	if (s != VFM_OK) {
		fprintf(stderr, "%s: status %d: %s\n", what, (int)s, err);
		exit(1);
	}
}

/* A scene with noise of 12 levels; returns the mean squared error of pix against the scene without it. */
static double scene(unsigned char *pix, int draw)
{
	double sum = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++) {
				double v = 128 + 60 * sin(0.1 * x + c) + 40 * cos(0.13 * y);
				unsigned char *p = &pix[3 * (y * W + x) + c];
				if (draw) {
					double n = 0;
					for (int k = 0; k < 12; k++)
						n += rand() / (double)RAND_MAX - 0.5;
					double u = v + 12 * n;
					*p = u < 0 ? 0 : u > 255 ? 255 : (unsigned char)(u + 0.5);
				}
				sum += (*p - v) * (*p - v);
			}
	return sum / (3.0 * W * H);
}

int main(int argc, char **argv)
{
	static unsigned char in[3 * W * H], out[3 * W * H];
	static float std[3 * W * H];

	vfm_config cfg = {0};
	if (argc > 1)
		cfg.weights = argv[1];
	vfm_model model;
	check(vfm_open(&cfg, &model, err, sizeof err), "open");
	char info[512];
	check(vfm_info(model, info, sizeof info), "info");
	printf("libvfm %s on %s\n", vfm_version(), info);

	double before = scene(in, 1);
	vfm_request req = {0};
	req.task = "denoise";
	req.width = W;
	req.height = H;
	req.in = req.out = VFM_RGB24;
	req.noise = 12;
	req.samples = 4;
	req.std = std;
	check(vfm_restore(model, &req, in, sizeof in, out, sizeof out, err, sizeof err), "restore");
	double doubt = 0;
	for (int i = 0; i < 3 * W * H; i++)
		doubt += std[i] / (3.0 * W * H);
	printf("squared error %.1f became %.1f; mean standard deviation of the samples %.4f\n", before, scene(out, 0), doubt);

	req.samples = 0; /* streams draw none */
	req.std = NULL;
	vfm_stream stream;
	check(vfm_stream_open(model, &req, &stream, err, sizeof err), "stream");
	for (int i = 0; i < FRAMES; i++) {
		scene(in, 1);
		check(vfm_stream_submit(stream, in, sizeof in, -1, err, sizeof err), "submit");
		vfm_frame f;
		check(vfm_stream_receive(stream, out, sizeof out, -1, &f, err, sizeof err), "receive");
		printf("frame %d: %.0f ms, squared error %.1f\n", (int)f.index, 1e3 * f.seconds, scene(out, 0));
	}
	vfm_stream_end(stream);
	if (vfm_stream_receive(stream, out, sizeof out, -1, NULL, err, sizeof err) != VFM_END)
		return 2;
	vfm_stream_close(stream);

	/* Mistakes are answered, not crashed on. */
	req.task = "sharpen";
	if (vfm_restore(model, &req, in, sizeof in, out, sizeof out, err, sizeof err) != VFM_BAD_REQUEST)
		return 3;
	printf("a mistake: %s\n", err);
	vfm_close(model);
	vfm_close(model);
	req.task = "denoise";
	if (vfm_restore(model, &req, in, sizeof in, out, sizeof out, NULL, 0) != VFM_CLOSED)
		return 4;
	return 0;
}
