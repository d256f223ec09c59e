/* SPDX-License-Identifier: Apache-2.0 */
/* Merging one record: which of two versions is the later one. */
#include <stdio.h>
#include <string.h>

#include "app/bundle_internal.h"
#include "base/clock.h"

enum { JSON_ROOM = BUNDLE_ITEM + (1 << 20) };

static const db_statement same_pair = {
    "hypothesis on pair", "SELECT id FROM r_hypothesis WHERE file = $1 AND missing = $2 AND "
                          "withdrawn = 0 AND id <> $3 ORDER BY id LIMIT 1"};

typedef struct merging {
    const bundle_origin *from;
    cases_batch *batch;
    db *d;
    atg_arena *arena;
    const bundle_record *theirs;
    record *r;         /* theirs, with what is called otherwise here put in */
    version_set known; /* theirs and all that it came from */
    record *own;       /* NULL: unknown here */
    version_row v;     /* of ours; rev is 0 when it was never exchanged */
    version_set own_known;
    atg_err *why;
} merging;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory merging a bundle");
}

/* ---- persons ---- */

/* Whose data it would hold here. */
static uuid person_of(const record *r) {
    int donor = record_types[r->kind].person == PERSON_DONOR
                    ? record_field_of(r->kind, ATG_STR("donor"))
                    : -1;

    if (record_types[r->kind].person == PERSON_SELF)
        return r->id;
    return donor >= 0 && r->fields[donor].known ? r->fields[donor].ref : r->file;
}

static int is_gone(const merging *m, bool *ret, atg_err *err) {
    uuid person = person_of(m->r);
    int rc = keys_erased(m->d, &person, ret, err);

    return rc || *ret ? rc : keys_erased(m->d, &m->r->file, ret, err);
}

/* ---- hypotheses ---- */

static int own_hypothesis(const merging *m, const uuid *missing, uuid *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(m->d, &same_pair,
                      (db_value[]){db_blob(m->r->file.bytes, UUID_SIZE),
                                   db_blob(missing->bytes, UUID_SIZE),
                                   db_blob(m->r->id.bytes, UUID_SIZE)},
                      3, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc > 0 && db_get_blob(rows, 0).n == UUID_SIZE)
        memcpy(ret->bytes, db_get_blob(rows, 0).p, UUID_SIZE);
    db_end(rows);
    return rc < 0 ? rc : ATG_OK;
}

/* A hypothesis on a pair that has one here is that one; `*ret_ours`: so it is. */
static int same_hypothesis(const merging *m, bool *ret_ours, atg_err *err) {
    const value *missing = &m->r->fields[HYPOTHESIS_MISSING];
    uuid ours = {{0}};
    int rc = alias_get(m->d, &m->r->id, &ours, err);

    *ret_ours = rc == ATG_OK && uuid_cmp(&ours, &m->r->id) != 0;
    if (rc || *ret_ours || !missing->known)
        return rc;
    ours = (uuid){{0}};
    rc = own_hypothesis(m, &missing->ref, &ours, err);
    if (rc || uuid_none(&ours))
        return rc;
    *ret_ours = true;
    return alias_put(m->d, &m->r->id, &ours, err);
}

/* Is there nothing to merge, since the pair has its own hypothesis here?  What else refers to
 * theirs refers to ours. */
static int put_ours(const merging *m, bool *ret_ours, atg_err *err) {
    int f =
        m->r->kind == RECORD_HYPOTHESIS ? -1 : record_field_of(m->r->kind, ATG_STR("hypothesis"));
    uuid ours;
    int rc;

    *ret_ours = false;
    if (m->r->kind == RECORD_HYPOTHESIS)
        return same_hypothesis(m, ret_ours, err);
    if (f < 0 || !m->r->fields[f].known)
        return ATG_OK;
    rc = alias_get(m->d, &m->r->fields[f].ref, &ours, err);
    if (rc)
        return rc;
    *ret_ours = m->r->kind == RECORD_EVIDENCE && uuid_cmp(&ours, &m->r->fields[f].ref) != 0;
    m->r->fields[f].ref = ours;
    return ATG_OK;
}

