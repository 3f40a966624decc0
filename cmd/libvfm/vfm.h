/* vfm.h: restores photographs and camera frames in one step of a network. For C and all languages
 * that can call C.
 *
 * Build with `make lib`, install with `make install PREFIX=/usr/local`, compile with
 * `cc $(pkg-config --cflags --libs vfm)`.
 *
 * Structures
 *   - Structures with a member `size` begin with it. Set it to sizeof the structure, everything
 *     else to zero, and then the members that you need:
 *         vfm_request req = {0};
 *         req.size = sizeof req;
 *     0 and NULL mean the default. The library reads and writes no more than `size` bytes, so a
 *     program also runs with a newer library. If a program sets a member that the library does not
 *     know, it gets VFM_BAD_REQUEST.
 *   - VFM_ABI is the number in the library's name, libvfm.so.1. It changes if programs must be
 *     compiled again.
 *
 * Frames
 *   - A frame has up to three planes. Each has a pointer to the first byte of its first row, a
 *     stride and a step. The stride is the number of bytes from one row to the next. Padding is
 *     skipped and never written. The stride is negative if the last row comes first in memory. The
 *     step is the number of bytes from one pixel of the plane to the next; a pair Cb Cr is one
 *     pixel, and so are two pixels of YUYV. 0 means that there are no gaps. vfm_tight fills the
 *     planes of a frame without gaps.
 *   - If both frames have the same matrix, chroma size and siting, codes of pixels that the
 *     networks do not change stay as they are, to the bit. This includes colours outside of RGB and
 *     luma below black and above white.
 *
 * Shared memory
 *   - A vfm_memory is memory that drivers or processes share, behind a file descriptor: a dma-buf
 *     of a camera, decoder or display, or memory of a Vulkan device. vfm_memory_import takes memory
 *     of others, vfm_memory_create with vfm_memory_export gives memory to others. Planes of frames
 *     in it have an offset instead of a pointer (vfm_frame.memory). Memory that your program has
 *     mapped itself needs none of this: planes are pointers into it, also into a mapped dma-buf,
 *     whose accesses you then announce yourself (DMA_BUF_IOCTL_SYNC).
 *   - The library reads and writes such frames where they lie, and only while vfm_stream_submit,
 *     vfm_stream_receive or vfm_restore run. Nobody else may write a frame, or use one that is
 *     written, meanwhile. It announces its accesses to the drivers of dma-bufs, and waits for work
 *     on them that their drivers know of. It does not know Vulkan's semaphores: wait for your own
 *     work on the memory, and release it to VK_QUEUE_FAMILY_EXTERNAL, before you pass a frame.
 *   - If only the device can reach the memory, it copies all of it before each access, and back
 *     after writing.
 *   - vfm_memory_query says what the device and the system can share. All else is refused with
 *     VFM_FAILED, and a text that names the Vulkan extension that is missing.
 *   - File descriptors that you pass remain yours, and can be closed after the call. Those that you
 *     get are yours, too. Memory must not become smaller while it is imported. Free memories before
 *     their model is closed, or afterwards; calls on them return VFM_CLOSED in between.
 *
 * Ownership
 *   - Memory that you pass remains yours; the library does not use it after the call returns. The
 *     library returns handles, which are numbers, and no memory. 0 is no handle. Close handles
 *     after use. A closed or invalid handle gives VFM_CLOSED. The text of vfm_version is constant.
 *   - Functions that can fail return a vfm_status. They write one line of text, with a final 0, to
 *     err: what failed and what to do. err has err_size bytes; pass NULL and 0 if you do not want
 *     it. After a failure only err (and the vfm_frame_info of a stream) has been written.
 *
 * Threads
 *   - Any thread may call any function. Calls on one model take turns on its device. A stream
 *     should have one thread that submits and one that receives (or one for both); any thread may
 *     call its other functions.
 *   - The library starts threads when it is loaded. Do not call fork() without exec() afterwards.
 *
 * Your own Vulkan device
 *   - With vfm_config.vulkan a model works on a VkDevice of yours. The structure, its strings and
 *     chains are copied by vfm_open. Instance, device and queue must live until vfm_close has
 *     returned; the library does not destroy them. After vfm_close nothing of the library is left
 *     on the device. Several models may use one device and queue.
 *   - Vulkan allows one thread at a time to use a queue. So either nobody else uses it until
 *     vfm_close has returned, or lock_queue and unlock_queue take and release a mutex that you
 *     hold, too, whenever you use the queue. The library calls them around each submission, both
 *     on the same thread, which may be any. The lock is held only while the submission is handed
 *     over, not until it is done. They must not call the library, nor may you while you hold the
 *     mutex.
 *   - The library never calls vkQueueWaitIdle or vkDeviceWaitIdle. It waits for fences of its own.
 *   - Of the device's features only those are used that you name, none if you name none. Kernels
 *     are then slower on some devices, and vfm_config.precision cannot be VFM_FLOAT16.
 *   - After VFM_DEVICE_LOST close the model, make a new device, and open the model with it. If
 *     vfm_config.timeout has passed, the device may still be at work: the library then leaves its
 *     objects on it.
 *
 * Signals
 *   - The library is written in Go. The Go runtime handles SIGSEGV, SIGBUS, SIGFPE and SIGURG once
 *     the library is loaded. The first three, if your code causes them, are passed to the handlers
 *     that were installed before. So install your handlers before you load the library, or save the
 *     library's handlers and call them from yours. SIGURG interrupts the library's own threads, and
 *     may come often; system calls are restarted.
 *   - Your handlers must have SA_ONSTACK, as the library's threads have small stacks. The library
 *     does not touch other signals.
 *
 * Unloading
 *   - dlclose() does not remove the library from memory, and its threads stay, idle. Close your
 *     handles before. The library can be opened again.
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
	VFM_BAD_REQUEST = 1,   /* an argument is wrong */
	VFM_NO_VULKAN = 2,     /* no loader, driver or device */
	VFM_NO_MEMORY = 3,     /* too little on the device, even for the smallest tiles, or in the
	                          computer */
	VFM_DEVICE_LOST = 4,   /* close the model and open it again */
	VFM_BAD_WEIGHTS = 5,   /* the file cannot be read or does not fit this library */
	VFM_CLOSED = 6,        /* the handle is not open */
	VFM_END = 7,           /* vfm_stream_receive: all frames have been received */
	VFM_TIMEOUT = 8,       /* the given time was not enough; try again */
	VFM_FAILED = 9,        /* any other error */
	VFM_CANCELLED = 10     /* by vfm_cancel */
};

