/* A camera's pipeline: buffers as libcamera gives them -> a stream of libvfm -> Y4M for an encoder.
 * From the repository's root:
 *
 *   make lib
 *   cc -Ibin cmd/libvfm/example/pipeline.c -o bin/pipeline -Lbin -lvfm -Wl,-rpath,'$ORIGIN' -lpthread
 *   bin/pipeline | ffmpeg -v error -i - -colorspace smpte170m -color_primaries smpte170m \
 *     -color_trc smpte170m -color_range tv out.mp4
 *
 * The camera is a stand-in (camera.h): a few buffers of shared memory, which it fills in turn and
 * which it must get back.
 */
#include "camera.h" /* first: it asks for what Linux alone has */

#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "vfm.h"

static vfm_stream stream;

static void check(vfm_status s, const char *what, const char *err)
{
	if (s != VFM_OK) {
		fprintf(stderr, "pipeline: %s: status %d: %s\n", what, (int)s, err);
		exit(1);
	}
}

/* Tells the kernel that the processor reads a buffer: caches may have to be emptied. What is no
 * dma-buf needs nothing. */
static void sync_buffer(const struct buffer *b, uint64_t when)
{
	struct dma_buf_sync s = {.flags = when | DMA_BUF_SYNC_READ};
	(void)ioctl(b->fd, DMA_BUF_IOCTL_SYNC, &s);
}

/* The formats of what comes in and what goes out. */
static const vfm_format nv12 = {.layout = VFM_NV12, .matrix = VFM_BT601, .range = VFM_LIMITED};
static const vfm_format i420 = {.layout = VFM_PLANAR, .chroma = VFM_420, .matrix = VFM_BT601};

static void open_stream(vfm_model model)
{
	char err[512];
	vfm_request req = {.size = sizeof req, .task = "denoise", .temporal = 1, .in = nv12, .out = i420};
	req.width = CAMERA_W;
	req.height = CAMERA_H;
	check(vfm_stream_open(model, &req, &stream, err, sizeof err), "stream", err);
}

/* Takes the camera's buffers to the stream and gives them back at once: submit has read the frame
 * when it returns. */
static void *capture(void *unused)
{
	char err[512];
	struct buffer *b;
	while ((b = camera_next())) {
		vfm_frame f = {.size = sizeof f, .timestamp = b->timestamp, .cookie = b->sequence};
		for (int i = 0; i < 2; i++) {
			f.plane[i].data = b->map + b->plane[i].offset;
			f.plane[i].stride = b->stride;
			f.plane[i].bytes = b->plane[i].length;
		}
		sync_buffer(b, DMA_BUF_SYNC_START);
		vfm_status s = vfm_stream_submit(stream, &f, -1, NULL, err, sizeof err);
		sync_buffer(b, DMA_BUF_SYNC_END);
		check(s, "submit", err);
		camera_give_back(b);
	}
	vfm_stream_end(stream);
	return unused;
}

int main(void)
{
	char err[512];
	vfm_model model;
	check(vfm_open(NULL, &model, err, sizeof err), "open", err);
	open_stream(model);

	size_t bytes = vfm_frame_bytes(&i420, CAMERA_W, CAMERA_H);
	unsigned char *restored = malloc(bytes);
	vfm_frame dst = {.size = sizeof dst};
	check(vfm_tight(&i420, CAMERA_W, CAMERA_H, restored, bytes, &dst, err, sizeof err), "memory", err);

	pthread_t thread;
	if (camera_start() || pthread_create(&thread, NULL, capture, NULL)) {
		fprintf(stderr, "pipeline: the camera does not start\n");
		return 1;
	}
	printf("YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n", CAMERA_W, CAMERA_H,
	       CAMERA_RATE);
	for (;;) {
		vfm_frame_info info = {.size = sizeof info};
		vfm_status s = vfm_stream_receive(stream, &dst, -1, &info, err, sizeof err);
		if (s == VFM_END)
			break;
		check(s, "receive", err);
		fprintf(stderr, "frame %llu of %lld ms took %.0f ms; its noise is %.1f\n", (unsigned long long)info.cookie,
		        (long long)info.timestamp / 1000000, 1e3 * info.seconds, info.noise);
		if (fputs("FRAME\n", stdout) < 0 || fwrite(restored, 1, bytes, stdout) != bytes)
			check(VFM_FAILED, "write", "the encoder takes no more");
	}
	if (fflush(stdout))
		check(VFM_FAILED, "write", "the encoder takes no more");
	pthread_join(thread, NULL);
	vfm_stream_close(stream);
	vfm_close(model);
	camera_stop();
	free(restored);
	return 0;
}
