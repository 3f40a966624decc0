/* Caps on both sides of an element that enlarges frames. */
#include "vfmrestore.h"

/* Converts a width or height from one pad to the other: larger from input to output; smaller,
 * rounded up or down, from output to input. */
static gint64 side(gint64 v, int scale, GstPadDirection from, gboolean up)
{
	if (from == GST_PAD_SINK)
		return MIN(v * scale, G_MAXINT);
	return (v + (up ? scale - 1 : 0)) / scale;
}

/* Converts a value, range or list of widths or heights. FALSE if nothing is left. */
static gboolean across(const GValue *from, GValue *to, int scale, GstPadDirection direction)
{
	if (G_VALUE_HOLDS_INT(from)) {
		int v = g_value_get_int(from);
		if (direction == GST_PAD_SRC && v % scale)
			return FALSE;
		g_value_init(to, G_TYPE_INT);
		g_value_set_int(to, (int)side(v, scale, direction, FALSE));
		return g_value_get_int(to) > 0;
	}
	if (GST_VALUE_HOLDS_INT_RANGE(from)) {
		gint64 low = side(gst_value_get_int_range_min(from), scale, direction, TRUE);
		gint64 high = side(gst_value_get_int_range_max(from), scale, direction, FALSE);
		low = MAX(low, 1);
		if (low > high)
			return FALSE;
		if (low == high) {
			g_value_init(to, G_TYPE_INT);
			g_value_set_int(to, (int)low);
		} else {
			g_value_init(to, GST_TYPE_INT_RANGE);
			gst_value_set_int_range(to, (int)low, (int)high);
		}
		return TRUE;
	}
	if (GST_VALUE_HOLDS_LIST(from)) {
		g_value_init(to, GST_TYPE_LIST);
		for (guint i = 0; i < gst_value_list_get_size(from); i++) {
			GValue one = G_VALUE_INIT;
			if (across(gst_value_list_get_value(from, i), &one, scale, direction))
				gst_value_list_append_and_take_value(to, &one);
			else if (G_IS_VALUE(&one))
				g_value_unset(&one);
		}
		return gst_value_list_get_size(to) > 0;
	}
	return FALSE;
}

GstCaps *caps_across(GstPadDirection direction, const GstCaps *caps, int scale)
{
	GstCaps *other = gst_caps_new_empty();
	for (guint i = 0; i < gst_caps_get_size(caps); i++) {
		GstStructure *s = gst_structure_copy(gst_caps_get_structure(caps, i));
		gboolean left = TRUE;
		for (int k = 0; k < 2 && left && scale != 1; k++) {
			const char *name = k ? "height" : "width";
			const GValue *from = gst_structure_get_value(s, name);
			GValue to = G_VALUE_INIT;
			if (!from)
				continue;
			left = across(from, &to, scale, direction);
			if (left)
				gst_structure_take_value(s, name, &to);
			else if (G_IS_VALUE(&to))
				g_value_unset(&to);
		}
		if (left)
			gst_caps_append_structure_full(other, s, gst_caps_features_copy(gst_caps_get_features(caps, i)));
		else
			gst_structure_free(s);
	}
	return other;
}
