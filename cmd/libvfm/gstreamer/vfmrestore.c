/* vfmrestore: a GStreamer element that restores every frame of a video, over vfm.h.
 *
 *   gst-launch-1.0 v4l2src ! videoconvert ! vfmrestore ! videoconvert ! autovideosink
 */
#include "vfmrestore.h"

GST_DEBUG_CATEGORY(vfmrestore_debug);

G_DEFINE_FINAL_TYPE(GstVfmRestore, gst_vfm_restore, GST_TYPE_VIDEO_FILTER)

enum { PROP_TASK = 1, PROP_NOISE, PROP_TEMPORAL, PROP_IN_FLIGHT, PROP_PACE, PROP_DEVICE, PROP_WEIGHTS };

/* Without inpaint, which needs a mask. */
static const GEnumValue tasks[] = {
	{0, "Noise", "denoise"},
	{1, "Motion blur, which is looked for in every frame", "motion-deblur"},
	{2, "Blur of a standard deviation of 3 pixels", "gaussian-deblur"},
	{3, "Defocus of a standard deviation of 3 pixels", "defocus"},
	{4, "4 times as wide and high", "super-resolve"},
	{0, NULL, NULL},
};

static GType task_type(void)
{
	static GType type;
	if (g_once_init_enter(&type))
		g_once_init_leave(&type, g_enum_register_static("GstVfmRestoreTask", tasks));
	return type;
}

const char *task_name(const GstVfmRestore *self) { return tasks[self->task].value_nick; }

int task_scale(const GstVfmRestore *self) { return strcmp(task_name(self), "super-resolve") ? 1 : 4; }

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	GstVfmRestore *self = GST_VFM_RESTORE(object);
	GST_OBJECT_LOCK(self);
	switch (id) {
	case PROP_TASK: self->task = g_value_get_enum(value); break;
	case PROP_NOISE: self->noise = g_value_get_double(value); break;
	case PROP_TEMPORAL: self->temporal = g_value_get_boolean(value); break;
	case PROP_IN_FLIGHT: self->in_flight = g_value_get_int(value); break;
	case PROP_PACE: self->pace = g_value_get_double(value); break;
	case PROP_DEVICE:
		g_free(self->device);
		self->device = g_value_dup_string(value);
		break;
	case PROP_WEIGHTS:
		g_free(self->weights);
		self->weights = g_value_dup_string(value);
		break;
	default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	GstVfmRestore *self = GST_VFM_RESTORE(object);
	GST_OBJECT_LOCK(self);
	switch (id) {
	case PROP_TASK: g_value_set_enum(value, self->task); break;
	case PROP_NOISE: g_value_set_double(value, self->noise); break;
	case PROP_TEMPORAL: g_value_set_boolean(value, self->temporal); break;
	case PROP_IN_FLIGHT: g_value_set_int(value, self->in_flight); break;
	case PROP_PACE: g_value_set_double(value, self->pace); break;
	case PROP_DEVICE: g_value_set_string(value, self->device); break;
	case PROP_WEIGHTS: g_value_set_string(value, self->weights); break;
	default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(self);
}

static void finalize(GObject *object)
{
	GstVfmRestore *self = GST_VFM_RESTORE(object);
	g_free(self->device);
	g_free(self->weights);
	G_OBJECT_CLASS(gst_vfm_restore_parent_class)->finalize(object);
}

/* Opens the device. */
static gboolean start(GstBaseTransform *base)
{
	GstVfmRestore *self = GST_VFM_RESTORE(base);
	GST_OBJECT_LOCK(self);
	char *device = g_strdup(self->device), *weights = g_strdup(self->weights);
	vfm_config cfg = {.size = sizeof cfg, .device = device, .weights = weights, .pace = self->pace};
	GST_OBJECT_UNLOCK(self);
	char err[512];
	vfm_status s = vfm_open(&cfg, &self->model, err, sizeof err);
	g_free(device);
	g_free(weights);
	if (s != VFM_OK) {
		self->model = 0;
		flow_post(self, s, "the device", err);
		return FALSE;
	}
	vfm_info(self->model, err, sizeof err);
	GST_INFO_OBJECT(self, "%s", err);
	return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
	GstVfmRestore *self = GST_VFM_RESTORE(base);
	flow_close(self);
	vfm_close(self->model);
	self->model = 0;
	return TRUE;
}

static GstCaps *transform_caps(GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
	GstCaps *other = caps_across(direction, caps, task_scale(GST_VFM_RESTORE(base)));
	if (filter) {
		GstCaps *both = gst_caps_intersect_full(filter, other, GST_CAPS_INTERSECT_FIRST);
		gst_caps_unref(other);
		other = both;
	}
	return other;
}

/* The format of frames changes. Frames in work still have the old one. */
static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out)
{
	GstVfmRestore *self = GST_VFM_RESTORE(filter);
	(void)in_caps, (void)out_caps;
	if (self->stream && gst_video_info_is_equal(in, &self->in) && gst_video_info_is_equal(out, &self->out))
		return TRUE;
	GstFlowReturn r = flow_drain(self);
	flow_close(self);
	if (r == GST_FLOW_ERROR)
		return FALSE;
	self->in = *in;
	self->out = *out;
	gboolean ok = flow_open(self);
	gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
	return ok;
}

