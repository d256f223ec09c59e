/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a bundle. */
#include <stdio.h>
#include <string.h>

#include "app/bundle_internal.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "store/blobs.h"

enum {
    FILES_MAX = 4 << 20, /* files of a bundle */
    WAITING = 2000,      /* versions that are written together */
    ITEM_ROOM = BUNDLE_ITEM + (1 << 20),
    DAY_TEXT = 10,
};

static const db_statement tree_size = {"size of history", "SELECT size FROM tree"};
static const db_statement all_files = {
    "files of operation", "SELECT id FROM file WHERE operation = $1 AND kind = $2 ORDER BY id"};
static const db_statement changed_files = {
    "files changed since", "SELECT f.id FROM file f WHERE f.operation = $1 AND f.kind = $2 AND "
                           "f.id IN (SELECT l.file FROM leaf l WHERE l.n >= $3) ORDER BY f.id"};
static const db_statement file_kind = {"kind of file",
                                       "SELECT kind FROM file WHERE id = $1 AND operation = $2"};
static const db_statement erased_of = {
    "erased of operation", "SELECT person, at FROM erased WHERE operation = $1 ORDER BY person"};
static const db_statement shared_donors = {
    "shared donors", "SELECT d.id, d.withdrawn_on FROM r_donor d JOIN version v ON v.record = d.id "
                     "WHERE d.operation = $1 AND NOT EXISTS (SELECT 1 FROM erased e WHERE "
                     "e.person = d.id) ORDER BY d.id"};

typedef struct making {
    cases *c;
    const actor *who;
    const bundle_wish *wish;
    atg_arena *arena;
    bundle_receiver to;
    sign_pair pair;
    uuid bundle;
    int64_t since, mark;
    bundle_tombstone *tombstones;
    bundle_notice *notices;
    uuid *files;
    uint32_t n_tombstones, n_notices, n_files, room;
    checkpoint last;
    bool has_checkpoint;
    bundle_writing out;
    bundle_writer *w;
    version_row *waiting;
    atg_arena *versions; /* that they lie in */
    uint32_t n_waiting;
    bundle_made made;
} making;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
}

static db_value of_id(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static bool read_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n == UUID_SIZE)
        memcpy(ret->bytes, s.p, UUID_SIZE);
    return s.n == UUID_SIZE;
}

/* ---- what there is ---- */

