/* For the tests: frames in every layout with gaps, streams that drop and resize, cancelling,
 * devices. Prints a line for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vfm.h"

enum { W = 37, H = 21, MOST = 1 << 16 };
static char e[400];

#define EXPECT(call, want) \
	do { \
		vfm_status got_ = (call); \
		if (got_ != (want)) return printf("line %d: status %d, want %d: %s\n", __LINE__, (int)got_, (int)(want), e), 1; \
	} while (0)
#define TRUE(what) \
	do { \
		if (!(what)) return printf("line %d: not so: %s\n", __LINE__, #what), 1; \
	} while (0)

static vfm_request request(void) {
	vfm_request r;
	memset(&r, 0, sizeof r);
	r.size = sizeof r, r.task = "inpaint", r.width = W, r.height = H, r.noise = VFM_NOISE_NONE;
	return r;
}

/* Copies a frame without gaps to one with 5 bytes between rows and every second plane bottom up.
 * Returns the new frame. */
static vfm_frame spread(const vfm_format *f, const unsigned char *tight, unsigned char *memory, unsigned char value) {
	vfm_frame t;
	memset(&t, 0, sizeof t);
	t.size = sizeof t;
	memset(memory, value, MOST);
	if (vfm_tight(f, W, H, (void *)tight, vfm_frame_bytes(f, W, H), &t, e, sizeof e) != VFM_OK) abort();
	size_t at = 3;
	for (int p = 0; p < 3 && t.plane[p].data != NULL; p++) {
		int chroma = p > 0 && f->layout != VFM_FLOAT_PLANES && !(f->layout == VFM_PLANAR && f->chroma != VFM_420);
		size_t rows = chroma ? (H + 1) / 2 : H, row = t.plane[p].bytes / rows, stride = row + 5;
		for (size_t y = 0; y < rows; y++)
			memcpy(memory + at + (p % 2 ? rows - 1 - y : y) * stride, (unsigned char *)t.plane[p].data + y * row, row);
		t.plane[p].data = memory + at + (p % 2 ? (rows - 1) * stride : 0);
		t.plane[p].stride = p % 2 ? -(ptrdiff_t)stride : (ptrdiff_t)stride;
		t.plane[p].bytes = (rows - 1) * stride + row;
		at += rows * stride;
	}
	return t;
}

/* A mosaic of one grey, packed as in MIPI, becomes that grey. Mosaics that do not fit are
 * refused. */