static GstFlowReturn generate_output(GstBaseTransform *base, GstBuffer **out)
{
	GstVfmRestore *self = GST_VFM_RESTORE(base);
	GstBuffer *in = base->queued_buf;
	base->queued_buf = NULL;
	*out = NULL;
	if (in) {
		GstFlowReturn r = flow_submit(self, in);
		gst_buffer_unref(in);
		if (r != GST_FLOW_OK)
			return r;
	}
	/* After a frame was submitted there must be room for the next. All frames that are ready are
	 * pushed. */
	return flow_receive(self, (int)self->on_way.length >= self->room, out);
}

/* This function tells the base class that frames are not restored in place, so that it allocates
 * buffers. generate_output does the work. */
static GstFlowReturn transform_frame(GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
	(void)filter, (void)in, (void)out;
	return GST_FLOW_NOT_SUPPORTED;
}

static gboolean sink_event(GstBaseTransform *base, GstEvent *event)
{
	GstVfmRestore *self = GST_VFM_RESTORE(base);
	switch (GST_EVENT_TYPE(event)) {
	case GST_EVENT_FLUSH_STOP: /* frames in work are obsolete, and so is the state of the stream */
		if (self->stream) {
			flow_close(self);
			if (!flow_open(self)) {
				gst_event_unref(event);
				return FALSE;
			}
		}
		break;
	case GST_EVENT_CAPS: /* set_info drains if the caps differ */
		break;
	default:
		/* Events stay in order with frames. */
		if (GST_EVENT_IS_SERIALIZED(event) && flow_drain(self) == GST_FLOW_ERROR) {
			gst_event_unref(event);
			return FALSE;
		}
	}
	return GST_BASE_TRANSFORM_CLASS(gst_vfm_restore_parent_class)->sink_event(base, event);
}

/* A frame is pushed after this number of later frames at the latest. */
static gboolean query(GstBaseTransform *base, GstPadDirection direction, GstQuery *q)
{
	GstVfmRestore *self = GST_VFM_RESTORE(base);
	gboolean ok = GST_BASE_TRANSFORM_CLASS(gst_vfm_restore_parent_class)->query(base, direction, q);
	if (!ok || direction != GST_PAD_SRC || GST_QUERY_TYPE(q) != GST_QUERY_LATENCY)
		return ok;
	gboolean live;
	GstClockTime min, max;
	gst_query_parse_latency(q, &live, &min, &max);
	GST_OBJECT_LOCK(self);
	GstClockTime own = self->latency;
	GST_OBJECT_UNLOCK(self);
	gst_query_set_latency(q, live, min + own, GST_CLOCK_TIME_IS_VALID(max) ? max + own : max);
	return TRUE;
}

static void gst_vfm_restore_init(GstVfmRestore *self)
{
	self->noise = -1;
	self->temporal = TRUE;
	self->in_flight = 3;
	self->pace = 1;
	g_queue_init(&self->on_way);
}

static void gst_vfm_restore_class_init(GstVfmRestoreClass *class)
{
	GObjectClass *object = G_OBJECT_CLASS(class);
	GstElementClass *element = GST_ELEMENT_CLASS(class);
	GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(class);
	const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

	object->set_property = set_property;
	object->get_property = get_property;
	object->finalize = finalize;
	g_object_class_install_property(object, PROP_TASK, g_param_spec_enum("task", "Task", "What is undone", task_type(), 0, flags));
	g_object_class_install_property(object, PROP_NOISE, g_param_spec_double("noise", "Noise",
		"Standard deviation of each of R', G' and B' in levels of 255; 0: there is none; -1: estimated, and smoothed over about eight frames", -1, 255, -1, flags));
	g_object_class_install_property(object, PROP_TEMPORAL, g_param_spec_boolean("temporal", "Temporal",
		"denoise: average every frame with those before it, as far as what is seen can be followed", TRUE, flags));
	g_object_class_install_property(object, PROP_IN_FLIGHT, g_param_spec_int("in-flight", "In flight",
		"Frames that may be on their way at a time; 1: every frame is waited for, which is slower and adds no latency", 1, 64, 3, flags));
	g_object_class_install_property(object, PROP_PACE, g_param_spec_double("pace", "Pace", "Share of the device's time to take", 0.01, 1, 1, flags));
	g_object_class_install_property(object, PROP_DEVICE, g_param_spec_string("device", "Device",
		"Index of a Vulkan device or part of its name (default: $VFM_DEVICE, else the best)", NULL, flags));
	g_object_class_install_property(object, PROP_WEIGHTS, g_param_spec_string("weights", "Weights",
		"A .vfm file (default: the weights inside libvfm)", NULL, flags));

	GstCaps *caps = formats_caps();
	gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
	gst_element_class_add_pad_template(element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
	gst_caps_unref(caps);
	gst_element_class_set_static_metadata(element, "Restoration of video", "Filter/Effect/Video",
		"Removes noise or blur, or enlarges, in one network step per frame on any Vulkan device", "the authors of restore");

	base->start = start;
	base->stop = stop;
	base->transform_caps = transform_caps;
	base->generate_output = generate_output;
	base->sink_event = sink_event;
	base->query = query;
	GST_VIDEO_FILTER_CLASS(class)->set_info = set_info;
	GST_VIDEO_FILTER_CLASS(class)->transform_frame = transform_frame;
}

static gboolean plugin_init(GstPlugin *plugin)
{
	GST_DEBUG_CATEGORY_INIT(vfmrestore_debug, "vfmrestore", 0, "restoration of video");
	return gst_element_register(plugin, "vfmrestore", GST_RANK_NONE, GST_TYPE_VFM_RESTORE);
}

#define PACKAGE "restore"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vfm, "Restoration of video over Vulkan", plugin_init, VFM_VERSION, "MIT/X11",
                  PACKAGE, "https://github.com/vfmrestore/restore")
