/* SPDX-License-Identifier: Apache-2.0 */
/* libvips, with nothing in it but what reads and writes the formats of the house. */
#include <gmodule.h>
#include <stdio.h>
#include <stdlib.h>
#include <vips/vips.h>

#include "worker/work.h"

enum { CACHE_NONE = 0 };

/* The only classes that may read. */
static const struct {
    const char *class, *operation;
    worker_format format;
} loaders[] = {
    {"VipsForeignLoadJpeg", "jpegload_buffer", WORKER_JPEG},
    {"VipsForeignLoadPng", "pngload_buffer", WORKER_PNG},
    {"VipsForeignLoadWebp", "webpload_buffer", WORKER_WEBP},
    {"VipsForeignLoadHeif", "heifload_buffer", WORKER_HEIC},
    {"VipsForeignLoadTiff", "tiffload_buffer", WORKER_TIFF},
};

/* libvips would load every module it finds, those for scripts and documents too.  HEIC is the only
 * one that is wanted; without it HEIC is refused. */
static void load_heic(void) {
    (void)g_module_open(VIPS_MODULES "/vips-heif.so", G_MODULE_BIND_LAZY);
}

static void silence(const char *domain, GLogLevelFlags level, const char *message, void *user) {
    (void)domain;
    (void)level;
    (void)message;
    (void)user;
}

int decode_open(uint32_t *ret_formats, char *ret_libraries, size_t size, atg_err *err) {
    /* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
    (void)setenv("VIPSHOME", "/nonexistent", 1);
    (void)setenv("VIPS_NOVECTOR", "1", 1);
    /* NOLINTEND(concurrency-mt-unsafe) */
    g_log_set_default_handler(silence, NULL);
    if (VIPS_INIT("antigone-worker"))
        return atg_fail(err, ATG_EIO, "libvips does not start");

    load_heic();
    vips_concurrency_set(1);
    vips_cache_set_max(CACHE_NONE);
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    *ret_formats = 1U << WORKER_BMP;
    for (size_t i = 0; i < sizeof(loaders) / sizeof(*loaders); i++) {
        vips_operation_block_set(loaders[i].class, FALSE);
        if (vips_type_find("VipsOperation", loaders[i].operation))
            *ret_formats |= 1U << loaders[i].format;
    }
    (void)snprintf(ret_libraries, size, "libvips %s", vips_version_string());
    return ATG_OK;
}

void decode_tidy(void) {
    vips_error_clear();
}
