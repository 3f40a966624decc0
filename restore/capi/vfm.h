/* vfm.h: restoration of photographs and camera frames in one network step, for C and whatever can call it.
 *
 * Build with `make lib`, which leaves libvfm.so and vfm.h in bin/; link with -lvfm.
 *
 * Rules
 *   - Every function may be called from any thread; calls on one model take turns on its device. A stream wants one thread that submits and
 *     one that receives (or one for both); vfm_stream_end and vfm_stream_close may come from any other.
 *   - Memory that you pass stays yours; nothing of it is used after the call returns. The library returns no memory, only handles, which are
 *     numbers; 0 is none. Close them; a closed or made-up handle gives VFM_CLOSED.
 *   - Functions that can fail return a vfm_status and write a line of text that says what failed and what to do, with its ending 0, into
 *     err (err_size bytes; NULL and 0 if you do not want it). On failure no output but err has been written.
 *   - Structures begin with zero: memset them (or = {0}) and set what you need; 0 and NULL mean the default.
 *   - The library starts threads; do not fork() after its first call.
 */
#ifndef VFM_H
#define VFM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t vfm_status;
enum {
	VFM_OK = 0,
	VFM_BAD_REQUEST = 1,   /* an argument makes no sense */
	VFM_NO_VULKAN = 2,     /* no loader, driver or device */
	VFM_NO_MEMORY = 3,     /* the device has too little, even for the smallest tiles, or the computer too little for pictures of this size */
	VFM_DEVICE_LOST = 4,   /* close the model and open it again */
	VFM_BAD_WEIGHTS = 5,   /* the file cannot be read or is not for this library */
	VFM_CLOSED = 6,        /* the handle is not, or no more, open */
	VFM_END = 7,           /* vfm_stream_receive: all frames have been received */
	VFM_TIMEOUT = 8,       /* the time given was not enough; try again */
	VFM_FAILED = 9         /* anything else */
};

typedef uint64_t vfm_model;
typedef uint64_t vfm_stream;

/* Formats of frames and pictures. Sizes in bytes of w x h pixels in brackets; rows follow each other without gaps. */
typedef int32_t vfm_format;
enum {
	VFM_RGB24 = 0,   /* R G B, R G B, ... [3wh] */
	VFM_RGBA = 1,    /* R G B A, ...; alpha is carried over [4wh] */
	VFM_I420 = 2,    /* planes Y, Cb, Cr; 4:2:0, BT.709, limited range [wh + 2 ceil(w/2) ceil(h/2)] */
	VFM_NV12 = 3,    /* plane Y, then Cb Cr in turn; as I420 [the same] */
	VFM_FLOAT32 = 4  /* planes R, G, B of float in [-1, 1] [12wh] */
};

typedef struct {
	const char *device;  /* index or part of the name; NULL: $VFM_DEVICE, else the best */
	const char *weights; /* path of a .vfm file; NULL: those inside the library */
	int32_t tile;        /* side of tiles in pixels; 0: chosen by memory */
} vfm_config;

/* A noise that there is not, as 0 means that it is estimated. */
#define VFM_NOISE_NONE 1e-9

typedef struct {
	const char *task;    /* "motion-deblur", "gaussian-deblur" or "defocus" (the blur is found, but in streams, where its standard deviation
	                        is 3 pixels), "denoise", "super-resolve" or "inpaint" */
	int32_t width;       /* of the picture given; the result of super-resolve is 4 times as wide and high */
	int32_t height;
	vfm_format in;
	vfm_format out;
	double noise;        /* standard deviation in 8-bit levels, or VFM_NOISE_NONE; 0 and below: estimated */
	const uint8_t *mask; /* inpaint only: width x height bytes, not 0 where a pixel is missing */
	/* vfm_restore only: */
	int32_t steps;       /* of the flow map; 0: 1 */
	int32_t samples;     /* pictures drawn from the posterior for mean and std; these are refused without them */
	uint64_t seed;
	float *mean;         /* NULL, or three planes of the result's size: the samples' mean in [-1, 1] (samples >= 1) */
	float *std;          /* NULL, or three planes: their standard deviation, in the same units (samples >= 2) */
	/* vfm_stream_open only: */
	int32_t in_flight;   /* frames between submit and receive, 1 to 64; 0: 3 */
} vfm_request;

typedef struct {
	int64_t index;       /* of the frame, from 0 */
	double seconds;      /* from submit to the end of receive */
	double noise;        /* level used, in 8-bit levels */
} vfm_frame;

#ifndef VFM_TYPES_ONLY

/* The version of the library; constant, never freed. */
const char *vfm_version(void);

/* Opens a device and loads weights. cfg may be NULL. Errors: VFM_NO_VULKAN, VFM_BAD_WEIGHTS, VFM_NO_MEMORY, VFM_BAD_REQUEST. */
vfm_status vfm_open(const vfm_config *cfg, vfm_model *model, char *err, size_t err_size);

/* Frees the device's memory and the device. Calls that still run, also those of its streams, return VFM_CLOSED. */
void vfm_close(vfm_model model);

/* Writes a line about device, driver and weights, cut to size bytes with its ending 0. */
vfm_status vfm_info(vfm_model model, char *text, size_t size);

/* Restores a picture: in_size bytes at in, out_size bytes at out, which must be the sizes of the formats. */
vfm_status vfm_restore(vfm_model model, const vfm_request *req, const void *in, size_t in_size, void *out, size_t out_size,
                       char *err, size_t err_size);

/* Makes a stream for frames of one size and format. */
vfm_status vfm_stream_open(vfm_model model, const vfm_request *req, vfm_stream *stream, char *err, size_t err_size);

/* Gives the next frame; waits at most `seconds` (negative: as long as it takes) while in_flight frames are on their way. */
vfm_status vfm_stream_submit(vfm_stream stream, const void *in, size_t in_size, double seconds, char *err, size_t err_size);

/* Waits for the next restored frame, at most `seconds`. info may be NULL. VFM_END after vfm_stream_end and the last frame. A frame that fails
 * gives its error once; the next call goes on with the frame after it. */
vfm_status vfm_stream_receive(vfm_stream stream, void *out, size_t out_size, double seconds, vfm_frame *info, char *err, size_t err_size);

/* Says that no more frames come. A vfm_stream_submit that waits beside it gives VFM_BAD_REQUEST, as do later ones. */
void vfm_stream_end(vfm_stream stream);

/* Drops what is on its way and frees the stream. */
void vfm_stream_close(vfm_stream stream);

#endif /* VFM_TYPES_ONLY */

#ifdef __cplusplus
}
#endif
#endif
