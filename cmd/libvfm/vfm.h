/* vfm.h: restoration of photographs and camera frames in one network step, for C and whatever can call it.
 *
 * Build with `make lib`, install with `make install PREFIX=/usr/local`, compile with `cc $(pkg-config --cflags --libs vfm)`.
 *
 * Structures
 *   - Every structure with a member `size` begins with it: set it to sizeof the structure and everything else to zero, then what you need:
 *         vfm_request req = {0};
 *         req.size = sizeof req;
 *     0 and NULL mean the default. The library reads and writes no more than `size` bytes, so that a program runs with a library that knows
 *     more members; one that asks for members that the library does not know gets VFM_BAD_REQUEST.
 *   - VFM_ABI is the number in the library's name, libvfm.so.1: it changes when programs must be compiled anew.
 *
 * Frames
 *   - A frame is up to three planes, each a pointer to its first row's first byte, a stride and a step. The stride is the number of bytes
 *     from a row to the next: padding is skipped and never written; it may be negative, where the last row lies first in memory. The step
 *     is the number of bytes from a pixel of the plane to the next (a pair Cb Cr is one, and so are two pixels of YUYV). 0 means that there
 *     are no gaps. vfm_tight fills the planes of a frame without gaps.
 *   - Codes that the networks leave alone stay as they are, to the bit, where the frames given and returned have the same matrix, chroma
 *     size and siting: colours that RGB does not hold and luma below black and above white, too.
 *
 * Ownership
 *   - Memory that you pass stays yours; nothing of it is used after the call returns. The library returns no memory, only handles, which are
 *     numbers; 0 is none. Close them; a closed or made-up handle gives VFM_CLOSED. vfm_version's text is constant.
 *   - Functions that can fail return a vfm_status and write a line of text that says what failed and what to do, with its ending 0, into
 *     err (err_size bytes; NULL and 0 if you do not want it). On failure no output but err (and the
 *     vfm_frame_info of a stream) has been written.
 *
 * Threads
 *   - Every function may be called from any thread; calls on one model take turns on its device. A stream wants one thread that submits and
 *     one that receives (or one for both); all its other functions may be called by any other.
 *   - The library starts threads of its own when it is loaded; do not fork() without exec() afterwards.
 *
 * Signals
 *   - The library is written in Go, whose runtime handles SIGSEGV, SIGBUS, SIGFPE and SIGURG from the moment it is loaded. Of the first three,
 *     those that your code causes go on to the handlers that were there before; so install yours before you load the library, or keep
 *     the library's and call it from yours. SIGURG interrupts the library's own threads, and may come often; system calls are restarted.
 *   - Handlers that you install must have SA_ONSTACK, as the library's threads have small stacks. It leaves all other signals alone.
 *
 * Unloading
 *   - dlclose() does not take the library out of memory: its threads go on, idle. Close your handles before. It can be opened again.
 */
#ifndef VFM_H
#define VFM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VFM_ABI 1

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
	VFM_FAILED = 9,        /* anything else */
	VFM_CANCELLED = 10     /* by vfm_cancel */
};

typedef uint64_t vfm_model;
typedef uint64_t vfm_stream;
typedef uint64_t vfm_canceller;

