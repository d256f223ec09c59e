/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker of this program had in memory at most. */
#ifndef ATG_BENCH_PEAK_H
#define ATG_BENCH_PEAK_H

#include "bench.h"

#include <string.h>
#include <unistd.h>

/* Mebibytes that the innermost child had at most. */
static inline double peak_of_worker(void) {
    char path[64], line[128];
    int pid = (int)getpid(), child = pid;
    double mib = 0;
    FILE *f;

    while (child) {
        pid = child;
        child = 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        f = bench_had(fopen(path, "re"));
        if (fgets(line, sizeof(line), f))
            child = (int)strtol(line, NULL, 10);
        (void)fclose(f);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    f = bench_had(fopen(path, "re"));
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            mib = strtod(line + 6, NULL) / 1024;
    (void)fclose(f);
    return mib;
}

#endif
