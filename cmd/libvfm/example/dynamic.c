/* For the tests: a running program with its own signal handlers loads the library, unloads it and
 * loads it again. It prints a line for each step. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "vfm.h"

static sigjmp_buf back;
static volatile sig_atomic_t users;

static void segv(int n) { (void)n; siglongjmp(back, 1); }
static void user(int n) { (void)n; users++; }

static void handle(int n, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_ONSTACK | SA_RESTART;
	sigaction(n, &a, NULL);
}

int main(int argc, char **argv) {
	if (argc < 2) return 2;
	handle(SIGSEGV, segv); /* before the library is loaded */
	void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) return puts(dlerror()), 1;
	int32_t (*abi)(void);
	vfm_status (*devices)(vfm_device *, size_t *, char *, size_t);
	*(void **)&abi = dlsym(lib, "vfm_abi");
	*(void **)&devices = dlsym(lib, "vfm_devices");
	if (abi == NULL || devices == NULL || dlsym(lib, "crosscall2") != NULL) return puts("symbols"), 1;
	if (abi() != VFM_ABI) return puts("another ABI"), 1;
	handle(SIGUSR1, user); /* after the library is loaded */
	handle(SIGTERM, user);
	raise(SIGUSR1);
	raise(SIGTERM);
	if (users != 2) return puts("the program's handlers are not called"), 1;
	volatile int caught = 0;
	if (sigsetjmp(back, 1) == 0) *(volatile int *)NULL = 1;
	else caught = 1;
	if (!caught) return 1;
	puts("signals are the program's own");
	dlclose(lib);
	for (int i = 0; i < 3; i++) {
		lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		*(void **)&devices = dlsym(lib, "vfm_devices");
		size_t count = 0;
		char e[300];
		if (devices(NULL, &count, e, sizeof e) != VFM_OK || count == 0) return puts(e), 1;
		dlclose(lib);
	}
	puts("opened, closed and opened again");
	return 0;
}