/* How the samples of a frame are arranged, plane by plane. */
enum {
	VFM_RGB = 0,           /* R G B, R G B, ... of 8 bits */
	VFM_RGBA = 1,          /* R G B A, ...; alpha is carried over, and what it hides is not looked at */
	VFM_BGR = 2,
	VFM_BGRA = 3,
	VFM_GRAY = 4,          /* 8 to 16 bits; above 8 in two bytes, low byte first */
	VFM_NV12 = 5,          /* Y; Cb Cr in turn; 4:2:0 of 8 bits */
	VFM_NV21 = 6,          /* Y; Cr Cb in turn */
	VFM_P010 = 7,          /* as NV12 in the upper 10 bits (or `bits`, 9 to 16) of two bytes, low byte first */
	VFM_YUYV = 8,          /* Y Cb Y Cr, ...; 4:2:2 of 8 bits */
	VFM_UYVY = 9,          /* Cb Y Cr Y, ... */
	VFM_PLANAR = 10,       /* Y; Cb; Cr; 8 to 16 bits; above 8 in two bytes, low byte first. I420 with chroma 4:2:0 */
	VFM_FLOAT = 11,        /* R G B, ... of float in [-1, 1] */
	VFM_FLOAT_PLANES = 12  /* R; G; B, of the same */
};
enum { VFM_420 = 0, VFM_422 = 1, VFM_444 = 2 };
enum { VFM_BT709 = 0, VFM_BT601 = 1, VFM_BT2020 = 2 };
enum { VFM_LIMITED = 0, VFM_FULL = 1 };
enum { VFM_LEFT = 0, VFM_CENTRE = 1, VFM_TOP_LEFT = 2 };

typedef struct {
	int32_t layout;      /* VFM_RGB ... */
	int32_t bits;        /* of VFM_GRAY, VFM_PLANAR (0: 8) and VFM_P010 (0: 10) */
	int32_t chroma;      /* of VFM_PLANAR: VFM_420 ... */
	int32_t matrix;      /* of Y'CbCr: VFM_BT709 ... */
	int32_t range;       /* of Y'CbCr and grey: VFM_LIMITED (black 16, white 235 in 8 bits), VFM_FULL */
	int32_t siting;      /* where chroma sits: VFM_LEFT (MPEG-2, H.264), VFM_CENTRE (JPEG), VFM_TOP_LEFT (BT.2020) */
} vfm_format;

typedef struct {
	void *data;          /* the first row's first byte */
	ptrdiff_t stride;    /* bytes from a row to the next; 0: no gaps */
	ptrdiff_t step;      /* bytes from a pixel to the next; 0: no gaps */
	size_t bytes;        /* of the memory that the plane lies in, from the row on that lies first in it; 0: you are sure that it is enough */
} vfm_plane;

typedef struct {
	uint32_t size;
	vfm_plane plane[3];
	const uint8_t *mask; /* of frames given, for inpaint: width x height bytes, not 0 where a pixel is missing; NULL: the request's */
	int64_t timestamp;   /* of frames given to streams: come back with the restored frame, whatever they mean */
	uint64_t cookie;     /* a pointer, say: (uint64_t)(uintptr_t)p */
} vfm_frame;

enum { VFM_AUTO_PRECISION = 0, VFM_FLOAT32 = 1, VFM_FLOAT16 = 2 };

typedef struct {
	uint32_t size;
	int32_t tile;          /* side of tiles in pixels; 0: chosen by speed and memory */
	const char *device;    /* index or part of the name; NULL: $VFM_DEVICE, else the best */
	const char *weights;   /* path of a .vfm file; NULL: those inside the library */
	const char *cache_dir; /* of what drivers make of kernels; NULL: the user's, "-": none */
	int32_t precision;     /* of what is in the device's memory; VFM_FLOAT16 is refused where the device cannot */
	int32_t reserved;
	double timeout;        /* seconds that the device may take for a tile before it counts as lost; 0: 120, negative: any */
	double pace;           /* share of the device's time to take, above 0 to 1, by rests between tiles or frames; 0: 1 */
} vfm_config;

/* 0 as noise means that it is estimated, and 0 as temperature means 1; these are how to say 0. */
#define VFM_NOISE_NONE 1e-9
#define VFM_TEMPERATURE_NONE 1e-9

/* The most samples that a request may ask for. */
#define VFM_MAX_SAMPLES 1000

