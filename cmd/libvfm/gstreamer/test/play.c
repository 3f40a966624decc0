/* Plays a pipeline, given as words, to its end. If an error is posted, it prints it and returns 1.
 * gst-launch-1.0 of GStreamer 1.22 may miss an early error and then wait for ever. */
#include <gst/gst.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);
	GError *e = NULL;
	GstElement *pipeline = gst_parse_launchv((const char **)argv + 1, &e);
	if (e) {
		printf("%s\n", e->message);
		return 1;
	}
	gst_element_set_state(pipeline, GST_STATE_PLAYING); /* failures post an error */
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *m = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
	int failed = GST_MESSAGE_TYPE(m) == GST_MESSAGE_ERROR;
	if (failed) {
		gst_message_parse_error(m, &e, NULL);
		printf("%s: %s\n", GST_OBJECT_NAME(GST_MESSAGE_SRC(m)), e->message);
		g_error_free(e);
	}
	gst_message_unref(m);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(bus);
	gst_object_unref(pipeline);
	return failed;
}
