/* Moves frames to the library's stream and back, in the streaming thread. While the device works on
 * a frame, the next one is submitted and the last one is pushed. */
#include "vfmrestore.h"

/* Seconds of a single wait, so that flushing or stopping a pipeline does not wait for a frame. */
static const double moment = 0.05;

void flow_post(GstVfmRestore *self, vfm_status status, const char *what, const char *text)
{
#define POST(domain, code) GST_ELEMENT_ERROR(self, domain, code, ("%s", text), ("%s: status %d of libvfm %s", what, (int)status, vfm_version()))
	switch (status) {
	case VFM_NO_VULKAN: POST(RESOURCE, NOT_FOUND); break;
	case VFM_NO_MEMORY: POST(RESOURCE, NO_SPACE_LEFT); break;
	case VFM_DEVICE_LOST: POST(RESOURCE, FAILED); break;
	case VFM_BAD_WEIGHTS: POST(RESOURCE, OPEN_READ); break;
	case VFM_BAD_REQUEST: POST(LIBRARY, SETTINGS); break;
	default: POST(LIBRARY, FAILED);
	}
#undef POST
}

void flow_close(GstVfmRestore *self)
{
	vfm_stream_close(self->stream); /* it does nothing for 0 */
	self->stream = 0;
	g_queue_clear_full(&self->on_way, (GDestroyNotify)gst_buffer_unref);
}

gboolean flow_open(GstVfmRestore *self)
{
	vfm_request req = {.size = sizeof req};
	GST_OBJECT_LOCK(self);
	req.noise = self->noise == 0 ? VFM_NOISE_NONE : self->noise;
	req.temporal = self->temporal && !strcmp(task_name(self), "denoise");
	req.in_flight = self->room = self->in_flight;
	self->latency = self->in.fps_n > 0 ? gst_util_uint64_scale(GST_SECOND * self->room, self->in.fps_d, self->in.fps_n) : 0;
	GST_OBJECT_UNLOCK(self);
	req.task = task_name(self);
	req.width = GST_VIDEO_INFO_WIDTH(&self->in);
	req.height = GST_VIDEO_INFO_HEIGHT(&self->in);
	const char *bad = formats_find(&self->in, &req.in);
	if (!bad)
		bad = formats_find(&self->out, &req.out);
	if (bad) {
		GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE, ("%s", bad), (NULL));
		return FALSE;
	}
	char err[512];
	vfm_status s = vfm_stream_open(self->model, &req, &self->stream, err, sizeof err);
	if (s != VFM_OK) {
		self->stream = 0;
		flow_post(self, s, "frames of this size and kind", err);
		return FALSE;
	}
	return TRUE;
}

GstFlowReturn flow_submit(GstVfmRestore *self, GstBuffer *in)
{
	GstVideoFrame f;
	if (!self->stream)
		return GST_FLOW_NOT_NEGOTIATED;
	/* A frame could not be pushed, which was reported. There is no room for further frames. */
	if ((int)self->on_way.length >= self->room)
		return GST_FLOW_ERROR;
	if (!gst_video_frame_map(&f, &self->in, in, GST_MAP_READ)) {
		GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("a frame's memory cannot be read, or is not as large as its caps say"), (NULL));
		return GST_FLOW_ERROR;
	}
	vfm_frame frame = {.size = sizeof frame};
	formats_planes(&f, &frame);
	char err[512];
	vfm_status s = vfm_stream_submit(self->stream, &frame, -1, NULL, err, sizeof err);
	gst_video_frame_unmap(&f);
	if (s != VFM_OK) {
		flow_post(self, s, "a frame", err);
		return GST_FLOW_ERROR;
	}
	/* The frame has been read. Its memory may be one of a camera's few buffers, so it is
	 * released. */
	GstBuffer *about = gst_buffer_new();
	gst_buffer_copy_into(about, in, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META, 0, -1);
	g_queue_push_tail(&self->on_way, about);
	return GST_FLOW_OK;
}

/* Waits until a frame is ready. TIMEOUT: it is not ready, and there is room for another. */
static vfm_status ready(GstVfmRestore *self, gboolean must, char *err, size_t size)
{
	vfm_status s;
	vfm_frame_info info = {.size = sizeof info};
	do {
		s = vfm_stream_next(self->stream, must ? moment : 0, &info, err, size);
	} while (s == VFM_TIMEOUT && must && !GST_PAD_IS_FLUSHING(GST_BASE_TRANSFORM_SRC_PAD(self)));
	return s;
}

GstFlowReturn flow_receive(GstVfmRestore *self, gboolean must, GstBuffer **out)
{
	GstBaseTransform *base = GST_BASE_TRANSFORM(self);
	char err[512];
	*out = NULL;
	if (g_queue_is_empty(&self->on_way))
		return GST_FLOW_OK;
	vfm_status s = ready(self, must, err, sizeof err);
	if (s == VFM_TIMEOUT)
		return must ? GST_FLOW_FLUSHING : GST_FLOW_OK;
	if (s != VFM_OK) {
		flow_post(self, s, "a restored frame", err);
		return GST_FLOW_ERROR;
	}
	/* The base class copies timestamps, flags and metas. */
	GstBuffer *about = g_queue_peek_head(&self->on_way), *buffer = NULL;
	GstFlowReturn r = GST_BASE_TRANSFORM_GET_CLASS(base)->prepare_output_buffer(base, about, &buffer);
	if (r != GST_FLOW_OK)
		return r;
	GstVideoFrame f;
	if (!gst_video_frame_map(&f, &self->out, buffer, GST_MAP_WRITE)) {
		gst_buffer_unref(buffer);
		GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("the memory for a restored frame cannot be written"), (NULL));
		return GST_FLOW_ERROR;
	}
	vfm_frame frame = {.size = sizeof frame};
	formats_planes(&f, &frame);
	formats_fill_gaps(&f);
	s = vfm_stream_receive(self->stream, &frame, -1, NULL, err, sizeof err);
	gst_video_frame_unmap(&f);
	gst_buffer_unref(g_queue_pop_head(&self->on_way));
	if (s != VFM_OK) {
		gst_buffer_unref(buffer);
		flow_post(self, s, "a restored frame", err);
		return GST_FLOW_ERROR;
	}
	*out = buffer;
	return GST_FLOW_OK;
}

GstFlowReturn flow_drain(GstVfmRestore *self)
{
	GstFlowReturn r = GST_FLOW_OK;
	while (r == GST_FLOW_OK && !g_queue_is_empty(&self->on_way)) {
		GstBuffer *out;
		r = flow_receive(self, TRUE, &out);
		if (r == GST_FLOW_OK)
			r = gst_pad_push(GST_BASE_TRANSFORM_SRC_PAD(self), out);
	}
	return r;
}
