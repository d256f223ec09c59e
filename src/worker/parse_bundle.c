/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of a bundle are whole: what must be known before anybody with the key opens it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/instant.h"
#include "formats/bundle.h"
#include "worker/parse.h"

enum { NUMBERS_MAX = 1000 };

typedef struct found {
    atg_arena *arena;
    uuid bundle;
    bundle_header header;
    bool has_header, has_last;
    uint32_t last;
    unsigned char *parts; /* by number: 0 not there, 1 damaged, 2 good */
    uint32_t n;           /* there can be */
} found;

/* Called for every part that the files hold. */
typedef int take_part(found *f, const bundle_part *part, atg_err *err);

/* What cannot be read behind the first part counts as missing. */
static int walk_file(atg_str rest, take_part *take, found *f, atg_err *err) {
    for (bool first = true; rest.n; first = false) {
        bundle_part part;
        int rc = bundle_part_read(rest, &part, err);

        if (rc)
            return first ? rc : ATG_OK;
        rc = take(f, &part, err);
        if (rc)
            return rc;
        rest.p += BUNDLE_AROUND + part.payload.n;
        rest.n -= BUNDLE_AROUND + part.payload.n;
    }
    return ATG_OK;
}

static int walk(const parse *p, take_part *take, found *f, atg_err *err) {
    for (uint32_t i = 0; i < p->ask->n; i++) {
        atg_err e = {0};
        int rc = walk_file(p->w->files[i], take, f, &e);

        if (rc)
            return parse_in_file(p, i, rc == ATG_ENOTFOUND ? ATG_EPARSE : rc, &e, err);
    }
    return ATG_OK;
}

static int take_header(found *f, const bundle_part *part, atg_err *err) {
    if (uuid_none(&f->bundle))
        f->bundle = part->bundle;
    if (uuid_cmp(&f->bundle, &part->bundle) != 0)
        return atg_fail(err, ATG_EPARSE, "This holds parts of another bundle");
    if (part->last) {
        f->has_last = true;
        f->last = part->number;
    }
    if (part->number || f->has_header)
        return ATG_OK;
    f->has_header = true;
    return bundle_header_read(part->payload, &f->header, err);
}

static int take_signature(found *f, const bundle_part *part, atg_err *err) {
    unsigned char *state;

    (void)err;
    if (part->number >= f->n)
        return ATG_OK; /* it lies: nothing of this size is here */
    state = &f->parts[part->number];
    if (*state < 2)
        *state = bundle_part_check(part, &f->header.sender) ? 2 : 1;
    return ATG_OK;
}

/* How many parts are in this state, and the numbers of the first of them. */
static void put_numbers(json *j, const char *key, const found *f, uint32_t end, unsigned state) {
    uint32_t n = 0;

    json_key(j, key);
    json_object_line(j);
    json_key(j, "first");
    json_begin_array(j);
    for (uint32_t i = 0; i < end; i++)
        if (f->parts[i] == state && n++ < NUMBERS_MAX)
            json_int(j, i);
    json_end(j, ']');
    json_key(j, "count");
    json_int(j, n);
    json_end(j, '}');
}

static void put_receivers(json *j, const found *f) {
    json_key(j, "receivers");
    json_begin_array(j);
    for (uint32_t i = 0; i < f->header.n_receivers; i++) {
        char hex[2 * KEY_ID + 1];

        bytes_hex(f->header.receivers + (size_t)i * BUNDLE_RECEIVER, KEY_ID, hex);
        json_text(j, hex);
    }
    json_end(j, ']');
}

static void put_bundle(json *j, const found *f) {
    char id[UUID_TEXT + 1], key[2 * SIGN_PUBLIC + 1], at[INSTANT_TEXT + 1];
    uint32_t end = f->n;

    while (end && !f->parts[end - 1])
        end--;
    end = f->has_last && f->last < f->n ? f->last + 1 : end;
    uuid_text(&f->bundle, id);
    bytes_hex(f->header.sender.bytes, SIGN_PUBLIC, key);
    instant_text(f->header.at, at);
    json_begin_object(j);
    json_key(j, "schema");
    json_text(j, "antigone-bundle-check/1");
    json_key(j, "bundle");
    json_text(j, id);
    json_key(j, "sender");
    json_text(j, key);
    json_key(j, "at");
    json_text(j, at);
    put_receivers(j, f);
    json_key(j, "ended");
    json_bool(j, f->has_last);
    json_key(j, "parts");
    json_int(j, end);
    put_numbers(j, "missing", f, end, 0);
    put_numbers(j, "damaged", f, end, 1);
    json_end(j, '}');
}