static int mosaics(vfm_model m) {
	enum { w = 32, h = 24, row = w * 5 / 4, gap = 7, stride = row + gap };
	static unsigned char data[h * stride], rgb[w * h * 3];
	vfm_request r = request();
	r.task = "denoise", r.width = w, r.height = h, r.mosaic = "size=32x24,bits=10,packing=mipi,pattern=bggr,black=64";
	vfm_stream s;
	EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_OK);
	memset(data, 0xee, sizeof data);
	for (int y = 0; y < h; y++)
		for (int i = 0; i < row; i++) data[y * stride + i] = i % 5 < 4 ? 300 >> 2 : (300 & 3) * 0x55;
	for (int up = 0; up < 2; up++) { /* the second time bottom up */
		vfm_frame f, t;
		memset(&f, 0, sizeof f);
		f.size = sizeof f, f.plane[0].data = data + up * (h - 1) * stride, f.plane[0].stride = up ? -stride : stride, f.plane[0].bytes = sizeof data - gap;
		EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_OK);
		memset(&t, 0, sizeof t);
		t.size = sizeof t;
		EXPECT(vfm_tight(&r.out, w, h, rgb, sizeof rgb, &t, e, sizeof e), VFM_OK);
		EXPECT(vfm_stream_receive(s, &t, -1, NULL, e, sizeof e), VFM_OK);
		/* (300 - 64) / (1023 - 64) of light by sRGB's curve and 0.3 of an S-curve */
		for (int i = 0; i < w * h * 3; i++) TRUE(rgb[i] > 127 && rgb[i] < 147);
		f.plane[0].bytes -= 1;
		EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_BAD_REQUEST);
		f.plane[0].bytes += 1, f.plane[0].step = 2;
		EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_BAD_REQUEST);
		f.plane[0].step = 0, f.plane[0].stride = row - 1;
		EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_BAD_REQUEST);
		f.plane[0].data = NULL;
		EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_BAD_REQUEST);
	}
	vfm_stream_close(s);
	r.noise = 0, r.gain = 0.25, r.read_noise = 1.5;
	EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_OK);
	vfm_frame f;
	vfm_frame_info info;
	memset(&f, 0, sizeof f), memset(&info, 0, sizeof info);
	f.size = sizeof f, f.plane[0].data = data, f.plane[0].stride = stride, info.size = sizeof info;
	EXPECT(vfm_stream_submit(s, &f, -1, NULL, e, sizeof e), VFM_OK);
	EXPECT(vfm_tight(&r.out, w, h, rgb, sizeof rgb, &f, e, sizeof e), VFM_OK);
	EXPECT(vfm_stream_receive(s, &f, -1, &info, e, sizeof e), VFM_OK);
	TRUE(info.noise > 0.3 && info.noise < 5); /* 7.7 levels of 959 at this brightness; about 1.5 of
	                                             255 after demosaicing */
	vfm_stream_close(s);
	const char *bad[] = {"", "size=32x24", "size=32x25,bits=10", "size=32x24,bits=10,offset=1", "size=32x24,bits=99"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		r.mosaic = bad[i];
		EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_BAD_REQUEST);
	}
	r.mosaic = NULL;
	EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_BAD_REQUEST); /* a gain without a mosaic */
	EXPECT(vfm_restore(m, &r, &f, &f, e, sizeof e), VFM_BAD_REQUEST);
	printf("mosaics become pictures\n");
	return 0;
}