typedef uint64_t vfm_model;
typedef uint64_t vfm_stream;
typedef uint64_t vfm_canceller;
typedef uint64_t vfm_memory;

/* How the samples of a frame are arranged, plane by plane. */
enum {
	VFM_RGB = 0,           /* R G B, R G B, ... of 8 bits */
	VFM_RGBA = 1,          /* R G B A, ...; alpha is copied, and pixels that it hides are ignored */
	VFM_BGR = 2,
	VFM_BGRA = 3,
	VFM_GRAY = 4,          /* 8 to 16 bits; above 8 in two bytes, low byte first */
	VFM_NV12 = 5,          /* Y; Cb Cr alternating; 4:2:0 of 8 bits */
	VFM_NV21 = 6,          /* Y; Cr Cb alternating */
	VFM_P010 = 7,          /* NV12 with 10 bits (or `bits`, 9 to 16) in the upper bits of two bytes,
	                          low byte first */
	VFM_YUYV = 8,          /* Y Cb Y Cr, ...; 4:2:2 of 8 bits */
	VFM_UYVY = 9,          /* Cb Y Cr Y, ... */
	VFM_PLANAR = 10,       /* Y; Cb; Cr; 8 to 16 bits; above 8 in two bytes, low byte first. I420 is
	                          4:2:0 of these */
	VFM_FLOAT = 11,        /* R G B, ... of float in [-1, 1] */
	VFM_FLOAT_PLANES = 12  /* R; G; B, of float in [-1, 1] */
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
	int32_t range;       /* of Y'CbCr and grey: VFM_LIMITED (black 16, white 235 in 8 bits),
	                        VFM_FULL */
	int32_t siting;      /* of chroma: VFM_LEFT (MPEG-2, H.264), VFM_CENTRE (JPEG), VFM_TOP_LEFT
	                        (BT.2020) */
} vfm_format;

typedef struct {
	void *data;          /* first byte of the first row */
	ptrdiff_t stride;    /* bytes from one row to the next; 0: no gaps */
	ptrdiff_t step;      /* bytes from one pixel to the next; 0: no gaps */
	size_t bytes;        /* bytes of memory from the row that is first in memory; 0: not checked */
} vfm_plane;

