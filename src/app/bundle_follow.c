/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/bundle_read.h"
#include "base/mem.h"

enum { FIRST = 32 };

struct bundle_follow {
    bundle_steps steps;
    void *user;
    bundle_kind last; /* kind of the last item; 0: none yet */
    bool ended;
    uuid operation;
    bundle_total total;
    atg_arena *arena; /* of the file */
    bundle_came came;
    uint64_t left; /* bytes of the picture that did not come yet */
};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
}

static int wrong(atg_err *err, const char *what) {
    return atg_fail(err, ATG_EPARSE, "This bundle does not hold together: %s", what);
}

int bundle_follow_new(const bundle_steps *steps, void *user, bundle_follow **ret, atg_err *err) {
    bundle_follow *f = mem_zero(1, sizeof(*f));

    if (f)
        f->arena = atg_arena_new(BUNDLE_ARENA);
    if (!f || !f->arena) {
        bundle_follow_free(f);
        return no_memory(err);
    }
    f->steps = *steps;
    f->user = user;
    *ret = f;
    return ATG_OK;
}

void bundle_follow_free(bundle_follow *f) {
    if (!f)
        return;
    atg_arena_free(f->arena);
    mem_free(f);
}

atg_arena *bundle_follow_arena(const bundle_follow *f) {
    return f->arena;
}

/* ---- a file ---- */

/* The revision that its chain tells of a record, 0: none. */
static uint64_t revision_in_chain(const bundle_came *c, const uuid *id) {
    uint64_t rev = 0;

    for (uint64_t i = 0; i < c->n_entries; i++)
        if (c->entries[i].e.rev > rev && uuid_cmp(&c->entries[i].e.record, id) == 0)
            rev = c->entries[i].e.rev;
    return rev;
}

static int records_done(bundle_follow *f, atg_err *err) {
    if (f->last != BUNDLE_RECORD)
        return ATG_OK;
    return f->steps.records ? f->steps.records(f->user, &f->came, err) : ATG_OK;
}

static int end_file(bundle_follow *f, atg_err *err) {
    int rc = ATG_OK;

    if (f->last != BUNDLE_ENTRY)
        return f->last < BUNDLE_FILE ? ATG_OK : wrong(err, "a file without its history");
    for (uint32_t i = 0; i < f->came.n; i++)
        if (revision_in_chain(&f->came, &f->came.records[i].r->id) !=
            (uint64_t)f->came.records[i].r->rev)
            return atg_fail(err, ATG_EDENIED, "A %s of this bundle is not what its history tells",
                            record_types[f->came.records[i].r->kind].title);
    if (f->steps.file)
        rc = f->steps.file(f->user, &f->came, err);
    f->came = (bundle_came){.n = 0};
    atg_arena_free(f->arena);
    f->arena = atg_arena_new(BUNDLE_ARENA);
    return rc ? rc : f->arena ? ATG_OK : no_memory(err);
}

static int take_file(bundle_follow *f, atg_str bytes, atg_err *err) {
    int rc = end_file(f, err);

    if (rc == ATG_OK)
        rc = bundle_read_file(bytes, &f->came.f, err);
    if (rc)
        return rc;
    f->came.head = chain_start(&f->came.f.id);
    f->total.files++;
    return ATG_OK;
}

static bool record_fits(const bundle_follow *f, const record *r) {
    const bundle_came *c = &f->came;

    if (uuid_cmp(&r->operation, &f->operation) != 0 || uuid_cmp(&r->file, &c->f.id) != 0)
        return false;
    if (c->n == 0)
        return r->kind == c->f.kind;
    return record_types[r->kind].in >> c->f.kind & 1;
}

static int take_record(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_came *c = &f->came;
    bundle_record b;
    int rc = bundle_read_record(f->arena, bytes, &b, err);

    if (rc)
        return rc;
    if (!record_fits(f, b.r))
        return wrong(err, "a record that stands in another file");
    if (c->n == BUNDLE_RECORDS_MAX)
        return atg_fail(err, ATG_ELIMIT, "A file of this bundle has more than %d records",
                        BUNDLE_RECORDS_MAX);
    if (c->n == c->room) {
        uint32_t room = c->room ? 2 * c->room : FIRST;
        bundle_record *more = ATG_GET(f->arena, bundle_record, room);

        if (!more)
            return no_memory(err);
        if (c->n)
            memcpy(more, c->records, c->n * sizeof(*more));
        c->records = more;
        c->room = room;
    }
    c->records[c->n++] = b;
    f->total.records++;
    return ATG_OK;
}

static int take_entry(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_came *c = &f->came;
    bundle_entry e;
    int rc = records_done(f, err);

    if (rc == ATG_OK)
        rc = bundle_read_entry(f->arena, bytes, &e, err);
    if (rc)
        return rc;
    e.e.file = c->f.id;
    if (chain_follow(&c->head, &e.e, &e.prev, &e.hash, err))
        return atg_fail(err, ATG_EDENIED,
                        "The history of a file of this bundle is broken at entry %llu",
                        (unsigned long long)e.e.seq);
    if (c->n_entries == c->entries_room) {
        uint64_t room = c->entries_room ? 2 * c->entries_room : FIRST;
        bundle_entry *more = ATG_GET(f->arena, bundle_entry, room);

        if (!more)
            return no_memory(err);
        if (c->n_entries)
            memcpy(more, c->entries, c->n_entries * sizeof(*more));
        c->entries = more;
        c->entries_room = room;
    }
    c->entries[c->n_entries++] = e;
    f->total.entries++;
    return ATG_OK;
}