static bool is_computed(record_kind kind) {
    return kind == RECORD_HYPOTHESIS || kind == RECORD_EVIDENCE;
}

/* ---- contents ---- */

/* Does the bundle say what the field is?  A picture that did not come is no news. */
static bool is_said(const record *r, uint32_t f) {
    return bundle_exchanged(r->kind, f) &&
           (record_field(r->kind, f)->kind != FIELD_BLOB || r->fields[f].known);
}

static bool same_contents(const record *own, const record *theirs) {
    if (own->state != theirs->state || own->withdrawn != theirs->withdrawn)
        return false;
    for (uint32_t f = 0; f < record_types[own->kind].n_fields; f++)
        if (is_said(theirs, f) &&
            !value_eq(record_field(own->kind, f), &own->fields[f], &theirs->fields[f]))
            return false;
    return true;
}

/* ---- writing ---- */

static int put_version(const merging *m, int64_t rev, const uuid *id, atg_err *err) {
    version_row v = {.record = m->r->id, .rev = rev, .id = *id};
    version_set both;
    uint32_t n = 0;
    int rc = versions_join(m->arena, &m->known, &m->own_known, NULL, &both, err);

    if (rc)
        return rc;
    v.earlier.ids = both.ids;
    for (uint32_t i = 0; i < both.n; i++)
        if (uuid_cmp(&both.ids[i], id) != 0)
            both.ids[n++] = both.ids[i];
    v.earlier.n = n;
    rc = versions_put(m->d, &v, err);
    /* what the other site had of it is now among ours */
    return rc ? rc : conflicts_settle(m->d, &m->r->id, &m->known, err);
}

/* A change that breaks a rule here is told, and the others go on. */
static int apply(const merging *m, change_kind what, record *r, bundle_outcome done,
                 bundle_outcome *ret, atg_err *err) {
    change ch = {what, r};
    int rc = cases_apply(m->batch, &ch, m->why);

    if (rc == ATG_EDENIED || rc == ATG_ENOTFOUND || rc == ATG_EINVAL) {
        *ret = BUNDLE_REFUSED;
        return ATG_OK;
    }
    if (rc) {
        if (err)
            *err = *m->why;
        return rc;
    }
    *ret = done;
    return put_version(m, r->rev, &m->theirs->version, err);
}

/* Two sites that make codes with the same prefix. */
static int code_is_free(const merging *m, bool *ret, atg_err *err) {
    file_row other;
    int rc;

    *ret = true;
    if (!record_types[m->r->kind].is_file || !m->r->code.n)
        return ATG_OK;
    rc = files_find(m->d, m->arena, m->r->code, &other, err);
    if (rc == ATG_OK)
        *ret = uuid_cmp(&other.id, &m->r->id) == 0;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int add(const merging *m, bundle_outcome *ret, atg_err *err) {
    bool is_free;
    int rc = code_is_free(m, &is_free, err);

    if (rc)
        return rc;
    if (!is_free) {
        (void)atg_fail(m->why, ATG_ECONFLICT,
                       "The code %.*s is that of another file here: two sites make codes with the "
                       "same prefix",
                       ATG_FMT(m->r->code));
        *ret = BUNDLE_REFUSED;
        return ATG_OK;
    }
    return apply(m, CHANGE_ADD, m->r, BUNDLE_ADDED, ret, err);
}

static int update(const merging *m, bundle_outcome *ret, atg_err *err) {
    record *r = record_copy(m->arena, m->own);

    if (!r)
        return no_memory(err);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (is_said(m->r, f))
            r->fields[f] = m->r->fields[f];
    r->state = m->r->state;
    r->withdrawn = m->r->withdrawn;
    return apply(m, CHANGE_EDIT, r, BUNDLE_UPDATED, ret, err);
}

static bool goes(const void *user, const record *r, uint32_t field) {
    (void)user;
    return is_said(r, field);
}

static int keep_conflict(const merging *m, bundle_outcome *ret, atg_err *err) {
    conflict_row c = {.operation = m->own->operation,
                      .file = m->own->file,
                      .record = m->own->id,
                      .person = m->own->person,
                      .peer = m->from->peer,
                      .bundle = m->from->bundle,
                      .kind = m->own->kind,
                      .at = clock_now(),
                      .version = m->theirs->version,
                      .earlier = {m->theirs->earlier, m->theirs->n_earlier}};
    ATG_AUTO(atg_buf) buf = atg_buf_new(JSON_ROOM);
    uuid there;
    json j;
    int rc = conflicts_version(m->d, &c.record, &c.peer, &there, err);

    /* known already, or an older bundle */
    *ret = BUNDLE_OLDER;
    if (rc == ATG_OK && (uuid_cmp(&there, &c.version) == 0 || !versions_has(&c.earlier, &there)))
        return ATG_OK;
    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "state");
    json_int(&j, m->r->state);
    json_key(&j, "withdrawn");
    json_bool(&j, m->r->withdrawn);
    json_key(&j, "fields");
    record_write_fields(&j, m->r, goes, NULL);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &c.theirs, err);
    if (rc == ATG_OK)
        rc = uuid_new(&c.id, err);
    *ret = BUNDLE_CONFLICT;
    return rc ? rc : conflicts_put(m->d, cases_keys(m->from->c), &c, err);
}