typedef struct {
	uint32_t size;
	vfm_plane plane[3];
	const uint8_t *mask; /* of input frames, for inpaint: width x height bytes, not 0 if the pixel
	                        is missing; NULL: the mask of the request */
	int64_t timestamp;   /* of frames submitted to streams: any number, returned with the restored
	                        frame */
	uint64_t cookie;     /* likewise, for example a pointer: (uint64_t)(uintptr_t)p */
	vfm_memory memory[3]; /* 0, or the memory in which plane i lies; plane[i].data is NULL then, and
	                         plane[i].bytes is not used */
	uint64_t offset[3];   /* of the first byte of the first row in it */
} vfm_frame;

/* What the file descriptor of shared memory is. */
enum {
	VFM_DMA_BUF = 1,     /* a dma-buf of Linux from any driver, or a file that can be mapped, such
	                        as a memfd */
	VFM_OPAQUE_FD = 2    /* memory of a Vulkan device of the same GPU and driver
	                        (VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT) */
};

typedef struct {
	uint32_t size;
	int32_t kind;        /* VFM_DMA_BUF, VFM_OPAQUE_FD */
	int32_t fd;
	uint32_t memory_type; /* of VFM_OPAQUE_FD: VkMemoryAllocateInfo.memoryTypeIndex */
	uint64_t bytes;      /* of all the memory; of VFM_OPAQUE_FD:
	                        VkMemoryAllocateInfo.allocationSize */
} vfm_memory_handle;

/* What can be shared: 0 or 1. */
typedef struct {
	uint32_t size;
	int32_t map_dma_buf;    /* import of dma-bufs and files that the system can map (Linux) */
	int32_t import_dma_buf; /* also of dma-bufs that it cannot map
	                           (VK_EXT_external_memory_dma_buf) */
	int32_t export_dma_buf;
	int32_t import_opaque_fd; /* VK_KHR_external_memory_fd */
	int32_t export_opaque_fd;
} vfm_memory_support;

/* A Vulkan device of yours. Handles are those of Vulkan, which are pointers. */
typedef struct {
	uint32_t size;
	uint32_t api_version;    /* VkApplicationInfo.apiVersion of the instance, at least 1.1 */
	void *instance;          /* VkInstance */
	void *physical_device;   /* VkPhysicalDevice */
	void *device;            /* VkDevice */
	void *queue;             /* VkQueue of a family that can compute */
	uint32_t queue_family;
	uint32_t extension_count;
	const char *const *extensions; /* that the device was created with */
	const void *features;    /* VkPhysicalDeviceFeatures2, with what its pNext points to, that the
	                            device was created with; NULL: none. Features of
	                            VkDeviceCreateInfo.pEnabledFeatures go into its `features` */
	void (*get_instance_proc_addr)(void); /* vkGetInstanceProcAddr of the loader that made the
	                                         instance; NULL: of libvulkan.so.1 */
	void (*lock_queue)(uint64_t cookie); /* NULL: nobody else uses the queue until vfm_close */
	void (*unlock_queue)(uint64_t cookie);
	uint64_t cookie;         /* for both, for example a pointer */
} vfm_vulkan;

enum { VFM_AUTO_PRECISION = 0, VFM_FLOAT32 = 1, VFM_FLOAT16 = 2 };

typedef struct {
	uint32_t size;
	int32_t tile;          /* side of tiles in pixels; 0: chosen for speed and memory */
	const char *device;    /* index or part of the name; NULL: $VFM_DEVICE, else the fastest */
	const char *weights;   /* path of a .vfm file; NULL: the weights in the library */
	const char *cache_dir; /* cache of compiled kernels; NULL: the user's, "-": none */
	int32_t precision;     /* of numbers in the device's memory; VFM_FLOAT16 is refused if the
	                          device lacks it */
	int32_t reserved;
	double timeout;        /* seconds for a tile after which the device counts as lost; 0: 120,
	                          negative: no limit */
	double pace;           /* share of the device's time to use, above 0 to 1; it rests between
	                          tiles or frames; 0: 1 */
	const vfm_vulkan *vulkan; /* your own device, and `device` is NULL; NULL: the library makes
	                             one */
} vfm_config;

/* Noise 0 means that it is estimated, and temperature 0 means 1. These values mean no noise and
 * temperature 0. */
#define VFM_NOISE_NONE 1e-9
#define VFM_TEMPERATURE_NONE 1e-9

/* The largest number of samples in a request. */
#define VFM_MAX_SAMPLES 1000

