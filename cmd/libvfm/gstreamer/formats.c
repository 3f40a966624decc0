/* Converts GStreamer's formats, colours and planes to those of the library. */
#include "vfmrestore.h"

typedef struct {
	GstVideoFormat gst;
	int layout, bits, chroma;
	gboolean gap; /* a byte of every pixel is not a colour */
} format;

static const format formats[] = {
	{GST_VIDEO_FORMAT_NV12, VFM_NV12, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_NV21, VFM_NV21, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_I420, VFM_PLANAR, 8, VFM_420, FALSE},
	{GST_VIDEO_FORMAT_YV12, VFM_PLANAR, 8, VFM_420, FALSE},
	{GST_VIDEO_FORMAT_Y42B, VFM_PLANAR, 8, VFM_422, FALSE},
	{GST_VIDEO_FORMAT_Y444, VFM_PLANAR, 8, VFM_444, FALSE},
	{GST_VIDEO_FORMAT_YUY2, VFM_YUYV, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_UYVY, VFM_UYVY, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_I420_10LE, VFM_PLANAR, 10, VFM_420, FALSE},
	{GST_VIDEO_FORMAT_I422_10LE, VFM_PLANAR, 10, VFM_422, FALSE},
	{GST_VIDEO_FORMAT_Y444_10LE, VFM_PLANAR, 10, VFM_444, FALSE},
	{GST_VIDEO_FORMAT_I420_12LE, VFM_PLANAR, 12, VFM_420, FALSE},
	{GST_VIDEO_FORMAT_I422_12LE, VFM_PLANAR, 12, VFM_422, FALSE},
	{GST_VIDEO_FORMAT_Y444_12LE, VFM_PLANAR, 12, VFM_444, FALSE},
	{GST_VIDEO_FORMAT_P010_10LE, VFM_P010, 10, 0, FALSE},
	{GST_VIDEO_FORMAT_P012_LE, VFM_P010, 12, 0, FALSE},
	{GST_VIDEO_FORMAT_P016_LE, VFM_P010, 16, 0, FALSE},
	{GST_VIDEO_FORMAT_RGB, VFM_RGB, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_BGR, VFM_BGR, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_RGBA, VFM_RGBA, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_BGRA, VFM_BGRA, 0, 0, FALSE},
	{GST_VIDEO_FORMAT_RGBx, VFM_RGB, 0, 0, TRUE},
	{GST_VIDEO_FORMAT_BGRx, VFM_BGR, 0, 0, TRUE},
	{GST_VIDEO_FORMAT_xRGB, VFM_RGB, 0, 0, TRUE},
	{GST_VIDEO_FORMAT_xBGR, VFM_BGR, 0, 0, TRUE},
	{GST_VIDEO_FORMAT_GRAY8, VFM_GRAY, 8, 0, FALSE},
	{GST_VIDEO_FORMAT_GRAY16_LE, VFM_GRAY, 16, 0, FALSE},
};

static const format *find(GstVideoFormat gst)
{
	for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].gst == gst)
			return &formats[i];
	return NULL;
}

GstCaps *formats_caps(void)
{
	GValue names = G_VALUE_INIT, name = G_VALUE_INIT;
	g_value_init(&names, GST_TYPE_LIST);
	g_value_init(&name, G_TYPE_STRING);
	for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_value_set_static_string(&name, gst_video_format_to_string(formats[i].gst));
		gst_value_list_append_value(&names, &name);
	}
	GstCaps *caps = gst_caps_new_simple("video/x-raw", "width", GST_TYPE_INT_RANGE, 1, 65536, "height", GST_TYPE_INT_RANGE, 1, 65536, "framerate",
	                                    GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, NULL);
	gst_caps_set_value(caps, "format", &names);
	g_value_unset(&name);
	g_value_unset(&names);
	return caps;
}

const char *formats_find(const GstVideoInfo *info, vfm_format *v)
{
	const format *f = find(GST_VIDEO_INFO_FORMAT(info));
	if (!f)
		return "there is no such pixel format here; put videoconvert before";
	/* An interlaced frame holds two pictures of different times, row by row. */
	if (GST_VIDEO_INFO_INTERLACE_MODE(info) != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE)
		return "the video is interlaced; put deinterlace before";
	*v = (vfm_format){.layout = f->layout, .bits = f->bits, .chroma = f->chroma};
	v->range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? VFM_FULL : VFM_LIMITED;
	if (!GST_VIDEO_INFO_IS_YUV(info))
		return NULL;
	switch (info->colorimetry.matrix) {
	case GST_VIDEO_COLOR_MATRIX_BT709: v->matrix = VFM_BT709; break;
	case GST_VIDEO_COLOR_MATRIX_BT601: v->matrix = VFM_BT601; break;
	case GST_VIDEO_COLOR_MATRIX_BT2020: v->matrix = VFM_BT2020; break;
	default: return "the colours are coded neither as in BT.601 nor 709 nor 2020; put videoconvert and caps with another colorimetry before";
	}
	switch ((int)info->chroma_site & (GST_VIDEO_CHROMA_SITE_NONE | GST_VIDEO_CHROMA_SITE_H_COSITED | GST_VIDEO_CHROMA_SITE_V_COSITED)) {
	case GST_VIDEO_CHROMA_SITE_NONE: v->siting = VFM_CENTRE; break;
	case GST_VIDEO_CHROMA_SITE_COSITED: v->siting = VFM_TOP_LEFT; break;
	default: v->siting = VFM_LEFT; /* MPEG-2, and unknown */
	}
	return NULL;
}

/* Returns the number of bytes from data, which is in a plane, to the end of the memory. Without a
 * GstVideoMeta all planes are in one piece of memory. */
static gsize left(const GstVideoFrame *f, guint plane, const guint8 *data)
{
	const GstMapInfo *map = &f->map[f->meta ? plane : 0];
	return data < map->data + map->size ? (gsize)(map->data + map->size - data) : 0;
}

void formats_planes(const GstVideoFrame *f, vfm_frame *frame)
{
	const format *known = find(GST_VIDEO_FRAME_FORMAT(f));
	for (guint i = 0; i < MIN(GST_VIDEO_FRAME_N_PLANES(f), G_N_ELEMENTS(frame->plane)); i++) {
		/* Planar formats go by component, as the planes of YV12 have another order. */
		guint plane = known->layout == VFM_PLANAR ? (guint)GST_VIDEO_FRAME_COMP_PLANE(f, i) : i;
		guint8 *data = GST_VIDEO_FRAME_PLANE_DATA(f, plane);
		if (known->gap) { /* the first colour of a pixel, red or blue, may not be its first byte */
			data += MIN(GST_VIDEO_FRAME_COMP_POFFSET(f, 0), GST_VIDEO_FRAME_COMP_POFFSET(f, 2));
			frame->plane[i].step = GST_VIDEO_FRAME_COMP_PSTRIDE(f, 0);
		}
		frame->plane[i].data = data;
		frame->plane[i].stride = GST_VIDEO_FRAME_PLANE_STRIDE(f, plane);
		frame->plane[i].bytes = MAX(left(f, plane, data), 1); /* 0 would mean not checked */
	}
}

void formats_fill_gaps(GstVideoFrame *f)
{
	if (!find(GST_VIDEO_FRAME_FORMAT(f))->gap)
		return;
	for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(f); y++) {
		guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(f, 0) + (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(f, 0);
		memset(row, 0xff, MIN(4 * (gsize)GST_VIDEO_FRAME_WIDTH(f), left(f, 0, row)));
	}
}
