/* SPDX-License-Identifier: Apache-2.0 */
/* Two sites with one operation, and what stands in a bundle between them. */
#ifndef ATG_TESTS_PAIR_OF_SITES_H
#define ATG_TESTS_PAIR_OF_SITES_H

#include "two_sites.h"

#define AGREED "[{\"name\":\"Institute K2\",\"kind\":\"missing_persons_bureau\"}]"
#define ELSEWHERE "[{\"name\":\"Institute K9\",\"kind\":\"laboratory\"}]"
#define GENOTYPES "{\"D3S1358\":[\"15\",\"91.7\"]}"

/* The smallest that is one, with a comment that must not travel. */
static const char picture[] = "\xff\xd8\xff\xc0\0\x0b\x08\0\2\0\3\1\1\x11\0\xff\xda\0\x08\1\1\0\0"
                              "\x3f\0\x12\x34\x56\xff\xd9";

static inline atg_str picture_bytes(void) {
    return (atg_str){picture, sizeof(picture) - 1};
}

typedef struct pair {
    place a, b;
} pair;

/* Two sites that know each other and take part in one operation, which the first has. */
static inline pair pair_new(const database *where) {
    pair p = {.a = place_new(where, 1), .b = place_new(where, 2)};

    place_operation(&p.a);
    p.b.operation = p.a.operation;
    place_meets(&p.a, &p.b, SITE_OWN, &p.a.operation);
    place_meets(&p.b, &p.a, SITE_OWN, NULL);
    return p;
}

static inline void pair_close(pair *p) {
    place_close(&p->a);
    place_close(&p->b);
}

static inline void path_of(const pair *p, const char *name, char ret[300]) {
    snprintf(ret, 300, "%s/%s", p->a.where.directory, name);
}

/* What stands in a bundle, as its receiver can read it. */
typedef struct text {
    char *p;
    size_t n, room;
} text;

static inline int collect(void *user, unsigned kind, atg_str bytes, atg_err *err) {
    text *t = user;

    (void)kind;
    (void)err;
    if (t->n + bytes.n > t->room) {
        t->room = 2 * (t->n + bytes.n);
        t->p = realloc(t->p, t->room);
        assert_non_null(t->p);
    }
    if (bytes.n)
        memcpy(t->p + t->n, bytes.p, bytes.n);
    t->n += bytes.n;
    return ATG_OK;
}

typedef struct box_wanted {
    const place *p;
    box_pair pair;
} box_wanted;

static inline int box_of(db *d, void *user, atg_err *err) {
    box_wanted *w = user;
    key256 seed;
    int rc = keys_site(d, cases_keys(w->p->c), SITE_BOX, &seed, err);

    if (!rc)
        box_pair_of(&seed, &w->pair);
    return rc;
}

static inline text plain_of(const place *receiver, const char *path) {
    box_wanted own = {.p = receiver};
    bundle_files *files = NULL;
    text t = {.n = 0};
    atg_err err = {0};

    made_ok(store_read(cases_store(receiver->c), box_of, &own, &err), &err);
    made_ok(bundle_files_open(&path, 1, &files, &err), &err);
    made_ok(
        bundle_read(&(bundle_source){.fetch = bundle_files_part, .user = files, .own = &own.pair},
                    collect, &t, &err),
        &err);
    bundle_files_close(files);
    return t;
}

static inline bool says(const text *t, const char *words) {
    return memmem(t->p, t->n, words, strlen(words)) != NULL;
}

static inline void same_at_both(const pair *p, const record *r) {
    const record *there = place_look(&p->b, r), *here = place_look(&p->a, r);

    assert_true(atg_str_eq(there->code, here->code));
    assert_int_equal(there->state, here->state);
    assert_true(there->created == here->created);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (record_field(r->kind, f)->kind != FIELD_BLOB &&
            !value_eq(record_field(r->kind, f), &there->fields[f], &here->fields[f]))
            fail_msg("%s of a %s differs", record_field(r->kind, f)->name,
                     record_types[r->kind].name);
}

static inline int into(void *user, atg_str bytes, atg_err *err) {
    text *t = user;

    return collect(t, 0, bytes, err);
}

static inline void same_picture(const pair *p, const record *photograph) {
    blobs b = {cases_store(p->b.c), cases_keys(p->b.c), cases_directory(p->b.c)};
    const record *there = place_look(&p->b, photograph);
    hash256 hash;
    text t = {.n = 0};
    atg_err err = {0};

    assert_true(there->fields[PHOTOGRAPH_IMAGE].known);
    memcpy(hash.bytes, there->fields[PHOTOGRAPH_IMAGE].hash, HASH_SIZE);
    assert_memory_not_equal(hash.bytes, photograph->fields[PHOTOGRAPH_IMAGE].hash, HASH_SIZE);
    made_ok(blobs_get(&b, &photograph->file, &hash, (stream_sink){into, &t}, &err), &err);
    assert_true(t.n == sizeof(picture) - 1);
    assert_memory_equal(t.p, picture, t.n);
    free(t.p);
}

/* Opening it fails so, and gives nothing out. */
static inline void refused(const place *p, const char *path, int code, const char *words) {
    bundle_opened o = {.added = 77};
    atg_err err = {0};
    int rc = place_try(p, path, &o, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(o.added, 77);
}

#endif