typedef struct {
	uint32_t size;
	int32_t width;       /* of the input; the result of super-resolve is 4 times as wide and high */
	int32_t height;
	int32_t steps;       /* of the flow map; 0: 1. vfm_restore only */
	const char *task;    /* "denoise", "motion-deblur", "super-resolve", "inpaint", or
	                        "gaussian-deblur", also called "defocus": its blur is estimated, but in
	                        streams a standard deviation of 3 pixels is assumed */
	vfm_format in;
	vfm_format out;
	double noise;        /* standard deviation in 8-bit levels, or VFM_NOISE_NONE; 0 or less:
	                        estimated */
	const uint8_t *mask; /* inpaint: width x height bytes, not 0 if the pixel is missing; for frames
	                        without a mask of their own */
	/* vfm_restore only: */
	uint64_t seed;
	double temperature;  /* spread of the samples; 0: 1, the posterior's own */
	float *mean;         /* NULL, or three planes of the result's size: mean of the samples, values
	                        in [-1, 1] (samples >= 1) */
	float *std;          /* NULL, or three planes: their standard deviation in the same units
	                        (samples >= 2) */
	int32_t samples;     /* pictures drawn from the posterior for mean and std, at most
	                        VFM_MAX_SAMPLES; mean and std are refused without samples */
	/* vfm_stream_open only: */
	int32_t in_flight;   /* frames between submit and receive, 1 to 64; 0: 3 */
	int32_t drop_oldest; /* not 0: if in_flight frames are in work, submit does not wait, but drops
	                        the oldest frame that is not on the device yet */
	/* vfm_restore only: */
	int32_t expected;    /* not 0: inpaint fills holes of more than 12 pixels across with the mean
	                        of what may be there, which the network gives, and not with patches of
	                        the picture; streams always do this */
	/* vfm_restore and vfm_prepare: */
	vfm_canceller cancel; /* 0: none */
	/* vfm_stream_open only: */
	int32_t temporal;    /* not 0, denoise only: every frame is averaged with earlier ones along the
	                        motion */
	int32_t reserved;
	const char *mosaic;  /* NULL, or a value of `restore -mosaic`, such as
	                        "size=1920x1080,bits=10,packing=mipi,black=64": input frames are mosaics
	                        of a sensor, in plane[0] with a step of 0, and `in` is ignored */
	double gain;         /* of the sensor of such frames, in levels per electron */
	double read_noise;   /* of this sensor: standard deviation of black in levels. If gain and
	                        read_noise are 0, noise is estimated, or as `noise` says */
} vfm_request;

typedef struct {
	uint32_t size;
	int32_t width;       /* of the restored frame */
	int32_t height;
	int32_t reserved;
	int64_t index;       /* of the frame, from 0; -1: no frame */
	int64_t timestamp;   /* of the submitted frame */
	uint64_t cookie;
	double seconds;      /* from submit to the end of receive */
	double noise;        /* noise level that was used, in 8-bit levels */
} vfm_frame_info;

typedef struct {
	uint32_t size;
	int32_t reserved;
	int64_t frames;      /* received so far */
	int64_t dropped;     /* by drop_oldest */
	double p50, p95, p99, max; /* seconds from submit to the end of receive, over the last 1024
	                              frames; 0 before the first */
} vfm_latency;

enum { VFM_OTHER = 0, VFM_INTEGRATED = 1, VFM_DISCRETE = 2, VFM_VIRTUAL = 3, VFM_CPU = 4 };

