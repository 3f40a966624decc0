/* For the tests: what must not end the process that uses the library. Prints a line for each. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "vfm.h"

enum { W = 48, H = 40 };
static unsigned char in[3 * W * H], out[3 * W * H];
static vfm_stream stream;
static vfm_status last;
static char error[300];

/* Submits until it is refused. */
static void *submit(void *p) {
	int *begun = p;
	for (;;) {
		last = vfm_stream_submit(stream, in, sizeof in, -1, error, sizeof error);
		if (last != VFM_OK) return NULL;
		__atomic_store_n(begun, 1, __ATOMIC_SEQ_CST);
	}
}

int main(void) {
	char e[300] = "";
	vfm_model m;
	vfm_config odd = {0};
	odd.weights = "none\033[31m\n.vfm"; /* a name that a terminal would obey */
	if (vfm_open(&odd, &m, e, sizeof e) == VFM_OK) return puts("weights that are not there were opened"), 1;
	for (const char *c = e; *c; c++)
		if ((unsigned char)*c < 32 || *c == 127) return puts("an error holds a name as it is"), 1;
	puts("names in errors are quoted");
	if (vfm_open(NULL, &m, e, sizeof e) != VFM_OK) return puts(e), 1;

	/* Sizes that no memory holds are refused. */
	vfm_request huge;
	memset(&huge, 0, sizeof huge);
	huge.task = "denoise", huge.width = 65536, huge.height = 65536, huge.noise = 15;
	vfm_status s = vfm_stream_open(m, &huge, &stream, e, sizeof e);
	if (s != VFM_NO_MEMORY && s != VFM_BAD_REQUEST) return printf("65536x65536: status %d %s\n", (int)s, e), 1;
	huge.task = "super-resolve";
	s = vfm_stream_open(m, &huge, &stream, e, sizeof e);
	if (s != VFM_NO_MEMORY && s != VFM_BAD_REQUEST) return printf("super-resolve: status %d %s\n", (int)s, e), 1;
	puts("absurd sizes are refused");

	/* End beside a submit that waits: that gives VFM_BAD_REQUEST. */
	for (int i = 0; i < 20; i++) {
		vfm_request r;
		memset(&r, 0, sizeof r);
		r.task = "denoise", r.width = W, r.height = H, r.noise = 15, r.in_flight = 2;
		if (vfm_stream_open(m, &r, &stream, e, sizeof e) != VFM_OK) return puts(e), 1;
		int begun = 0;
		pthread_t t;
		if (pthread_create(&t, NULL, submit, &begun) != 0) return puts("no thread"), 1;
		while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST)) {}
		vfm_stream_end(stream);
		while (vfm_stream_receive(stream, out, sizeof out, -1, NULL, e, sizeof e) == VFM_OK) {}
		pthread_join(t, NULL);
		if (last != VFM_BAD_REQUEST) return printf("submit beside end: status %d %s\n", (int)last, error), 1;
		vfm_stream_close(stream);
	}
	puts("ends beside submits are heard");
	vfm_close(m);
	return 0;
}
