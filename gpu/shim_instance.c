// Instance creation: layers, extensions, the validation layer's settings and messenger.
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

typedef VfResult (*EnumerateLayers)(uint32_t *, VfLayer *);
typedef VfResult (*EnumerateExtensions)(const char *, uint32_t *, VfExtension *);
typedef VfResult (*EnumerateVersion)(uint32_t *);
typedef VfResult (*CreateInstance)(const VfInstanceCreateInfo *, const void *, VfInstance *);
typedef VfResult (*CreateMessenger)(VfInstance, const VfMessengerCreateInfo *, const void *, uint64_t *);

static int has_layer(VfGetProc proc, const char *name) {
	EnumerateLayers f = (EnumerateLayers)proc(NULL, "vkEnumerateInstanceLayerProperties");
	uint32_t n = 0;
	if (!f || f(&n, NULL) < 0 || n == 0)
		return 0;
	VfLayer *l = calloc(n, sizeof *l);
	int found = 0;
	if (l && f(&n, l) >= 0)
		for (uint32_t i = 0; i < n; i++)
			found |= !strcmp(l[i].name, name);
	free(l);
	return found;
}

static int has_extension(VfGetProc proc, const char *layer, const char *name) {
	EnumerateExtensions f = (EnumerateExtensions)proc(NULL, "vkEnumerateInstanceExtensionProperties");
	uint32_t n = 0;
	if (!f || f(layer, &n, NULL) < 0 || n == 0)
		return 0;
	VfExtension *e = calloc(n, sizeof *e);
	int found = 0;
	if (e && f(layer, &n, e) >= 0)
		for (uint32_t i = 0; i < n; i++)
			found |= !strcmp(e[i].name, name);
	free(e);
	return found;
}

int vfm_validation_available(void *proc) {
	VfGetProc p = (VfGetProc)(uintptr_t)proc;
	return has_layer(p, VALIDATION_LAYER) && (has_extension(p, NULL, "VK_EXT_debug_utils") ||
		has_extension(p, VALIDATION_LAYER, "VK_EXT_debug_utils"));
}

static void load(vfm_instance *i) {
#define LOAD(field, name) *(VfAnyFn *)&i->field = i->proc(i->handle, name)
	LOAD(CreateDevice, "vkCreateDevice");
	LOAD(EnumerateExtensions, "vkEnumerateDeviceExtensionProperties");
	LOAD(GetProperties, "vkGetPhysicalDeviceProperties");
	LOAD(GetProperties2, "vkGetPhysicalDeviceProperties2");
	LOAD(GetFeatures2, "vkGetPhysicalDeviceFeatures2");
	LOAD(GetQueueFamilies, "vkGetPhysicalDeviceQueueFamilyProperties");
	LOAD(GetMemoryProperties2, "vkGetPhysicalDeviceMemoryProperties2");
	LOAD(GetExternalBuffer, "vkGetPhysicalDeviceExternalBufferProperties");
	LOAD(GetMatrixProperties, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
	LOAD(deviceProc, "vkGetDeviceProcAddr");
#undef LOAD
}

VfResult vfm_instance_borrow(void *get_proc, VfInstance handle, uint32_t api, vfm_instance **out) {
	*out = NULL;
	vfm_instance *i = calloc(1, sizeof *i);
	if (!i)
		return -1;
	i->proc = (VfGetProc)(uintptr_t)get_proc;
	i->handle = handle;
	i->api = api;
	load(i);
	if (!i->EnumerateExtensions || !i->GetProperties || !i->GetProperties2 || !i->GetFeatures2 || !i->GetQueueFamilies ||
		!i->GetMemoryProperties2 || !i->GetExternalBuffer || !i->deviceProc) {
		free(i);
		return VFM_OLD_LOADER;
	}
	*out = i;
	return 0;
}

VfResult vfm_instance_create(void *get_proc, int validate, vfm_instance **out) {
	VfGetProc proc = (VfGetProc)(uintptr_t)get_proc;
	*out = NULL;
	EnumerateVersion version = (EnumerateVersion)proc(NULL, "vkEnumerateInstanceVersion");
	CreateInstance create = (CreateInstance)proc(NULL, "vkCreateInstance");
	uint32_t api = VFM_VERSION(1, 0);
	if (!create)
		return VFM_BROKEN_LOADER;
	if (version)
		version(&api);
	if (api < VFM_VERSION(1, 1))
		return VFM_OLD_LOADER;
	if (validate && !vfm_validation_available(get_proc))
		return VFM_NO_LAYER;
	vfm_instance *i = calloc(1, sizeof *i);
	if (!i)
		return -1;
	i->proc = proc;
	i->api = api;

	const char *layers[1] = {VALIDATION_LAYER}, *exts[4];
	uint32_t layer_count = validate ? 1 : 0, ext_count = 0, flags = 0;
	if (has_extension(proc, NULL, "VK_KHR_portability_enumeration")) {
		exts[ext_count++] = "VK_KHR_portability_enumeration"; // lists MoltenVK too
		flags = 1;
	}
	// Warnings and errors (0x100, 0x1000) of kind "validation" (2).
	VfMessengerCreateInfo messenger = {ST_DEBUG_MESSENGER_CREATE_INFO, NULL, 0, 0x1100, 2, vfm_message_callback, &i->messages};
	const int32_t enables[1] = {4}; // synchronisation validation; the core checks are on anyway
	VfValidationFeatures features = {ST_VALIDATION_FEATURES, &messenger, 1, enables, 0, NULL};
	const void *next = NULL;
	if (validate) {
		exts[ext_count++] = "VK_EXT_debug_utils";
		next = &messenger; // also reports on creating and destroying the instance
		if (has_extension(proc, VALIDATION_LAYER, "VK_EXT_validation_features")) {
			exts[ext_count++] = "VK_EXT_validation_features";
			next = &features;
		}
	}
	// 1.2 is the newest version that this package was written for; older drivers work too.
	VfApplicationInfo app = {ST_APPLICATION_INFO, NULL, "restore", 1, "vfmrestore", 1,
		api < VFM_VERSION(1, 2) ? VFM_VERSION(1, 1) : VFM_VERSION(1, 2)};
	VfInstanceCreateInfo info = {ST_INSTANCE_CREATE_INFO, next, flags, &app, layer_count, layers, ext_count, exts};
	VfResult r = create(&info, NULL, &i->handle);
	if (r < 0) {
		free(i);
		return r;
	}
	load(i);
	if (validate) {
		CreateMessenger cm = (CreateMessenger)proc(i->handle, "vkCreateDebugUtilsMessengerEXT");
		*(VfAnyFn *)&i->DestroyMessenger = proc(i->handle, "vkDestroyDebugUtilsMessengerEXT");
		if (cm)
			cm(i->handle, &messenger, NULL, &i->messenger);
	}
	*out = i;
	return 0;
}

void vfm_instance_close(vfm_instance *i) {
	if (i->messenger && i->DestroyMessenger)
		i->DestroyMessenger(i->handle, i->messenger, NULL);
	i->messenger = 0;
}

void vfm_instance_free(vfm_instance *i) {
	for (vfm_message *m = vfm_messages_take(&i->messages); m;) {
		vfm_message *next = m->next;
		free(m);
		m = next;
	}
	free(i);
}