/* ---- deciding ---- */

static int decide(const merging *m, bundle_outcome *ret, atg_err *err) {
    const uuid *id = &m->theirs->version;
    bool named = m->v.rev == m->own->rev;

    if (same_contents(m->own, m->r)) {
        *ret = BUNDLE_SAME;
        /* the same of two names at both sites */
        return put_version(m, m->own->rev, named && uuid_cmp(&m->v.id, id) > 0 ? &m->v.id : id,
                           err);
    }
    *ret = BUNDLE_OLDER;
    if (versions_has(&m->own_known, id))
        return ATG_OK;
    if (named && versions_has(&m->known, &m->v.id))
        return update(m, ret, err);
    return is_computed(m->r->kind) ? ATG_OK : keep_conflict(m, ret, err);
}

static int load_own(merging *m, bool *ret_erased, atg_err *err) {
    record_row row;
    int rc = records_get(m->d, cases_keys(m->from->c), m->arena, m->r->kind, &m->r->id, &row, err);

    *ret_erased = false;
    if (rc == ATG_ENOTFOUND)
        return ATG_OK;
    if (rc)
        return rc;
    *ret_erased = row.erased;
    m->own = row.r;
    rc = versions_get(m->d, m->arena, &m->r->id, &m->v, err);
    if (rc == ATG_ENOTFOUND)
        return ATG_OK;
    return rc ? rc
              : versions_join(m->arena, &m->v.earlier, &(version_set){NULL, 0}, &m->v.id,
                              &m->own_known, err);
}

int bundle_merge(const bundle_origin *from, const bundle_at *at, const bundle_record *theirs,
                 bundle_outcome *ret, atg_err *why, atg_err *err) {
    merging m = {.from = from,
                 .batch = at->batch,
                 .d = at->d,
                 .arena = at->arena,
                 .theirs = theirs,
                 .r = record_copy(at->arena, theirs->r),
                 .why = why};
    version_set earlier = {theirs->earlier, theirs->n_earlier};
    bool gone = false, ours = false;
    int rc;

    if (!m.r)
        return no_memory(err);
    rc = versions_join(m.arena, &earlier, &(version_set){NULL, 0}, &theirs->version, &m.known, err);
    if (rc == ATG_OK)
        rc = is_gone(&m, &gone, err);
    if (rc == ATG_OK && !gone)
        rc = put_ours(&m, &ours, err);
    if (rc == ATG_OK && !gone && !ours)
        rc = load_own(&m, &gone, err);
    if (rc)
        return rc;
    *ret = gone ? BUNDLE_GONE : BUNDLE_SAME;
    if (gone || ours)
        return ATG_OK;
    return m.own ? decide(&m, ret, err) : add(&m, ret, err);
}