static int add_file(making *m, const uuid *id, atg_err *err) {
    if (m->n_files == FILES_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d files: make several bundles", FILES_MAX);
    if (m->n_files == m->room) {
        uint32_t room = m->room ? 2 * m->room : 1024;
        uuid *more = ATG_GET(m->arena, uuid, room);

        if (!more)
            return no_memory(err);
        if (m->n_files)
            memcpy(more, m->files, m->n_files * sizeof(*more));
        m->files = more;
        m->room = room;
    }
    m->files[m->n_files++] = *id;
    return ATG_OK;
}

static int list_kind(making *m, db *d, record_kind kind, atg_err *err) {
    bool all = m->since < 0 || kind == RECORD_OPERATION;
    db_value values[] = {of_id(&m->wish->operation), db_text(atg_str_of(record_types[kind].name)),
                         db_int(m->since)};
    db_rows *rows = NULL;
    int rc = db_query(d, all ? &all_files : &changed_files, values, all ? 2 : 3, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        uuid id;

        rc = read_id(rows, 0, &id) ? add_file(m, &id, err)
                                   : atg_fail(err, ATG_EDB, "A row of a file is damaged");
    }
    db_end(rows);
    return rc;
}

/* Named files of a kind, in the order of kinds. */
static int list_named(making *m, db *d, record_kind kind, uint32_t *n_known, atg_err *err) {
    for (uint32_t i = 0; i < m->wish->n_files; i++) {
        const uuid *id = &m->wish->files[i];
        db_rows *rows = NULL;
        int rc = db_query(d, &file_kind, (db_value[]){of_id(id), of_id(&m->wish->operation)}, 2,
                          &rows, err);
        bool is = false;

        if (rc == ATG_OK)
            rc = db_next(rows, err);
        if (rc > 0)
            is = record_kind_of(db_get_text(rows, 0)) == (int)kind;
        db_end(rows);
        if (rc < 0)
            return rc;
        *n_known += is;
        rc = is && kind != RECORD_OPERATION ? add_file(m, id, err) : ATG_OK;
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int list_files(making *m, db *d, atg_err *err) {
    uint32_t n_known = 0;
    int rc = ATG_OK;

    m->n_files = m->room = 0;
    for (uint32_t k = 0; k < bundle_kinds_n && !rc; k++) {
        if (!m->wish->files || bundle_kinds[k] == RECORD_OPERATION)
            rc = list_kind(m, d, bundle_kinds[k], err);
        if (rc == ATG_OK && m->wish->files)
            rc = list_named(m, d, bundle_kinds[k], &n_known, err);
    }
    if (rc == ATG_OK && m->wish->files && n_known != m->wish->n_files)
        rc = atg_fail(err, ATG_ENOTFOUND,
                      "%u of the named files are not in this operation, or of a kind that does "
                      "not leave",
                      m->wish->n_files - n_known);
    return rc;
}

static int list_tombstones(making *m, db *d, atg_err *err) {
    db_value operation = of_id(&m->wish->operation);
    db_rows *rows = NULL;
    uint32_t room = 0;
    int rc = db_query(d, &erased_of, &operation, 1, &rows, err);

    m->n_tombstones = 0;
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        bundle_tombstone t = {.at = db_get_int(rows, 1)};

        if (m->n_tombstones == room) {
            bundle_tombstone *more = ATG_GET(m->arena, bundle_tombstone, room = 2 * room + 64);

            if (!more) {
                rc = no_memory(err);
                break;
            }
            if (m->n_tombstones)
                memcpy(more, m->tombstones, m->n_tombstones * sizeof(*more));
            m->tombstones = more;
        }
        rc =
            read_id(rows, 0, &t.person) ? ATG_OK : atg_fail(err, ATG_EDB, "A tombstone is damaged");
        m->tombstones[m->n_tombstones++] = t;
    }
    db_end(rows);
    return rc;
}

static atg_str day_of(making *m, int64_t at) {
    char text[INSTANT_TEXT + 1];

    instant_text(at, text);
    return atg_arena_str(m->arena, (atg_str){text, DAY_TEXT});
}

static int add_notice(making *m, db_rows *rows, uint32_t *room, atg_err *err) {
    bundle_notice n;

    if (m->n_notices == *room) {
        bundle_notice *more = ATG_GET(m->arena, bundle_notice, *room = 2 * *room + 64);

        if (!more)
            return no_memory(err);
        if (m->n_notices)
            memcpy(more, m->notices, m->n_notices * sizeof(*more));
        m->notices = more;
    }
    n.day =
        db_is_null(rows, 1) ? day_of(m, m->to.now) : atg_arena_str(m->arena, db_get_text(rows, 1));
    if (!n.day.p)
        return no_memory(err);
    if (!read_id(rows, 0, &n.donor))
        return atg_fail(err, ATG_EDB, "A donor's row is damaged");
    m->notices[m->n_notices++] = n;
    return ATG_OK;
}

/* Donors who were sent to somebody once, and whose data this site may not have any more. */
static int list_notices(making *m, db *d, atg_err *err) {
    db_value operation = of_id(&m->wish->operation);
    db_rows *rows = NULL;
    uint32_t room = 0, kept = 0;
    int rc = db_query(d, &shared_donors, &operation, 1, &rows, err);

    m->n_notices = 0;
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0)
        rc = add_notice(m, rows, &room, err);
    db_end(rows);
    for (uint32_t i = 0; i < m->n_notices && !rc; i++) {
        bool may = false;

        rc = bundle_consent(d, &m->to, RECORD_DONOR, &m->notices[i].donor, &may, err);
        if (!may)
            m->notices[kept++] = m->notices[i];
    }
    m->n_notices = kept;
    return rc;
}

static int read_keys(making *m, db *d, atg_err *err) {
    KEY_AUTO key256 seed = {{0}};
    int rc = keys_site(d, cases_keys(m->c), SITE_SIGN, &seed, err);

    if (rc == ATG_OK)
        sign_pair_of(&seed, &m->pair);
    return rc;
}

static int prepare(db *d, void *user, atg_err *err) {
    making *m = user;
    int rc = bundle_receiver_get(d, m->arena, m->who, m->wish, &m->to, err);

    if (rc == ATG_OK)
        rc = read_keys(m, d, err);
    if (rc == ATG_OK)
        rc = db_get_one(d, &tree_size, NULL, 0, 0, &m->mark, err);
    if (rc == ATG_ENOTFOUND)
        rc = ATG_OK;
    m->since = m->wish->since;
    if (rc == ATG_OK && m->since == BUNDLES_SINCE_LAST)
        rc = bundles_mark(d, &m->to.peer.id, &m->wish->operation, &m->since, err);
    if (rc == ATG_OK)
        rc = list_files(m, d, err);
    if (rc == ATG_OK)
        rc = list_tombstones(m, d, err);
    if (rc == ATG_OK)
        rc = list_notices(m, d, err);
    if (rc)
        return rc;
    rc = audit_last_checkpoint(d, &m->last, err);
    m->has_checkpoint = rc == ATG_OK;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

/* ---- writing ---- */

static int put(making *m, bundle_kind kind, const atg_buf *buf, atg_err *err) {
    atg_str bytes;
    int rc = atg_buf_take(buf, &bytes, err);

    return rc ? rc : bundle_put(m->w, kind, bytes, err);
}

static int put_manifest(making *m, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    char text[CHECKPOINT_MAX];
    int rc;

    if (!buf)
        return no_memory(err);
    bundle_write_manifest(buf, &(bundle_manifest){.store = *cases_id(m->c),
                                                  .site = cases_site(m->c),
                                                  .operation = m->wish->operation,
                                                  .at = m->to.now,
                                                  .since = m->since > 0 ? m->since : 0,
                                                  .mark = m->mark});
    rc = put(m, BUNDLE_MANIFEST, buf, err);
    if (rc == ATG_OK && m->has_checkpoint) {
        size_t n = checkpoint_text(&m->last, text);

        rc = bundle_put(m->w, BUNDLE_CHECKPOINT, (atg_str){text, n}, err);
    }
    return rc;
}

static int put_gone(making *m, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < m->n_tombstones && !rc; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);

        if (!buf)
            return no_memory(err);
        bundle_write_tombstone(buf, &m->tombstones[i]);
        rc = put(m, BUNDLE_TOMBSTONE, buf, err);
    }
    for (uint32_t i = 0; i < m->n_notices && !rc; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);

        if (!buf)
            return no_memory(err);
        bundle_write_notice(buf, &m->notices[i]);
        rc = put(m, BUNDLE_NOTICE, buf, err);
    }
    m->made.total.tombstones = m->n_tombstones;
    return rc;
}

