/* vfmrestore: what the files of the GStreamer element share. */
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

	/* Of the streaming thread; the model from start to stop. */
	vfm_model model;
	vfm_stream stream;
	GstVideoInfo in, out; /* of the stream's frames */
	int room;             /* frames that may be on their way */
	GQueue on_way;        /* for each of them, a buffer without memory, with its times, flags and metas */

	GstClockTime latency; /* guarded by the object lock */
};

/* The task's name in vfm.h, and how many times wider and higher its result is. */
const char *task_name(const GstVfmRestore *self);
int task_scale(const GstVfmRestore *self);

/* formats.c */

/* The caps of all formats that there are. */
GstCaps *formats_caps(void);
/* What the library calls a format; an error's text if it has none. */
const char *formats_find(const GstVideoInfo *info, vfm_format *format);
/* Where a mapped frame lies. */
void formats_planes(const GstVideoFrame *f, vfm_frame *frame);
/* Sets the bytes of a frame that the library does not write: those between pixels. */
void formats_fill_gaps(GstVideoFrame *f);

/* caps.c */

/* The caps on the other side of an element that makes frames `scale` times as wide and high. */
GstCaps *caps_across(GstPadDirection direction, const GstCaps *caps, int scale);

/* flow.c */

/* Closes the stream and drops what is on its way. */
void flow_close(GstVfmRestore *self);
/* Makes a stream for frames of self->in and self->out. */
gboolean flow_open(GstVfmRestore *self);
/* Gives a frame to the stream, which has room. */
GstFlowReturn flow_submit(GstVfmRestore *self, GstBuffer *in);
/* Takes the next frame from the stream; *out is NULL if there is none, or it is not ready and need not be. */
GstFlowReturn flow_receive(GstVfmRestore *self, gboolean must, GstBuffer **out);
/* Pushes all frames that are on their way. */
GstFlowReturn flow_drain(GstVfmRestore *self);
/* Posts an error of the library. */
void flow_post(GstVfmRestore *self, vfm_status status, const char *what, const char *text);

#endif