typedef struct {
	uint32_t size;
	int32_t width;       /* of the picture given; the result of super-resolve is 4 times as wide and high */
	int32_t height;
	int32_t steps;       /* of the flow map; 0: 1. vfm_restore only */
	const char *task;    /* "motion-deblur", "gaussian-deblur" or "defocus" (the blur is found, but in streams, where its standard deviation
	                        is 3 pixels), "denoise", "super-resolve" or "inpaint" */
	vfm_format in;
	vfm_format out;
	double noise;        /* standard deviation in 8-bit levels, or VFM_NOISE_NONE; 0 and below: estimated */
	const uint8_t *mask; /* inpaint: width x height bytes, not 0 where a pixel is missing, of frames that bring none */
	/* vfm_restore only: */
	uint64_t seed;
	double temperature;  /* spread of the samples; 0: 1, the posterior's own */
	float *mean;         /* NULL, or three planes of the result's size: the samples' mean in [-1, 1] (samples >= 1) */
	float *std;          /* NULL, or three planes: their standard deviation, in the same units (samples >= 2) */
	int32_t samples;     /* pictures drawn from the posterior for mean and std, VFM_MAX_SAMPLES at most; these are refused without them */
	/* vfm_stream_open only: */
	int32_t in_flight;   /* frames between submit and receive, 1 to 64; 0: 3 */
	int32_t drop_oldest; /* not 0: where in_flight frames are on their way, submit drops the oldest that is not on the device, and does not wait */
	/* vfm_restore only: */
	int32_t expected;    /* not 0: inpaint leaves holes of more than 12 pixels across as the network fills them, with the mean of what might
	                        be there, instead of filling them from the picture's own patches; streams always do */
	/* vfm_restore and vfm_prepare: */
	vfm_canceller cancel; /* 0: none */
	/* vfm_stream_open only: */
	int32_t temporal;    /* not 0, for denoise alone: every frame is averaged with those before it, as far as what is seen can be followed */
	int32_t reserved;
	const char *mosaic;  /* NULL, or what `restore -mosaic` is told, as "size=1920x1080,bits=10,packing=mipi,black=64": the frames given are
	                        mosaics of a sensor, in plane[0] with a step of 0, and `in` means nothing */
	double gain;         /* of the sensor of such frames, in levels per electron, */
	double read_noise;   /* and its read noise, the standard deviation of black in levels; both 0: noise is estimated, or as `noise` says */
} vfm_request;

typedef struct {
	uint32_t size;
	int32_t width;       /* of the restored frame */
	int32_t height;
	int32_t reserved;
	int64_t index;       /* of the frame, from 0; -1: there is none */
	int64_t timestamp;   /* of the frame given */
	uint64_t cookie;
	double seconds;      /* from submit to the end of receive */
	double noise;        /* level used, in 8-bit levels */
} vfm_frame_info;

typedef struct {
	uint32_t size;
	int32_t reserved;
	int64_t frames;      /* received so far */
	int64_t dropped;     /* by drop_oldest */
	double p50, p95, p99, max; /* seconds from submit to the end of receive, of the last 1024 frames; 0 before the first */
} vfm_latency;

enum { VFM_OTHER = 0, VFM_INTEGRATED = 1, VFM_DISCRETE = 2, VFM_VIRTUAL = 3, VFM_CPU = 4 };

typedef struct {
	uint32_t size;
	int32_t index;       /* as vfm_config.device */
	int32_t type;        /* VFM_OTHER ... */
	int32_t reserved;
	uint64_t memory;     /* bytes of its largest heap */
	char name[256];
	char driver[256];
	char unusable[256];  /* why it cannot be opened; "" if it can */
} vfm_device;

#ifndef VFM_TYPES_ONLY

/* The version of the library; constant, never freed. */
const char *vfm_version(void);

/* VFM_ABI of the library. */
int32_t vfm_abi(void);

/* Lists the devices that there are. *count is the room in list, whose first element has its `size` set (NULL and 0: only count), and becomes
 * the number of devices. Errors: VFM_NO_VULKAN. */
vfm_status vfm_devices(vfm_device *list, size_t *count, char *err, size_t err_size);

