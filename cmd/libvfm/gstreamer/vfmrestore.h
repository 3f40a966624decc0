/* Declarations shared by the files of the GStreamer element vfmrestore. */
#ifndef VFMRESTORE_H
#define VFMRESTORE_H

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include "vfm.h"

GST_DEBUG_CATEGORY_EXTERN(vfmrestore_debug);
#define GST_CAT_DEFAULT vfmrestore_debug

#define GST_TYPE_VFM_RESTORE (gst_vfm_restore_get_type())
G_DECLARE_FINAL_TYPE(GstVfmRestore, gst_vfm_restore, GST, VFM_RESTORE, GstVideoFilter)

struct _GstVfmRestore {
	GstVideoFilter parent;

	/* Properties, guarded by the object lock; read when the element starts. */
	int task;
	double noise; /* -1: estimated */
	gboolean temporal;
	int in_flight;
	double pace;
	char *device, *weights;

	/* Used by the streaming thread; the model is open from start to stop. */
	vfm_model model;
	vfm_stream stream;
	GstVideoInfo in, out; /* format of the stream's frames */
	int room;             /* the most frames in work */
	GQueue on_way;        /* for each frame in work a buffer without memory, with its timestamps,
	                         flags and metas */

	GstClockTime latency; /* guarded by the object lock */
};

/* The task's name in vfm.h, and the scale of its result. */
const char *task_name(const GstVfmRestore *self);
int task_scale(const GstVfmRestore *self);

/* formats.c */

/* The caps of all supported formats. */
GstCaps *formats_caps(void);
/* Converts a format. Returns the text of an error if the library does not support it. */
const char *formats_find(const GstVideoInfo *info, vfm_format *format);
/* Fills the planes of a mapped frame. */
void formats_planes(const GstVideoFrame *f, vfm_frame *frame);
/* Sets the bytes between pixels, which the library does not write. */
void formats_fill_gaps(GstVideoFrame *f);

/* caps.c */

/* Returns the caps on the other side of an element that makes frames `scale` times as wide and
 * high. */
GstCaps *caps_across(GstPadDirection direction, const GstCaps *caps, int scale);

/* flow.c */

/* Closes the stream and drops all frames in work. */
void flow_close(GstVfmRestore *self);
/* Opens a stream for frames of self->in and self->out. */
gboolean flow_open(GstVfmRestore *self);
/* Submits a frame to the stream, which must have room. */
GstFlowReturn flow_submit(GstVfmRestore *self, GstBuffer *in);
/* Receives the next frame from the stream. *out is NULL if there is none, or if it is not ready and
 * there is room for another. */
GstFlowReturn flow_receive(GstVfmRestore *self, gboolean must, GstBuffer **out);
/* Pushes all frames in work. */
GstFlowReturn flow_drain(GstVfmRestore *self);
/* Posts an error of the library. */
void flow_post(GstVfmRestore *self, vfm_status status, const char *what, const char *text);

#endif