int main(void) {
	static unsigned char tight[MOST], a[MOST], b[MOST], want[MOST], mask[W * H], other[W * H];
	vfm_model m;

	size_t count = 0;
	EXPECT(vfm_devices(NULL, &count, e, sizeof e), VFM_OK);
	TRUE(count > 0 && count < 64);
	vfm_device *list = calloc(count, sizeof *list);
	list[0].size = sizeof *list;
	EXPECT(vfm_devices(list, &count, e, sizeof e), VFM_OK);
	for (size_t i = 0; i < count; i++) TRUE(list[i].index == (int)i && list[i].size == sizeof *list && list[i].name[0] != 0 && list[i].memory > 0);
	printf("devices: %s\n", list[0].name);
	free(list);

	vfm_config cfg;
	memset(&cfg, 0, sizeof cfg);
	cfg.size = sizeof cfg, cfg.cache_dir = "-", cfg.precision = VFM_FLOAT32, cfg.timeout = 600;
	EXPECT(vfm_open(&cfg, &m, e, sizeof e), VFM_OK);
	TRUE(vfm_abi() == VFM_ABI);

	/* Inpainting keeps known pixels, to the bit, in every layout, and does not write between
	 * rows. */
	mask[0] = 1;
	for (int layout = VFM_RGB; layout <= VFM_FLOAT_PLANES; layout++)
		for (int variant = 0; variant < 6; variant++) {
			vfm_request r = request();
			r.in.layout = layout, r.in.matrix = variant % 3, r.in.range = variant % 2, r.in.siting = variant % 3;
			r.in.chroma = layout == VFM_PLANAR ? variant % 3 : 0;
			if (layout == VFM_GRAY || layout == VFM_PLANAR) r.in.bits = variant / 2 * 4 + 8;
			r.out = r.in;
			size_t n = vfm_frame_bytes(&r.in, W, H);
			TRUE(n > 0 && n < MOST / 2);
			for (size_t i = 0; i < n; i++) tight[i] = (unsigned char)rand();
			for (size_t i = 0; i < n; i += 2)
				if (layout == VFM_P010) tight[i] &= 0xc0;
				else if (r.in.bits > 8) tight[i + 1] &= (1 << (r.in.bits - 8)) - 1;
			for (size_t i = 3; i < n; i += 4)
				if (layout == VFM_RGBA || layout == VFM_BGRA) tight[i] |= 1;
			if (layout >= VFM_FLOAT)
				for (size_t i = 0; i < n / 4; i++) {
					float v = (float)rand() / (float)RAND_MAX * 2 - 1;
					memcpy(tight + 4 * i, &v, 4);
				}
			vfm_frame src = spread(&r.in, tight, a, 0x11), dst = spread(&r.in, tight, b, 0x22);
			memcpy(want, b, sizeof want);
			src.mask = mask;
			EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_OK);
			size_t changed = 0;
			for (size_t i = 0; i < sizeof want; i++)
				if (b[i] != want[i]) changed++;
			/* the samples of the missing pixel, at most 3 x 4 bytes, and the chroma that it
			 * shares */
			if (changed > 12) return printf("layout %d, variant %d: %d bytes have changed\n", layout, variant, (int)changed), 1;
			TRUE(memcmp(a + 2, b + 2, 1) != 0); /* the gap before */
			if (layout == VFM_RGB) TRUE(changed > 0);
			/* the same through a stream */
			r.mask = mask;
			vfm_stream s;
			EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_OK);
			memset(b, 0x33, sizeof b);
			src.mask = NULL, src.timestamp = -5, src.cookie = 1 + (uint64_t)layout;
			vfm_frame_info info;
			memset(&info, 0xee, sizeof info);
			info.size = sizeof info;
			EXPECT(vfm_stream_submit(s, &src, -1, &info, e, sizeof e), VFM_OK);
			TRUE(info.index == -1);
			EXPECT(vfm_stream_receive(s, &dst, -1, &info, e, sizeof e), VFM_OK);
			TRUE(info.index == 0 && info.timestamp == -5 && info.cookie == 1 + (uint64_t)layout && info.width == W && info.height == H && info.seconds > 0 && info.size == sizeof info);
			changed = 0;
			for (size_t i = 0; i < sizeof want; i++)
				if (b[i] != want[i] && !(b[i] == 0x33 && want[i] == 0x22)) changed++;
			/* the last pair of a row has an unused half */
			if (layout == VFM_YUYV || layout == VFM_UYVY) changed -= changed >= H ? H : 0;
			if (changed > 12) return printf("a stream of layout %d, variant %d: %d bytes have changed\n", layout, variant, (int)changed), 1;
			vfm_stream_close(s);
		}
	puts("frames keep their codes in every layout");

	/* A frame with its own mask, another size, and the information about both. */
	vfm_request r = request();
	r.in.layout = r.out.layout = VFM_RGB, r.mask = mask;
	vfm_stream s;
	EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_OK);
	for (int i = 0; i < 3 * W * H; i++) tight[i] = (unsigned char)rand();
	vfm_frame src = spread(&r.in, tight, a, 0), dst = spread(&r.in, tight, b, 0);
	memcpy(want, b, sizeof want);
	other[5 * W + 7] = 1;
	src.mask = other;
	vfm_frame_info info;
	memset(&info, 0, sizeof info);
	info.size = sizeof info;
	EXPECT(vfm_stream_submit(s, &src, -1, NULL, e, sizeof e), VFM_OK);
	EXPECT(vfm_stream_resize(s, 9, 7, NULL, e, sizeof e), VFM_BAD_REQUEST);
	EXPECT(vfm_stream_resize(s, 9, 7, mask, e, sizeof e), VFM_OK);
	src.mask = NULL;
	EXPECT(vfm_stream_submit(s, &src, -1, NULL, e, sizeof e), VFM_OK); /* a part of the frame */
	EXPECT(vfm_stream_next(s, -1, &info, e, sizeof e), VFM_OK);
	TRUE(info.index == 0 && info.width == W && info.height == H);
	vfm_frame small = dst;
	small.plane[0].bytes = 100;
	EXPECT(vfm_stream_receive(s, &small, -1, &info, e, sizeof e), VFM_BAD_REQUEST);
	TRUE(info.index == 0 && info.width == W);
	EXPECT(vfm_stream_receive(s, &dst, -1, &info, e, sizeof e), VFM_OK);
	for (int i = 0; i < MOST; i++)
		if (b[i] != want[i]) TRUE((i - 3) / (3 * W + 5) == 5 && (i - 3) % (3 * W + 5) / 3 == 7);
	EXPECT(vfm_stream_receive(s, &dst, -1, &info, e, sizeof e), VFM_OK);
	TRUE(info.index == 1 && info.width == 9 && info.height == 7);
	EXPECT(vfm_stream_receive(s, &dst, 0.01, &info, e, sizeof e), VFM_TIMEOUT);
	vfm_latency l;
	memset(&l, 0, sizeof l);
	l.size = sizeof l;
	EXPECT(vfm_stream_latency(s, &l, e, sizeof e), VFM_OK);
	TRUE(l.frames == 2 && l.dropped == 0 && l.p50 > 0 && l.p50 <= l.p95 && l.p95 <= l.p99 && l.p99 <= l.max);
	vfm_stream_close(s);
	EXPECT(vfm_stream_latency(s, &l, e, sizeof e), VFM_CLOSED);
	puts("frames bring masks and sizes of their own");

	/* Nobody receives: every frame submitted beyond in_flight drops one, and the newest remain. */
	r = request();
	r.task = "denoise", r.in.layout = r.out.layout = VFM_RGB, r.noise = 9, r.in_flight = 2, r.drop_oldest = 1;
	EXPECT(vfm_stream_open(m, &r, &s, e, sizeof e), VFM_OK);
	int64_t dropped = 0;
	for (int i = 0; i < 8; i++) {
		src.cookie = 100 + (uint64_t)i;
		EXPECT(vfm_stream_submit(s, &src, -1, &info, e, sizeof e), VFM_OK);
		if (info.index >= 0) {
			TRUE(info.cookie == 100 + (uint64_t)info.index);
			dropped++;
		}
	}
	vfm_stream_end(s);
	int64_t newest = -1, got = 0;
	while (vfm_stream_receive(s, &dst, -1, &info, e, sizeof e) == VFM_OK) {
		TRUE(info.index > newest);
		newest = info.index;
		got++;
	}
	TRUE(newest == 7 && got + dropped == 8 && dropped == 6);
	EXPECT(vfm_stream_latency(s, &l, e, sizeof e), VFM_OK);
	TRUE(l.dropped == dropped && l.frames == got);
	vfm_stream_close(s);
	puts("the oldest frames are dropped");

	/* Cancelled calls end, and others go on. */
	vfm_canceller c = vfm_cancel_new();
	r.cancel = c, r.drop_oldest = 0, r.in_flight = 0;
	EXPECT(vfm_prepare(m, &r, e, sizeof e), VFM_OK);
	EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_OK);
	vfm_cancel(c);
	EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_CANCELLED);
	EXPECT(vfm_prepare(m, &r, e, sizeof e), VFM_CANCELLED);
	vfm_cancel_free(c);
	EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_CLOSED);
	r.cancel = 0;
	EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_OK);
	puts("cancelled calls end");

	/* Temperature: VFM_TEMPERATURE_NONE makes all samples equal, and 0 means 1. */
	static float deviation[3 * W * H];
	double sums[3];
	for (int i = 0; i < 3; i++) {
		static const double temperature[] = {VFM_TEMPERATURE_NONE, 0, 1};
		r.samples = 2, r.std = deviation, r.temperature = temperature[i];
		EXPECT(vfm_restore(m, &r, &src, &dst, e, sizeof e), VFM_OK);
		sums[i] = 0;
		for (int k = 0; k < 3 * W * H; k++) sums[i] += deviation[k];
	}
	TRUE(sums[0] < 1e-3 && sums[1] > 1 && sums[1] == sums[2]);
	puts("temperatures mean what the header says");
	if (mosaics(m)) return 1;
	vfm_close(m);
	return 0;
}