/* ---- pictures ---- */

static bool is_asked_for(const bundle_came *c, const unsigned char *hash) {
    for (uint32_t i = 0; i < c->n; i++) {
        const record *r = c->records[i].r;

        for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
            if (record_field(r->kind, f)->kind == FIELD_BLOB && r->fields[f].known &&
                memcmp(r->fields[f].hash, hash, RECORD_HASH) == 0)
                return true;
    }
    return false;
}

static int take_picture(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_picture p;
    int rc = records_done(f, err);

    if (rc == ATG_OK)
        rc = bundle_read_picture(bytes, &p, err);
    if (rc)
        return rc;
    if (!is_asked_for(&f->came, p.hash))
        return wrong(err, "a picture that no record of the file names");
    f->left = p.size;
    f->total.pictures++;
    return f->steps.picture ? f->steps.picture(f->user, &p, err) : ATG_OK;
}

static int take_data(bundle_follow *f, atg_str bytes, atg_err *err) {
    if (bytes.n > f->left)
        return wrong(err, "a picture that is longer than it says");
    f->left -= bytes.n;
    return f->steps.data ? f->steps.data(f->user, bytes, err) : ATG_OK;
}

/* ---- the others ---- */

static int take_manifest(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_manifest m;
    int rc = bundle_read_manifest(f->arena, bytes, &m, err);

    if (rc)
        return rc;
    f->operation = m.operation;
    return f->steps.manifest ? f->steps.manifest(f->user, &m, err) : ATG_OK;
}

static int take_checkpoint(bundle_follow *f, atg_str bytes, atg_err *err) {
    checkpoint c;
    int rc = checkpoint_read(bytes, &c, err);

    return rc || !f->steps.checkpoint ? rc : f->steps.checkpoint(f->user, &c, err);
}

static int take_tombstone(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_tombstone t;
    int rc = bundle_read_tombstone(bytes, &t, err);

    f->total.tombstones++;
    return rc || !f->steps.tombstone ? rc : f->steps.tombstone(f->user, &t, err);
}

static int take_notice(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_notice n;
    int rc = bundle_read_notice(f->arena, bytes, &n, err);

    return rc || !f->steps.notice ? rc : f->steps.notice(f->user, &n, err);
}

static int take_total(bundle_follow *f, atg_str bytes, atg_err *err) {
    bundle_total t;
    int rc = end_file(f, err);

    if (rc == ATG_OK)
        rc = bundle_read_total(bytes, &t, err);
    if (rc)
        return rc;
    if (t.files != f->total.files || t.records != f->total.records ||
        t.pictures != f->total.pictures || t.entries != f->total.entries ||
        t.tombstones != f->total.tombstones)
        return wrong(err, "its total is another one");
    return ATG_OK;
}

/* ---- the order ---- */

#define AFTER(kind) (1U << BUNDLE_##kind)

/* What may stand right before an item of each kind; bit 0: nothing. */
static const struct {
    uint32_t after;
    int (*take)(bundle_follow *f, atg_str bytes, atg_err *err);
} orders[] = {
    [BUNDLE_MANIFEST] = {1, take_manifest},
    [BUNDLE_CHECKPOINT] = {AFTER(MANIFEST), take_checkpoint},
    [BUNDLE_TOMBSTONE] = {AFTER(MANIFEST) | AFTER(CHECKPOINT) | AFTER(TOMBSTONE), take_tombstone},
    [BUNDLE_NOTICE] = {AFTER(MANIFEST) | AFTER(CHECKPOINT) | AFTER(TOMBSTONE) | AFTER(NOTICE),
                       take_notice},
    [BUNDLE_FILE] = {AFTER(MANIFEST) | AFTER(CHECKPOINT) | AFTER(TOMBSTONE) | AFTER(NOTICE) |
                         AFTER(ENTRY),
                     take_file},
    [BUNDLE_RECORD] = {AFTER(FILE) | AFTER(RECORD), take_record},
    [BUNDLE_PICTURE] = {AFTER(RECORD) | AFTER(DATA), take_picture},
    [BUNDLE_DATA] = {AFTER(PICTURE) | AFTER(DATA), take_data},
    [BUNDLE_ENTRY] = {AFTER(RECORD) | AFTER(DATA) | AFTER(ENTRY), take_entry},
    [BUNDLE_TOTAL] = {AFTER(MANIFEST) | AFTER(CHECKPOINT) | AFTER(TOMBSTONE) | AFTER(NOTICE) |
                          AFTER(ENTRY),
                      take_total},
};

int bundle_follow_take(void *user, unsigned kind, atg_str bytes, atg_err *err) {
    bundle_follow *f = user;
    int rc;

    if (kind == BUNDLE_END)
        return f->last == BUNDLE_TOTAL ? ATG_OK : wrong(err, "its total is missing");
    if (kind > BUNDLE_TOTAL)
        return wrong(err, "an item of an unknown kind");
    if (!(orders[kind].after >> f->last & 1))
        return wrong(err, "an item where none of its kind may stand");
    if (f->left && kind != BUNDLE_DATA)
        return wrong(err, "a picture that is shorter than it says");
    rc = orders[kind].take(f, bytes, err);
    f->last = (bundle_kind)kind;
    return rc;
}
