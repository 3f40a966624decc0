/* For the tests: mistakes and bad data that must not end the process. Prints a line for each
 * kind. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vfm.h"

enum { W = 48, H = 40 };
static unsigned char in[3 * W * H], out[3 * W * H];
static vfm_frame src, dst;
static vfm_stream stream;
static vfm_status last;
static char error[300];

/* Submits until it is refused. */
static void *submit(void *p) {
	int *begun = p;
	for (;;) {
		last = vfm_stream_submit(stream, &src, -1, NULL, error, sizeof error);
		if (last != VFM_OK) return NULL;
		__atomic_store_n(begun, 1, __ATOMIC_SEQ_CST);
	}
}

static vfm_request request(void) {
	vfm_request r;
	memset(&r, 0, sizeof r);
	r.size = sizeof r, r.task = "denoise", r.width = W, r.height = H, r.noise = 15;
	return r;
}

#define EXPECT(call, want) \
	do { \
		vfm_status got_ = (call); \
		if (got_ != (want)) return printf("line %d: status %d, want %d: %s\n", __LINE__, (int)got_, (int)(want), e), 1; \
	} while (0)

int main(void) {
	char e[300] = "";
	vfm_model m;
	vfm_config odd;
	memset(&odd, 0, sizeof odd);
	odd.size = sizeof odd;
	odd.weights = "none\033[31m\n.vfm"; /* a name with a control character */
	if (vfm_open(&odd, &m, e, sizeof e) == VFM_OK) return puts("weights that are not there were opened"), 1;
	for (const char *c = e; *c; c++)
		if ((unsigned char)*c < 32 || *c == 127) return puts("an error holds a name as it is"), 1;
	puts("names in errors are quoted");
	EXPECT(vfm_open(NULL, &m, e, sizeof e), VFM_OK);
	memset(&src, 0, sizeof src);
	src.size = sizeof src;
	vfm_format rgb;
	memset(&rgb, 0, sizeof rgb);
	dst = src;
	EXPECT(vfm_tight(&rgb, W, H, in, sizeof in, &src, e, sizeof e), VFM_OK);
	EXPECT(vfm_tight(&rgb, W, H, out, sizeof out, &dst, e, sizeof e), VFM_OK);

	/* Sizes too large for any memory are refused. */
	vfm_request huge = request();
	huge.width = 65536, huge.height = 65536;
	vfm_status s = vfm_stream_open(m, &huge, &stream, e, sizeof e);
	if (s != VFM_NO_MEMORY && s != VFM_BAD_REQUEST) return printf("65536x65536: status %d %s\n", (int)s, e), 1;
	huge.task = "super-resolve";
	s = vfm_stream_open(m, &huge, &stream, e, sizeof e);
	if (s != VFM_NO_MEMORY && s != VFM_BAD_REQUEST) return printf("super-resolve: status %d %s\n", (int)s, e), 1;
	puts("absurd sizes are refused");

	/* So are numbers of samples that would take for ever. */
	static float spread[3 * W * H];
	const int32_t counts[] = {INT32_MAX, VFM_MAX_SAMPLES + 1, -1, INT32_MIN};
	for (int i = 0; i < 4; i++) {
		vfm_request many = request();
		many.std = spread, many.samples = counts[i];
		EXPECT(vfm_restore(m, &many, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
		EXPECT(vfm_prepare(m, &many, e, sizeof e), VFM_BAD_REQUEST);
		if (!strstr(e, "samples") || (counts[i] > 0 && !strstr(e, "1000"))) return printf("%d samples: %s\n", (int)counts[i], e), 1;
	}
	puts("absurd counts are refused");

	/* Structures of another size: 0, absurd, of a newer header with and without new members set, of
	 * an older header. */
	struct { vfm_request r; char more[16]; } newer;
	memset(&newer, 0, sizeof newer);
	newer.r = request();
	newer.r.size = 0;
	EXPECT(vfm_restore(m, &newer.r, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	newer.r.size = 0xa5a5a5a5u;
	EXPECT(vfm_restore(m, &newer.r, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	newer.r.size = sizeof newer, newer.more[9] = 1;
	EXPECT(vfm_restore(m, &newer.r, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	newer.more[9] = 0;
	EXPECT(vfm_restore(m, &newer.r, &src, &dst, e, sizeof e), VFM_OK);
	newer.r.size = offsetof(vfm_request, seed);
	memset(&newer.r.seed, 0xff, sizeof newer.r - offsetof(vfm_request, seed)); /* must be ignored */
	EXPECT(vfm_restore(m, &newer.r, &src, &dst, e, sizeof e), VFM_OK);
	vfm_config cfg;
	memset(&cfg, 0, sizeof cfg);
	vfm_model none;
	EXPECT(vfm_open(&cfg, &none, e, sizeof e), VFM_BAD_REQUEST);
	cfg.size = sizeof cfg, cfg.precision = 7;
	EXPECT(vfm_open(&cfg, &none, e, sizeof e), VFM_BAD_REQUEST);
	cfg.precision = 0, cfg.pace = 1.5;
	EXPECT(vfm_open(&cfg, &none, e, sizeof e), VFM_BAD_REQUEST);
	puts("structures of another size are read as far as both sides know them");

	/* Planes that are too small for a frame, and unknown formats. */
	vfm_request r = request();
	vfm_frame bad = src;
	bad.plane[0].bytes--;
	EXPECT(vfm_restore(m, &r, &bad, &dst, e, sizeof e), VFM_BAD_REQUEST);
	EXPECT(vfm_restore(m, &r, &src, &bad, e, sizeof e), VFM_BAD_REQUEST);
	bad = src, bad.plane[0].data = NULL;
	EXPECT(vfm_restore(m, &r, &bad, &dst, e, sizeof e), VFM_BAD_REQUEST);
	bad = src, bad.plane[0].stride = 3 * W - 1;
	EXPECT(vfm_restore(m, &r, &bad, &dst, e, sizeof e), VFM_BAD_REQUEST);
	bad = src, bad.plane[0].stride = PTRDIFF_MIN;
	EXPECT(vfm_restore(m, &r, &bad, &dst, e, sizeof e), VFM_BAD_REQUEST);
	bad = src, bad.plane[0].step = 2;
	EXPECT(vfm_restore(m, &r, &bad, &dst, e, sizeof e), VFM_BAD_REQUEST);
	EXPECT(vfm_restore(m, &r, NULL, &dst, e, sizeof e), VFM_BAD_REQUEST);
	EXPECT(vfm_restore(m, NULL, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	for (int i = 0; i < 6; i++) {
		r = request();
		(&r.in.layout)[i] = 77;
		if (i == 1) r.in.layout = VFM_GRAY;
		EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
		if (vfm_frame_bytes(&r.in, W, H) != 0) return puts("a format that is none has a size"), 1;
	}
	if (vfm_frame_bytes(&rgb, W, H) != sizeof in || vfm_frame_bytes(&rgb, 0, H) != 0 || vfm_frame_bytes(NULL, W, H) != 0) return puts("frame_bytes"), 1;
	EXPECT(vfm_tight(&rgb, W, H, in, sizeof in - 1, &bad, e, sizeof e), VFM_BAD_REQUEST);
	puts("planes and formats that do not fit are refused");

	/* Outputs that would not be written are refused. Noise 0 means that it is estimated; no noise
	 * has a constant. */
	static float statistics[3 * W * H];
	vfm_request ask = request();
	ask.mean = statistics;
	EXPECT(vfm_restore(m, &ask, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	EXPECT(vfm_stream_open(m, &ask, &stream, e, sizeof e), VFM_BAD_REQUEST);
	ask.mean = NULL, ask.std = statistics, ask.samples = 1;
	EXPECT(vfm_restore(m, &ask, &src, &dst, e, sizeof e), VFM_BAD_REQUEST);
	for (int i = 0; i < 3; i++) { /* values with a standard deviation of about 14 levels */
		static const double noise[] = {0, -1, VFM_NOISE_NONE};
		ask = request();
		ask.noise = noise[i];
		EXPECT(vfm_stream_open(m, &ask, &stream, e, sizeof e), VFM_OK);
		for (int k = 0; k < 3 * W * H; k++) in[k] = 100 + rand() % 48;
		vfm_frame_info f;
		memset(&f, 0, sizeof f);
		f.size = sizeof f;
		EXPECT(vfm_stream_submit(stream, &src, -1, NULL, e, sizeof e), VFM_OK);
		EXPECT(vfm_stream_receive(stream, &dst, -1, &f, e, sizeof e), VFM_OK);
		if (i < 2 ? !(f.noise > 5) : f.noise != 0) return printf("a noise of %g counts as %g\n", noise[i], f.noise), 1;
		vfm_stream_close(stream);
	}
	puts("zero values mean what the header says");

	/* vfm_stream_end while another thread waits in submit, which returns VFM_BAD_REQUEST. */
	for (int i = 0; i < 20; i++) {
		r = request();
		r.in_flight = 2;
		EXPECT(vfm_stream_open(m, &r, &stream, e, sizeof e), VFM_OK);
		int begun = 0;
		pthread_t t;
		if (pthread_create(&t, NULL, submit, &begun) != 0) return puts("no thread"), 1;
		while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST)) {}
		vfm_stream_end(stream);
		while (vfm_stream_receive(stream, &dst, -1, NULL, e, sizeof e) == VFM_OK) {}
		pthread_join(t, NULL);
		if (last != VFM_BAD_REQUEST) return printf("submit after end: status %d %s\n", (int)last, error), 1;
		vfm_stream_close(stream);
	}
	puts("submits that wait notice the end");
	vfm_close(m);
	return 0;
}
