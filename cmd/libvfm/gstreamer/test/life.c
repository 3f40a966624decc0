/* Seeks, stops and starts pipelines with vfmrestore while frames are in work. */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>

static GstElement *pipeline, *app;

static void fail(const char *what)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *m = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
	GError *e = NULL;
	if (m)
		gst_message_parse_error(m, &e, NULL);
	fprintf(stderr, "%s: %s\n", what, e ? e->message : "no error was posted");
	exit(1);
}

static void make(const char *description)
{
	GError *e = NULL;
	pipeline = gst_parse_launch(description, &e);
	if (e) {
		fprintf(stderr, "%s\n", e->message);
		exit(1);
	}
	app = gst_bin_get_by_name(GST_BIN(pipeline), "s");
}

static void drop(void)
{
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(app);
	gst_object_unref(pipeline);
}

static void state(GstState s)
{
	if (gst_element_set_state(pipeline, s) == GST_STATE_CHANGE_FAILURE || gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_FAILURE)
		fail("a change of state");
}

/* Returns the time of the next frame in ms. */
static int pull(void)
{
	GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(app));
	if (!sample)
		fail("no frame");
	int ms = (int)(GST_BUFFER_PTS(gst_sample_get_buffer(sample)) / GST_MSECOND);
	gst_sample_unref(sample);
	return ms;
}

static void expect(int got, int want, const char *what)
{
	if (got != want) {
		fprintf(stderr, "%s: %d, not %d\n", what, got, want);
		exit(1);
	}
}

/* A frame whose memory, of the given bytes, is too small is an error. stride: that of the frame, or
 * 0 for that of the caps. */
static void cut(const char *format, gsize bytes, int stride)
{
	char *text = g_strdup_printf("appsrc name=s caps=video/x-raw,format=%s,width=32,height=24,framerate=25/1 ! vfmrestore noise=5 ! fakesink", format);
	make(text);
	g_free(text);
	GstBuffer *b = gst_buffer_new_allocate(NULL, bytes, NULL);
	gst_buffer_memset(b, 0, 0, bytes);
	if (stride) {
		gsize offset[GST_VIDEO_MAX_PLANES] = {0};
		int strides[GST_VIDEO_MAX_PLANES] = {stride};
		gst_buffer_add_video_meta_full(b, GST_VIDEO_FRAME_FLAG_NONE, gst_video_format_from_string(format), 32, 24, 1, offset, strides);
	}
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	gst_app_src_push_buffer(GST_APP_SRC(app), b);
	gst_app_src_end_of_stream(GST_APP_SRC(app));
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *m = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
	expect(GST_MESSAGE_TYPE(m) == GST_MESSAGE_ERROR, 1, "an error for a frame that is cut off");
	gst_message_unref(m);
	gst_object_unref(bus);
	drop();
}

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);

	make("videotestsrc num-buffers=200 ! video/x-raw,format=NV12,width=32,height=24,framerate=25/1 ! vfmrestore noise=5 in-flight=3 ! "
	     "appsink name=s sync=false max-buffers=1");
	for (int round = 0; round < 2; round++) {
		state(GST_STATE_PLAYING);
		for (int i = 0; i < 7; i++)
			expect(pull(), 40 * i, "time of a frame");
		/* Frames are in work: none of them may come out after the seek. */
		for (int to = 1; to < 4; to++) {
			if (!gst_element_seek_simple(pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, to * GST_SECOND))
				fail("a seek");
			for (int i = 0; i < round + 1; i++)
				expect(pull(), 1000 * to + 40 * i, "time of a frame after a seek");
		}
		state(round ? GST_STATE_NULL : GST_STATE_READY);
		/* appsink keeps a frame that has reached it in READY. */
		for (GstSample *left; (left = gst_app_sink_try_pull_sample(GST_APP_SINK(app), 0));)
			gst_sample_unref(left);
	}
	drop();
	puts("seeks and stops are survived");

	/* All frames come out at the end. */
	make("videotestsrc num-buffers=9 ! video/x-raw,format=NV12,width=32,height=24,framerate=25/1 ! vfmrestore noise=5 in-flight=64 ! "
	     "appsink name=s sync=false");
	state(GST_STATE_PLAYING);
	for (int i = 0; i < 9; i++)
		expect(pull(), 40 * i, "time of a frame");
	GstSample *none = gst_app_sink_pull_sample(GST_APP_SINK(app));
	expect(none == NULL && gst_app_sink_is_eos(GST_APP_SINK(app)), 1, "the end");
	drop();
	puts("the end brings all frames");

	/* A live pipeline knows the latency. */
	make("videotestsrc is-live=true ! video/x-raw,format=NV12,width=32,height=24,framerate=25/1 ! vfmrestore noise=5 in-flight=2 ! appsink name=s");
	state(GST_STATE_PLAYING);
	pull();
	GstQuery *q = gst_query_new_latency();
	gboolean live;
	GstClockTime min;
	if (!gst_element_query(pipeline, q))
		fail("the latency");
	gst_query_parse_latency(q, &live, &min, NULL);
	gst_query_unref(q);
	expect(live && min >= 2 * 40 * GST_MSECOND, 1, "live, with a latency of two frames and more");
	drop();
	puts("live pipelines are told the latency");

	cut("GRAY8", 32 * 24 - 1, 0);
	cut("GRAY8", 32 * 24, 33);
	cut("xRGB", 1, 1 << 20);
	cut("RGBx", 4 * 32 * 24, 1 << 30);
	puts("frames that are cut off are refused");

	gst_deinit();
	return 0;
}