/* ---- versions ---- */

/* Somebody may have named the version for another bundle meanwhile: then ours is an earlier one of
 * the same contents. */
static int keep_version(db *d, atg_arena *arena, const version_row *v, atg_err *err) {
    version_row there, both = *v;
    int rc = versions_get(d, arena, &v->record, &there, err);

    if (rc == ATG_ENOTFOUND || (rc == ATG_OK && there.rev < v->rev))
        return versions_put(d, v, err);
    if (rc)
        return rc;
    both.rev = there.rev;
    both.id = there.id;
    rc = versions_join(arena, &v->earlier, &there.earlier,
                       uuid_cmp(&v->id, &there.id) ? &v->id : NULL, &both.earlier, err);
    return rc ? rc : versions_put(d, &both, err);
}

static int keep_versions(db *d, void *user, atg_err *err) {
    const making *m = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    int rc = arena ? ATG_OK : no_memory(err);

    for (uint32_t i = 0; i < m->n_waiting && !rc; i++)
        rc = keep_version(d, arena, &m->waiting[i], err);
    return rc;
}

static int flush_versions(making *m, atg_err *err) {
    int rc = m->n_waiting ? store_write(cases_store(m->c), keep_versions, m, err) : ATG_OK;

    m->n_waiting = 0;
    atg_arena_free(m->versions);
    m->versions = NULL;
    return rc;
}

static int wait_version(making *m, const bundle_record *b, atg_err *err) {
    version_row *v = &m->waiting[m->n_waiting];

    if (!m->versions)
        m->versions = atg_arena_new(BUNDLE_ARENA);
    if (!m->versions)
        return no_memory(err);
    *v = (version_row){.record = b->r->id, .rev = b->r->rev, .id = b->version};
    v->earlier = (version_set){ATG_GET(m->versions, uuid, b->n_earlier + 1), b->n_earlier};
    if (!v->earlier.ids)
        return no_memory(err);
    if (b->n_earlier)
        memcpy(v->earlier.ids, b->earlier, b->n_earlier * sizeof(uuid));
    return ++m->n_waiting == WAITING ? flush_versions(m, err) : ATG_OK;
}

