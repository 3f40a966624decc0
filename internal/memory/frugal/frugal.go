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
// // What Go's runtime reserves before main begins, with its threads on two cores, and for every core more.
// // With less it ends with pages of traces, which nothing of Go's can prevent: hence a constructor.
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
//         fprintf(stderr, "%s: not enough memory: it needs about %ld MB of address space to start, and the limit (ulimit -v) is %ld MB\n",
//                 name, need, (long)(limit.rlim_cur / 1000000));
//         _exit(1);
//     }
// #ifdef __GLIBC__
//     // By default the C library keeps 64 MB or more of address space for every thread that allocates. This
//     // makes it take memory of one place for all, which is slower where many threads ask at once.
//     mallopt(M_ARENA_MAX, 1);
// #endif
// }
// #endif
import "C"
