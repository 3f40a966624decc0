// Everything that depends on the operating system: opening the Vulkan loader and giving memory
// back. Also the queue of validation messages.
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>

void vfm_trim(void) { malloc_trim(0); }
#else
void vfm_trim(void) {}
#endif

#ifdef _WIN32
#include <windows.h>

void *vfm_loader_open(const char *name, char *why, size_t n) {
	HMODULE lib = LoadLibraryA(name);
	if (!lib) {
		snprintf(why, n, "%s: Windows error %lu", name, (unsigned long)GetLastError());
		return NULL;
	}
	void *f = (void *)(uintptr_t)GetProcAddress(lib, "vkGetInstanceProcAddr");
	if (!f) {
		snprintf(why, n, "%s: no function vkGetInstanceProcAddr in it", name);
		FreeLibrary(lib);
	}
	return f;
}
#else
#include <dlfcn.h>

void *vfm_loader_open(const char *name, char *why, size_t n) {
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		const char *e = dlerror();
		snprintf(why, n, "%s", e ? e : name);
		return NULL;
	}
	void *f = dlsym(lib, "vkGetInstanceProcAddr");
	if (!f) {
		snprintf(why, n, "%s: no function vkGetInstanceProcAddr in it", name);
		dlclose(lib);
	}
	return f;
}
#endif

uint32_t vfm_message_callback(uint32_t severity, uint32_t types, const VfMessageData *data, void *user) {
	(void)types;
	vfm_messages *q = user;
	const char *id = data->idName ? data->idName : "", *text = data->message ? data->message : "";
	const char *kind = severity >= 0x1000 ? "error" : "warning";
	size_t n = strlen(id) + strlen(text) + 32;
	vfm_message *m = malloc(sizeof *m + n);
	if (!m)
		return 0;
	snprintf(m->text, n, "%s: %s: %s", kind, id, text);
	m->next = __atomic_load_n(&q->head, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&q->head, &m->next, m, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
	}
	return 0; // VK_FALSE: do not abort the call
}

vfm_message *vfm_messages_take(vfm_messages *q) {
	vfm_message *m = __atomic_exchange_n(&q->head, NULL, __ATOMIC_ACQUIRE), *out = NULL;
	while (m) { // the list is newest first: reverse it
		vfm_message *next = m->next;
		m->next = out;
		out = m;
		m = next;
	}
	return out;
}

const char *vfm_message_text(const vfm_message *m) { return m->text; }