/* ---- a file ---- */

static bool goes(const void *user, const record *r, uint32_t field) {
    (void)user;
    return bundle_exchanged(r->kind, field);
}

static int put_record(making *m, bundle_picked *p, uint32_t i, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ITEM_ROOM);
    bundle_record *b = &p->records[i];
    int rc = p->named[i] ? ATG_OK : uuid_new(&b->version, err);

    if (!buf)
        return no_memory(err);
    if (rc == ATG_OK) {
        bundle_write_record(buf, b, goes, NULL);
        rc = put(m, BUNDLE_RECORD, buf, err);
    }
    m->made.total.records++;
    return rc || p->named[i] ? rc : wait_version(m, b, err);
}

static int to_nowhere(void *user, atg_str bytes, atg_err *err) {
    (void)user;
    (void)bytes;
    (void)err;
    return ATG_OK;
}

static int put_data(void *user, atg_str bytes, atg_err *err) {
    const making *m = user;

    return bundle_put(m->w, BUNDLE_DATA, bytes, err);
}

static int put_picture(making *m, const uuid *person, const unsigned char *hash, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    blobs b = {cases_store(m->c), cases_keys(m->c), cases_directory(m->c)};
    bundle_picture picture = {.person = *person};
    hash256 h;
    int rc;

    if (!buf)
        return no_memory(err);
    memcpy(h.bytes, hash, HASH_SIZE);
    memcpy(picture.hash, hash, HASH_SIZE);
    rc = blobs_size(&b, person, &h, &picture.size, err);
    /* what is begun must be whole: so it is read before */
    if (rc == ATG_OK)
        rc = blobs_get(&b, person, &h, (stream_sink){to_nowhere, NULL}, err);
    if (rc == ATG_ENOTFOUND || rc == ATG_EDB) {
        m->made.lost++;
        return ATG_OK;
    }
    if (rc)
        return rc;
    bundle_write_picture(buf, &picture);
    rc = put(m, BUNDLE_PICTURE, buf, err);
    if (rc == ATG_OK)
        rc = blobs_get(&b, person, &h, (stream_sink){put_data, m}, err);
    m->made.total.pictures++;
    return rc;
}

/* Is the same picture in a record before this one? */
static bool was_put(const bundle_picked *p, uint32_t upto, const uuid *person,
                    const unsigned char *hash) {
    for (uint32_t i = 0; i < upto; i++) {
        const record *r = p->records[i].r;

        for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
            if (record_field(r->kind, f)->kind == FIELD_BLOB && r->fields[f].known &&
                uuid_cmp(&r->person, person) == 0 &&
                memcmp(r->fields[f].hash, hash, RECORD_HASH) == 0)
                return true;
    }
    return false;
}

static int put_pictures(making *m, const bundle_picked *p, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < p->n; i++) {
        const record *r = p->records[i].r;

        for (uint32_t f = 0; f < record_types[r->kind].n_fields && !rc; f++)
            if (record_field(r->kind, f)->kind == FIELD_BLOB && r->fields[f].known &&
                !was_put(p, i, &r->person, r->fields[f].hash))
                rc = put_picture(m, &r->person, r->fields[f].hash, err);
    }
    return rc;
}

static int put_chain(making *m, const bundle_picked *p, atg_err *err) {
    int rc = ATG_OK;

    for (uint64_t i = 0; i < p->n_links && !rc; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(ITEM_ROOM);

        if (!buf)
            return no_memory(err);
        bundle_write_entry(buf, &(bundle_entry){p->links[i].e, p->links[i].prev, p->links[i].hash});
        rc = put(m, BUNDLE_ENTRY, buf, err);
    }
    m->made.total.entries += p->n_links;
    return rc;
}

static int put_file(making *m, const uuid *id, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    bundle_picked p = {.c = m->c, .to = &m->to, .arena = arena, .id = *id};
    int rc = arena && buf ? store_read(cases_store(m->c), bundle_pick, &p, err) : no_memory(err);

    m->made.withheld += p.withheld;
    if (rc || p.n == 0)
        return rc;
    bundle_write_file(buf, &(bundle_file){p.id, p.kind});
    rc = put(m, BUNDLE_FILE, buf, err);
    for (uint32_t i = 0; i < p.n && !rc; i++)
        rc = put_record(m, &p, i, err);
    if (rc == ATG_OK)
        rc = put_pictures(m, &p, err);
    m->made.total.files++;
    return rc ? rc : put_chain(m, &p, err);
}

