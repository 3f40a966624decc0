/* Restores a picture and then a few frames of a stream. Build and run, from the repository's root:
 *
 *   make lib
 *   cc -Ibin cmd/libvfm/example/example.c -o bin/example -Lbin -lvfm -Wl,-rpath,'$ORIGIN' -lm
 *   bin/example
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfm.h"

/* A camera's frame: NV12 with padded rows. */
enum { W = 96, H = 64, STRIDE = 128, FRAMES = 5 };

static char err[512];

static void check(vfm_status s, const char *what)
{
	if (s != VFM_OK) {
		fprintf(stderr, "%s: status %d: %s\n", what, (int)s, err);
		exit(1);
	}
}

/* A grey scene with noise of 12 levels. Returns the mean squared error of luma against the scene
 * without noise. */
static double scene(unsigned char *luma, int draw)
{
	double sum = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double v = 128 + 60 * sin(0.1 * x) + 40 * cos(0.13 * y);
			unsigned char *p = &luma[y * STRIDE + x];
			if (draw) {
				double n = 0;
				for (int k = 0; k < 12; k++)
					n += rand() / (double)RAND_MAX - 0.5;
				double u = v + 12 * n;
				*p = u < 0 ? 0 : u > 255 ? 255 : (unsigned char)(u + 0.5);
			}
			sum += (*p - v) * (*p - v);
		}
	return sum / (W * H);
}

int main(int argc, char **argv)
{
	static unsigned char in[STRIDE * (H + H / 2)], out[STRIDE * (H + H / 2)];
	static float std[3 * W * H];
	memset(in, 128, sizeof in);

	vfm_config cfg = {0};
	cfg.size = sizeof cfg;
	if (argc > 1)
		cfg.weights = argv[1];
	vfm_model model;
	check(vfm_open(&cfg, &model, err, sizeof err), "open");
	char info[512];
	check(vfm_info(model, info, sizeof info), "info");
	printf("libvfm %s on %s\n", vfm_version(), info);

	/* The memory of the frames. */
	vfm_frame src = {0}, dst = {0};
	src.size = sizeof src;
	src.plane[0].data = in;
	src.plane[1].data = in + STRIDE * H;
	src.plane[0].stride = src.plane[1].stride = STRIDE;
	dst = src;
	dst.plane[0].data = out;
	dst.plane[1].data = out + STRIDE * H;

	/* A single picture, and the network's uncertainty. */
	double before = scene(in, 1);
	vfm_request req = {0};
	req.size = sizeof req;
	req.task = "denoise";
	req.width = W;
	req.height = H;
	req.in.layout = req.out.layout = VFM_NV12;
	req.noise = 12; /* 0: estimated */
	req.samples = 4;
	req.std = std;
	check(vfm_restore(model, &req, &src, &dst, err, sizeof err), "restore");
	double doubt = 0;
	for (int i = 0; i < 3 * W * H; i++)
		doubt += std[i] / (3.0 * W * H);
	printf("squared error %.1f became %.1f; mean standard deviation of the samples %.4f\n", before, scene(out, 0), doubt);

	/* A stream. */
	req.samples = 0;
	req.std = NULL;
	vfm_stream stream;
	check(vfm_stream_open(model, &req, &stream, err, sizeof err), "stream");
	for (int i = 0; i < FRAMES; i++) {
		scene(in, 1);
		src.timestamp = 40000000LL * i;
		check(vfm_stream_submit(stream, &src, -1, NULL, err, sizeof err), "submit");
		vfm_frame_info f = {0};
		f.size = sizeof f;
		check(vfm_stream_receive(stream, &dst, -1, &f, err, sizeof err), "receive");
		printf("frame %d at %d ms: %.0f ms, squared error %.1f\n", (int)f.index, (int)(f.timestamp / 1000000), 1e3 * f.seconds, scene(out, 0));
	}
	vfm_stream_end(stream);
	if (vfm_stream_receive(stream, &dst, -1, NULL, err, sizeof err) != VFM_END)
		return 2;
	vfm_stream_close(stream);

	/* Mistakes give errors. */
	req.task = "sharpen";
	if (vfm_restore(model, &req, &src, &dst, err, sizeof err) != VFM_BAD_REQUEST)
		return 3;
	printf("a mistake: %s\n", err);
	vfm_close(model);
	vfm_close(model);
	req.task = "denoise";
	if (vfm_restore(model, &req, &src, &dst, NULL, 0) != VFM_CLOSED)
		return 4;
	return 0;
}
