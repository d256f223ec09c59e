/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/portrait.h>

#include <stdio.h>

#include "base/json.h"

enum { NAME = 160 };

static int write_name(json *j, const atg_portraits *all, uint32_t i, atg_err *err) {
    char name[NAME];
    int rc = atg_portrait_name(all, i, name, sizeof(name), err);

    if (!rc)
        json_text(j, name);
    return rc;
}

/* AM pictures come by missing person. */
static int write_missing(json *j, const atg_portraits *all, atg_err *err) {
    int rc = ATG_OK;

    json_key(j, "missing");
    json_begin_array(j);
    for (uint32_t i = 0; i < all->n && !all->list[i].dead && !rc; i++) {
        if (all->list[i].view == 0) {
            json_object_line(j);
            json_key(j, "id");
            json_str(j, all->op->missing[all->list[i].missing].id);
            json_key(j, "am");
            json_array_line(j);
        }
        rc = write_name(j, all, i, err);
        if (all->list[i].view == ATG_PORTRAIT_AM - 1) {
            json_end(j, ']');
            json_end(j, '}');
        }
    }
    json_end(j, ']');
    return rc;
}

static int write_remains(json *j, const atg_portraits *all, atg_err *err) {
    int rc = ATG_OK;

    json_key(j, "remains");
    json_begin_array(j);
    for (uint32_t i = 0; i < all->n && !rc; i++) {
        const atg_sample *s = &all->op->samples[all->list[i].sample];

        if (!all->list[i].dead)
            continue;
        json_object_line(j);
        json_key(j, "id");
        json_str(j, s->id);
        if (s->body.n) {
            json_key(j, "body");
            json_str(j, s->body);
        }
        json_key(j, "pm");
        json_array_line(j);
        rc = write_name(j, all, i, err);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
    return rc;
}

int atg_portraits_write_json(const atg_portraits *all, atg_buf *buf, atg_err *err) {
    json j = json_new(buf);
    char seed[24];
    atg_str done;
    int rc;

    (void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)all->truth->options.seed);
    json_begin_object(&j);
    json_key(&j, "schema");
    json_text(&j, "antigone-portraits/1");
    json_key(&j, "about");
    json_text(&j, "Drawn from numbers: nobody of this face lives or lived.");
    json_key(&j, "seed");
    json_text(&j, seed);
    json_key(&j, "width");
    json_int(&j, ATG_PORTRAIT_WIDTH);
    json_key(&j, "height");
    json_int(&j, ATG_PORTRAIT_HEIGHT);
    rc = write_missing(&j, all, err);
    if (!rc)
        rc = write_remains(&j, all, err);
    json_end(&j, '}');
    return rc ? rc : atg_buf_take(buf, &done, err);
}