/* ---- what is known of it here ---- */

static int note_made(db *d, void *user, atg_err *err) {
    const making *m = user;
    bundle_event e = {.action = "bundle-make",
                      .operation = &m->wish->operation,
                      .bundle = &m->bundle,
                      .peer = &m->to.peer.id,
                      .site = m->to.peer.name,
                      .names = {"files", "mark", "pictures", "records", "since"},
                      .numbers = {m->made.total.files, (uint64_t)m->mark, m->made.total.pictures,
                                  m->made.total.records, (uint64_t)(m->since > 0 ? m->since : 0)}};

    return bundle_tell(d, m->who, &e, err);
}

static int remember_made(db *d, void *user, atg_err *err) {
    const making *m = user;

    return bundles_insert(d,
                          &(bundle_row){.id = m->bundle,
                                        .peer = m->to.peer.id,
                                        .operation = m->wish->operation,
                                        /* from named files alone nobody can go on */
                                        .mark = m->wish->files ? 0 : m->mark,
                                        .at = clock_now(),
                                        .account = m->who->account},
                          err);
}

static int put_all(making *m, atg_err *err) {
    const atg_progress *progress = m->wish->progress;
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    int rc = buf ? put_manifest(m, err) : no_memory(err);

    if (rc == ATG_OK)
        rc = put_gone(m, err);
    for (uint32_t i = 0; i < m->n_files && !rc; i++) {
        if (progress && progress->step && !progress->step(progress->user, "bundle", i, m->n_files))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
        rc = put_file(m, &m->files[i], err);
    }
    if (rc == ATG_OK)
        rc = flush_versions(m, err);
    /* it stands in the history before anybody can carry it away */
    if (rc == ATG_OK)
        rc = store_write(cases_store(m->c), note_made, m, err);
    if (rc)
        return rc;
    bundle_write_total(buf, &m->made.total);
    rc = put(m, BUNDLE_TOTAL, buf, err);
    return rc ? rc : bundle_finish(m->w, err);
}

/* ---- the whole ---- */

static int write_bundle(making *m, atg_err *err) {
    bundle_options o = {.bundle = m->bundle,
                        .sender = &m->pair,
                        .receivers = &m->to.peer.box,
                        .n_receivers = 1,
                        .at = m->to.now,
                        .out = bundle_writing_part,
                        .user = &m->out};
    int rc = bundle_writing_new(m->wish->path, m->wish->file_most, &m->out, err);

    if (rc)
        return rc;
    rc = bundle_writer_new(&o, &m->w, err);
    if (rc == ATG_OK)
        rc = put_all(m, err);
    if (rc == ATG_OK)
        rc = store_write(cases_store(m->c), remember_made, m, err);
    if (rc)
        bundle_writing_drop(&m->out);
    return rc;
}

static int make(making *m, atg_err *err) {
    int rc = uuid_new(&m->bundle, err);

    m->waiting = ATG_GET(m->arena, version_row, WAITING);
    if (rc == ATG_OK && !m->waiting)
        rc = no_memory(err);
    /* the mark counts what is in the tree */
    if (rc == ATG_OK)
        rc = store_after(cases_store(m->c), err);
    if (rc == ATG_OK)
        rc = store_read(cases_store(m->c), prepare, m, err);
    return rc ? rc : write_bundle(m, err);
}

int bundles_make(cases *c, const actor *who, const bundle_wish *wish, bundle_made *ret,
                 atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    making m = {.c = c, .who = who, .wish = wish, .arena = arena, .out = {.fd = -1}};
    int rc = arena ? make(&m, err) : no_memory(err);

    bundle_writer_free(m.w);
    atg_arena_free(m.versions);
    sign_pair_wipe(&m.pair);
    if (rc)
        return rc;
    m.made.bundle = m.bundle;
    m.made.mark = m.mark;
    m.made.files = m.out.files;
    m.made.bytes = m.out.bytes;
    *ret = m.made;
    return ATG_OK;
}
