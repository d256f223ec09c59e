/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer: every seed in the given folder, every prefix of short
 * ones, and a fixed number of mutations of each. */
#include <antigone/base.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATIONS = 300, SEED_MAX = 1 << 20, PREFIX_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly `n` bytes, so that reading one too far is seen by the sanitizers. */
static void run(const uint8_t *data, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);

    if (!copy)
        abort();
    if (n)
        memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void mutate(atg_rng *rng, uint8_t *data, size_t *n) {
    static const char special[] = "\0\xff\"'<>&;,\t\n\r{}[]-/.eE0123456789 ";

    for (uint64_t k = 1 + atg_rng_below(rng, 4); k && *n; k--) {
        size_t at = (size_t)atg_rng_below(rng, *n);
        size_t len = (size_t)atg_rng_below(rng, *n - at) + 1;

        switch (atg_rng_below(rng, 4)) {
        case 0:
            data[at] = (uint8_t)special[atg_rng_below(rng, sizeof(special) - 1)];
            break;
        case 1:
            data[at] ^= (uint8_t)(1U << atg_rng_below(rng, 8));
            break;
        case 2: /* cut a piece out */
            len = len > 40 ? 40 : len;
            memmove(data + at, data + at + len, *n - at - len);
            *n -= len;
            break;
        default: /* copy a piece over another */
            memmove(data + atg_rng_below(rng, *n - len + 1), data + at, len);
            break;
        }
    }
}

static int replay(const char *path) {
    static uint8_t seed[SEED_MAX], work[SEED_MAX];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(seed, 1, sizeof(seed), f) : 0;
    atg_rng rng = atg_rng_seed(n);

    if (!f)
        return 1;
    (void)fclose(f);
    run(seed, n);
    for (size_t i = 0; i < n && n <= PREFIX_MAX; i++)
        run(seed, i);
    for (int i = 0; i < MUTATIONS; i++) {
        size_t m = n;

        memcpy(work, seed, n);
        mutate(&rng, work, &m);
        run(work, m);
    }
    return 0;
}

int main(int argc, char **argv) {
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int seeds = 0, bad = 0;

    if (!dir) {
        (void)fprintf(stderr, "usage: fuzz target FOLDER\n");
        return 2;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    for (struct dirent *e; (e = readdir(dir));) {
        char path[4096];

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        bad += replay(path);
        seeds++;
    }
    (void)closedir(dir);
    return seeds == 0 || bad;
}