/* Opens a device and loads weights. cfg may be NULL. Errors: VFM_NO_VULKAN, VFM_BAD_WEIGHTS, VFM_NO_MEMORY, VFM_BAD_REQUEST. */
vfm_status vfm_open(const vfm_config *cfg, vfm_model *model, char *err, size_t err_size);

/* Frees the device's memory and the device. Calls that still run, also those of its streams, return VFM_CLOSED. */
void vfm_close(vfm_model model);

/* Writes a line about device, driver and weights, cut to size bytes with its ending 0. */
vfm_status vfm_info(vfm_model model, char *text, size_t size);

/* The bytes of a frame without gaps; 0 if there is no such format or size. */
size_t vfm_frame_bytes(const vfm_format *format, int32_t width, int32_t height);

/* Fills frame's planes for a frame without gaps in `bytes` bytes at data, and leaves the rest of it. */
vfm_status vfm_tight(const vfm_format *format, int32_t width, int32_t height, void *data, size_t bytes, vfm_frame *frame,
                     char *err, size_t err_size);

/* Builds what a first picture or frame would otherwise wait for (seconds on some drivers). Never needed; does nothing for inpaint, and for
 * gaussian-deblur and defocus, where the picture decides. */
vfm_status vfm_prepare(vfm_model model, const vfm_request *req, char *err, size_t err_size);

/* Restores a picture. Only the planes of out are looked at. */
vfm_status vfm_restore(vfm_model model, const vfm_request *req, const vfm_frame *in, const vfm_frame *out, char *err, size_t err_size);

/* Cancels: calls with this canceller in their request end soon with VFM_CANCELLED, and later ones at once. */
vfm_canceller vfm_cancel_new(void);
void vfm_cancel(vfm_canceller cancel);
void vfm_cancel_free(vfm_canceller cancel); /* calls that have it go on, and cannot be cancelled any more */

/* Makes a stream for frames of one format. */
vfm_status vfm_stream_open(vfm_model model, const vfm_request *req, vfm_stream *stream, char *err, size_t err_size);

/* Gives the next frame; waits at most `seconds` (negative: as long as it takes) while in_flight frames are on their way. dropped may be NULL, and
 * is otherwise told the frame that had to go for this one (drop_oldest), with an index of -1 if none had to. A frame that does not fit
 * is refused before. */
vfm_status vfm_stream_submit(vfm_stream stream, const vfm_frame *frame, double seconds, vfm_frame_info *dropped, char *err, size_t err_size);

/* Says that the frames submitted from now on have another size and, for inpaint, this mask. Those on their way keep theirs. On an error
 * the stream goes on as before. */
vfm_status vfm_stream_resize(vfm_stream stream, int32_t width, int32_t height, const uint8_t *mask, char *err, size_t err_size);

/* Waits for the next restored frame, at most `seconds`, and tells about it: its size, where frames are resized. It stays the next one. */
vfm_status vfm_stream_next(vfm_stream stream, double seconds, vfm_frame_info *info, char *err, size_t err_size);

/* Waits for the next restored frame, at most `seconds`, and writes it to the planes of frame. info may be NULL. VFM_END after vfm_stream_end and
 * the last frame. A frame that fails gives its error once; the next call goes on with the frame after it. A frame that does not fit (VFM_BAD_REQUEST)
 * stays the next one, and info tells its size. */
vfm_status vfm_stream_receive(vfm_stream stream, const vfm_frame *frame, double seconds, vfm_frame_info *info, char *err, size_t err_size);

/* Tells how long frames took. */
vfm_status vfm_stream_latency(vfm_stream stream, vfm_latency *latency, char *err, size_t err_size);

/* Says that no more frames come. A vfm_stream_submit that waits beside it gives VFM_BAD_REQUEST, as do later ones. */
void vfm_stream_end(vfm_stream stream);

/* Drops what is on its way and frees the stream. Calls that wait return VFM_CLOSED. */
void vfm_stream_close(vfm_stream stream);

#endif /* VFM_TYPES_ONLY */

#ifdef __cplusplus
}
#endif
#endif