typedef struct {
	uint32_t size;
	int32_t index;       /* for vfm_config.device */
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

/* Lists the devices. On entry *count is the number of elements of list, whose first element has
 * `size` set (NULL and 0: only count). On return it is the number of devices. Errors:
 * VFM_NO_VULKAN. */
vfm_status vfm_devices(vfm_device *list, size_t *count, char *err, size_t err_size);

/* Opens a device and loads weights. cfg may be NULL. Errors: VFM_NO_VULKAN, VFM_BAD_WEIGHTS,
 * VFM_NO_MEMORY, VFM_BAD_REQUEST. */
vfm_status vfm_open(const vfm_config *cfg, vfm_model *model, char *err, size_t err_size);

/* Frees the device and its memory. Calls in progress, also on its streams, return VFM_CLOSED. */
void vfm_close(vfm_model model);

/* Writes a line about device, driver and weights: at most size bytes, including the final 0. */
vfm_status vfm_info(vfm_model model, char *text, size_t size);

/* Returns the bytes of a frame without gaps; 0 for an invalid format or size. */
size_t vfm_frame_bytes(const vfm_format *format, int32_t width, int32_t height);

/* Sets the planes of frame to a frame without gaps in `bytes` bytes at data. Other members stay. */
vfm_status vfm_tight(const vfm_format *format, int32_t width, int32_t height, void *data, size_t bytes, vfm_frame *frame,
                     char *err, size_t err_size);

/* Builds the kernels that a first picture or frame would otherwise wait for (seconds on some
 * drivers). It is never required. It does nothing for inpaint, and for gaussian-deblur, where the
 * picture decides what is needed. */
vfm_status vfm_prepare(vfm_model model, const vfm_request *req, char *err, size_t err_size);

/* Restores a picture. Of out only the planes are used. */
vfm_status vfm_restore(vfm_model model, const vfm_request *req, const vfm_frame *in, const vfm_frame *out, char *err, size_t err_size);

/* vfm_cancel ends calls whose request has this canceller: running ones soon, later ones at once,
 * with VFM_CANCELLED. */
vfm_canceller vfm_cancel_new(void);
void vfm_cancel(vfm_canceller cancel);
void vfm_cancel_free(vfm_canceller cancel); /* running calls go on and can no longer be cancelled */

/* Says what memory the model can share. */
vfm_status vfm_memory_query(vfm_model model, vfm_memory_support *support, char *err, size_t err_size);

/* Imports memory that somebody else has allocated. */
vfm_status vfm_memory_import(vfm_model model, const vfm_memory_handle *handle, vfm_memory *memory, char *err, size_t err_size);

/* Allocates memory that can be exported as `kind`, VFM_DMA_BUF or VFM_OPAQUE_FD. */
vfm_status vfm_memory_create(vfm_model model, int32_t kind, uint64_t bytes, vfm_memory *memory, char *err, size_t err_size);

/* Gives a new file descriptor of memory from vfm_memory_create, which you close, and what its
 * importer needs to know. Only handle->size need be set. The memory lives until vfm_memory_free and
 * the last such descriptor and import. */
vfm_status vfm_memory_export(vfm_memory memory, vfm_memory_handle *handle, char *err, size_t err_size);

/* Gives up memory, after reads and writes of frames in it that are under way. */
void vfm_memory_free(vfm_memory memory);

/* Opens a stream for frames of one format. */
vfm_status vfm_stream_open(vfm_model model, const vfm_request *req, vfm_stream *stream, char *err, size_t err_size);

/* Submits the next frame. If in_flight frames are in work it waits at most `seconds` (negative:
 * without limit). If dropped is not NULL it receives the frame that was dropped for this one
 * (drop_oldest), with index -1 if none was. A frame that does not fit the format is refused
 * before. */
vfm_status vfm_stream_submit(vfm_stream stream, const vfm_frame *frame, double seconds, vfm_frame_info *dropped, char *err, size_t err_size);

/* Sets the size and, for inpaint, the mask of all frames that are submitted later. Frames in work
 * keep theirs. After an error the stream continues as before. */
vfm_status vfm_stream_resize(vfm_stream stream, int32_t width, int32_t height, const uint8_t *mask, char *err, size_t err_size);

/* Waits at most `seconds` for the next restored frame and describes it, for example its size after
 * vfm_stream_resize. The frame remains the next one. */
vfm_status vfm_stream_next(vfm_stream stream, double seconds, vfm_frame_info *info, char *err, size_t err_size);

/* Waits at most `seconds` for the next restored frame and writes it to the planes of frame. info
 * may be NULL. After vfm_stream_end and the last frame it returns VFM_END. The error of a frame
 * that failed is returned once; the next call continues with the frame after it. If the planes do
 * not fit (VFM_BAD_REQUEST), the frame remains the next one, and info has its size. */
vfm_status vfm_stream_receive(vfm_stream stream, const vfm_frame *frame, double seconds, vfm_frame_info *info, char *err, size_t err_size);

/* Returns how long frames took. */
vfm_status vfm_stream_latency(vfm_stream stream, vfm_latency *latency, char *err, size_t err_size);

/* Declares that no more frames will be submitted. A vfm_stream_submit that is waiting in another
 * thread, and later ones, return VFM_BAD_REQUEST. */
void vfm_stream_end(vfm_stream stream);

/* Drops all frames in work and frees the stream. Calls that are waiting return VFM_CLOSED. */
void vfm_stream_close(vfm_stream stream);

#endif /* VFM_TYPES_ONLY */

#ifdef __cplusplus
}
#endif
#endif
