/* Restores frames that lie in memory shared with others: a file descriptor as a camera or decoder
 * gives it (here a memfd), and memory that the library exports. Build and run, from the
 * repository's root:
 *
 *   make lib
 *   cc -Ibin cmd/libvfm/example/memory.c -o bin/memory -Lbin -lvfm -Wl,-rpath,'$ORIGIN'
 *   bin/memory
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfm.h"

/* NV12 from the camera, I420 for an encoder, with padded rows. */
enum { W = 64, H = 48, STRIDE = 96, CHROMA = 4096 + STRIDE * H, BYTES = 65536 };

static const vfm_format nv12 = {.layout = VFM_NV12, .matrix = VFM_BT601};
static const vfm_format i420 = {.layout = VFM_PLANAR, .matrix = VFM_BT601};
static char err[512];

static void check(vfm_status s, const char *what)
{
	if (s != VFM_OK) {
		fprintf(stderr, "%s: status %d: %s\n", what, (int)s, err);
		exit(1);
	}
}

static void refused(vfm_status s, vfm_status want, const char *words)
{
	if (s != want || strstr(err, words) == NULL) {
		fprintf(stderr, "status %d, not %d with \"%s\": %s\n", (int)s, (int)want, words, err);
		exit(1);
	}
}

/* A descriptor with its memory, as the camera's driver and the encoder see it. */
static int share(unsigned char **map)
{
	int fd = memfd_create("camera", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, BYTES))
		exit(2);
	*map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*map == MAP_FAILED)
		exit(2);
	return fd;
}

static void draw(unsigned char *map)
{
	memset(map, 0xee, BYTES);
	for (int y = 0; y < H * 3 / 2; y++)
		for (int x = 0; x < W; x++)
			map[4096 + y * STRIDE + x] = (unsigned char)(y < H ? 80 + x + y / 2 + rand() % 31 - 15 : 120 + rand() % 9);
}

/* Where a frame of NV12 or I420 lies: at pointers into map, or at offsets in memory. */
static vfm_frame at(const vfm_format *f, unsigned char *map, vfm_memory memory)
{
	const size_t start[3] = {4096, CHROMA, CHROMA + STRIDE * H / 4};
	vfm_frame frame = {.size = sizeof frame};
	for (int i = 0; i < (f->layout == VFM_NV12 ? 2 : 3); i++) {
		frame.plane[i].stride = i > 0 && f->layout == VFM_PLANAR ? STRIDE / 2 : STRIDE;
		if (memory) {
			frame.memory[i] = memory;
			frame.offset[i] = start[i];
		} else
			frame.plane[i].data = map + start[i];
	}
	return frame;
}