/* As many as fit into the files, with room for those that are lost. */
static int make_room(const parse *p, found *f, atg_err *err) {
    for (uint32_t i = 0; i < p->ask->n; i++)
        f->n += (uint32_t)(p->ask->files[i].size / BUNDLE_AROUND) + 1;
    f->n = f->has_last && f->last < BUNDLE_PARTS && f->last >= f->n ? f->last + 1 : f->n;
    f->parts = ATG_GET(p->arena, unsigned char, f->n);
    return f->parts ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
}

/* ---- from pipes ---- */

static int keep_receivers(found *f, atg_err *err) {
    size_t n = (size_t)f->header.n_receivers * BUNDLE_RECEIVER;
    unsigned char *kept = ATG_GET(f->arena, unsigned char, n);

    if (!kept)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
    memcpy(kept, f->header.receivers, n);
    f->header.receivers = kept;
    return ATG_OK;
}

/* Whatever order files hold their parts in, the first one tells whose signatures are good. */
static int take_next(found *f, const bundle_part *part, atg_err *err) {
    bool had = f->has_header;
    int rc = take_header(f, part, err);

    if (rc == ATG_OK && !f->has_header)
        rc = atg_fail(err, ATG_EPARSE, "The beginning of this bundle is missing: send it first");
    if (rc == ATG_OK && !had) /* the part is gone when this is told */
        rc = keep_receivers(f, err);
    return rc ? rc : take_signature(f, part, err);
}

/* Fill the buffer up; less comes at the end only. */
static int fill(int fd, char *buffer, size_t *n, atg_err *err) {
    while (*n < BUNDLE_PART) {
        ssize_t got = read(fd, buffer + *n, BUNDLE_PART - *n);

        if (got < 0 && errno != EINTR)
            return atg_fail(err, ATG_EIO, "What is sent to the worker breaks off");
        if (got == 0)
            break;
        *n += got > 0 ? (size_t)got : 0;
    }
    return ATG_OK;
}

/* Part after part through one buffer.  As with files, what cannot be read behind the first part
 * counts as missing; all the same it is taken out of the pipe. */
static int walk_pipe(int fd, char *buffer, found *f, atg_err *err) {
    size_t n = 0;
    bool first = true, odd = false;

    for (;;) {
        bundle_part part;
        int rc = fill(fd, buffer, &n, err);

        if (rc || !n)
            return rc;
        rc = odd ? ATG_OK : bundle_part_read((atg_str){buffer, n}, &part, err);
        if (rc && first)
            return rc == ATG_ENOTFOUND ? ATG_EPARSE : rc;
        odd |= rc != ATG_OK;
        if (odd) {
            n = 0;
            continue;
        }
        rc = take_next(f, &part, err);
        if (rc)
            return rc;
        first = false;
        n -= BUNDLE_AROUND + part.payload.n;
        memmove(buffer, buffer + BUNDLE_AROUND + part.payload.n, n);
    }
}

static int walk_pipes(const parse *p, found *f, atg_err *err) {
    char *buffer = ATG_GET(p->arena, char, BUNDLE_PART);
    int rc = buffer ? make_room(p, f, err) : atg_fail(err, ATG_ENOMEM, "Out of memory");

    for (uint32_t i = 0; i < p->ask->n && rc == ATG_OK; i++) {
        atg_err e = {0};

        rc = walk_pipe(p->w->pipes[i], buffer, f, &e);
        if (rc)
            rc = parse_in_file(p, i, rc, &e, err);
    }
    return rc;
}

/* ---- both ---- */

static int walk_files(const parse *p, found *f, atg_err *err) {
    int rc = walk(p, take_header, f, err);

    if (rc == ATG_OK && !f->has_header)
        rc = atg_fail(err, ATG_EPARSE, "This is no bundle, or its beginning is missing");
    if (rc == ATG_OK)
        rc = make_room(p, f, err);
    return rc ? rc : walk(p, take_signature, f, err);
}

int parse_bundle(const parse *p, atg_err *err) {
    found f = {.arena = p->arena};
    parse_out out;
    int rc = p->w->piped ? walk_pipes(p, &f, err) : walk_files(p, &f, err);

    if (rc == ATG_OK)
        rc = parse_begin(p->w, p->ask->out_max, &out, err);
    if (rc)
        return rc;
    put_bundle(&out.j, &f);
    rc = parse_flush(&out, true, err);
    parse_end(&out);
    return rc;
}
