package frugal

// #ifdef __linux__
// #define _GNU_SOURCE
// #include <features.h>
// #include <errno.h>
// #include <stdio.h>
// #include <sys/resource.h>
// #include <unistd.h>
// #ifdef __GLIBC__
// #include <malloc.h>
// #endif
//
// // The address space that Go's runtime and its threads reserve before main, with two cores, and
// // for each further core. With less the runtime ends with pages of traces. Go code cannot prevent
// // this, so a constructor in C checks it.
// enum { start_mb = 1500, core_mb = 10, most_cores = 64 };
//
// __attribute__((constructor)) static void frugal(void) {
//     struct rlimit limit;
//     if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
//     long cores = sysconf(_SC_NPROCESSORS_ONLN);
//     if (cores > most_cores) cores = most_cores;
//     long need = start_mb + (cores > 2 ? core_mb * (cores - 2) : 0);
//     if (limit.rlim_cur / 1000000 < (rlim_t)need) {
// #ifdef __GLIBC__
//         const char *name = program_invocation_short_name;
// #else
//         const char *name = "restore";
// #endif
//         fprintf(stderr,
//                 "%s: not enough memory: it needs about %ld MB of address space to start, "
//                 "and the limit (ulimit -v) is %ld MB\n",
//                 name, need, (long)(limit.rlim_cur / 1000000));
//         _exit(1);
//     }
// #ifdef __GLIBC__
//     // By default the C library reserves 64 MB or more of address space for every thread that
//     // allocates. One arena for all threads avoids that, but is slower if many allocate at once.
//     mallopt(M_ARENA_MAX, 1);
// #endif
// }
// #endif
import "C"