int main(void)
{
	vfm_model model;
	check(vfm_open(NULL, &model, err, sizeof err), "open");
	vfm_memory_support can = {.size = sizeof can};
	check(vfm_memory_query(model, &can, err, sizeof err), "query");
	printf("map dma-bufs: %d; import dma-bufs: %d, export: %d; import opaque descriptors: %d, export: %d\n", (int)can.map_dma_buf,
	       (int)can.import_dma_buf, (int)can.export_dma_buf, (int)can.import_opaque_fd, (int)can.export_opaque_fd);

	/* What the library gives in the program's own memory. */
	unsigned char *camera, *encoder, *want = malloc(BYTES);
	int from = share(&camera), to = share(&encoder);
	draw(camera);
	memset(want, 0x55, BYTES);
	vfm_request req = {.size = sizeof req, .task = "denoise", .width = W, .height = H, .noise = 10, .in = nv12, .out = i420};
	vfm_frame in = at(&nv12, camera, 0), out = at(&i420, want, 0);
	check(vfm_restore(model, &req, &in, &out, err, sizeof err), "restore");

	/* The same by descriptors. */
	vfm_memory_handle handle = {.size = sizeof handle, .kind = VFM_DMA_BUF, .fd = from, .bytes = BYTES};
	vfm_memory source, target;
	check(vfm_memory_import(model, &handle, &source, err, sizeof err), "import");
	handle.fd = to;
	check(vfm_memory_import(model, &handle, &target, err, sizeof err), "import");
	close(from);
	close(to);
	in = at(&nv12, NULL, source);
	out = at(&i420, NULL, target);
	memset(encoder, 0x55, BYTES);
	check(vfm_restore(model, &req, &in, &out, err, sizeof err), "restore");
	if (memcmp(encoder, want, BYTES))
		return puts("a picture in imported memory became another"), 1;

	vfm_stream stream;
	vfm_frame_info info = {.size = sizeof info};
	check(vfm_stream_open(model, &req, &stream, err, sizeof err), "stream");
	memset(encoder, 0x55, BYTES);
	in.timestamp = 7;
	check(vfm_stream_submit(stream, &in, -1, NULL, err, sizeof err), "submit");
	memset(camera, 0, BYTES); /* the library has read the frame */
	check(vfm_stream_receive(stream, &out, -1, &info, err, sizeof err), "receive");
	if (memcmp(encoder, want, BYTES) || info.timestamp != 7)
		return puts("a frame in imported memory became another"), 1;
	puts("frames are read and written in imported memory");

	/* A result in memory that the library exports, which another model imports and reads. */
	vfm_memory made = 0, there;
	if (can.export_opaque_fd && can.import_opaque_fd) {
		check(vfm_memory_create(model, VFM_OPAQUE_FD, BYTES, &made, err, sizeof err), "create");
		draw(camera);
		in = at(&nv12, NULL, source);
		out = at(&nv12, NULL, made);
		req.out = nv12;
		check(vfm_restore(model, &req, &in, &out, err, sizeof err), "restore");
		vfm_frame own = at(&nv12, want, 0);
		check(vfm_restore(model, &req, &in, &own, err, sizeof err), "restore");
		vfm_memory_handle shared = {.size = sizeof shared};
		check(vfm_memory_export(made, &shared, err, sizeof err), "export");
		vfm_model other;
		check(vfm_open(NULL, &other, err, sizeof err), "open");
		check(vfm_memory_import(other, &shared, &there, err, sizeof err), "import");
		close(shared.fd);
		unsigned char *first = malloc(BYTES), *second = malloc(BYTES);
		memset(first, 0, BYTES);
		memset(second, 0, BYTES);
		vfm_frame a = at(&nv12, NULL, there), b = at(&nv12, first, 0), c = at(&nv12, second, 0);
		check(vfm_restore(other, &req, &a, &b, err, sizeof err), "restore");
		check(vfm_restore(other, &req, &own, &c, err, sizeof err), "restore");
		if (memcmp(first, second, BYTES))
			return puts("the other model read something else"), 1;
		vfm_memory_free(there);
		vfm_close(other);
		puts("a result was exported and imported");
	} else
		puts("the device cannot export and import opaque file descriptors: not tried");

	/* Mistakes. */
	vfm_memory odd;
	if (!can.export_dma_buf) {
		refused(vfm_memory_create(model, VFM_DMA_BUF, BYTES, &odd, err, sizeof err), VFM_FAILED, "VK_EXT_external_memory_dma_buf");
		printf("refused: %s\n", err);
	}
	handle.bytes = BYTES + 1, handle.fd = memfd_create("small", 0);
	if (handle.fd < 0 || ftruncate(handle.fd, BYTES))
		return 2;
	refused(vfm_memory_import(model, &handle, &odd, err, sizeof err), VFM_BAD_REQUEST, "65536 bytes, not 65537");
	handle.fd = -1;
	refused(vfm_memory_import(model, &handle, &odd, err, sizeof err), VFM_BAD_REQUEST, "descriptor -1");
	handle.kind = 9;
	refused(vfm_memory_import(model, &handle, &odd, err, sizeof err), VFM_BAD_REQUEST, "kind 9");
	handle.kind = VFM_OPAQUE_FD, handle.memory_type = 0xffffffff, handle.bytes = BYTES;
	if (vfm_memory_import(model, &handle, &odd, err, sizeof err) == VFM_OK)
		return puts("nothing was imported"), 1;
	refused(vfm_memory_create(model, VFM_OPAQUE_FD, 0, &odd, err, sizeof err), VFM_BAD_REQUEST, "0 bytes");
	refused(vfm_memory_export(source, &handle, err, sizeof err), VFM_BAD_REQUEST, "was imported");
	in = at(&nv12, NULL, source);
	in.offset[1] = BYTES - 10;
	refused(vfm_stream_submit(stream, &in, -1, NULL, err, sizeof err), VFM_BAD_REQUEST, "but there are 65536");
	in.offset[1] = ~(uint64_t)0;
	refused(vfm_stream_submit(stream, &in, -1, NULL, err, sizeof err), VFM_BAD_REQUEST, "offset[1]");
	in = at(&nv12, NULL, source);
	in.plane[0].data = camera;
	refused(vfm_stream_submit(stream, &in, -1, NULL, err, sizeof err), VFM_BAD_REQUEST, "one must be NULL");
	in.plane[0].data = NULL, in.memory[0] = model;
	refused(vfm_restore(model, &req, &in, &out, err, sizeof err), VFM_CLOSED, "");
	vfm_memory_free(source);
	in.memory[0] = source;
	refused(vfm_restore(model, &req, &in, &out, err, sizeof err), VFM_CLOSED, "");
	vfm_stream_close(stream);
	vfm_close(model);
	vfm_memory_free(target);
	vfm_memory_free(made);
	vfm_memory_free(made);
	puts("mistakes are refused");
	return 0;
}
