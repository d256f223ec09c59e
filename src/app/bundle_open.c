/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a bundle: all of it is verified, then file by file is merged. */
#include <stdio.h>
#include <string.h>

#include "app/bundle_read.h"
#include "app/rights.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "formats/picture.h"
#include "store/blobs.h"

enum { PICTURES_FIRST = 16, TOLD_MAX = 500 };

static const db_statement find_operation = {"operation of bundle",
                                            "SELECT CAST(1 AS BIGINT) FROM file WHERE id = $1"};

/* A picture that came, and what it is called here. */
typedef struct came_picture {
    unsigned char theirs[RECORD_HASH], ours[RECORD_HASH];
} came_picture;

typedef struct opening {
    cases *c;
    actor who; /* carries */
    const actor *asked;
    const bundle_order *order;
    atg_arena *arena; /* the caller's */
    bundle_files *files;
    bundle_state state;
    box_pair own;
    peer_row peer;
    uuid operation;
    bool known_operation;
    bundle_follow *follow;
    checkpoint last;
    bool has_checkpoint, erased_any;
    bundle_manifest manifest;
    /* of the file that is merged */
    bool merged; /* its records without pictures */
    bundle_picture picture;
    char *bytes; /* of the picture */
    size_t n_bytes;
    came_picture *pictures;
    uint32_t n_pictures, pictures_room;
    uint64_t done_parts;
    bundle_opened result;
} opening;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory opening a bundle");
}

/* ---- who sends, who opens ---- */

static int read_keys(db *d, void *user, atg_err *err) {
    opening *o = user;
    KEY_AUTO key256 seed = {{0}};
    int rc = keys_site(d, cases_keys(o->c), SITE_BOX, &seed, err);

    if (rc == ATG_OK)
        box_pair_of(&seed, &o->own);
    if (rc == ATG_OK)
        rc = peers_of_key(d, o->arena, &o->state.header.sender, &o->peer, err);
    if (rc == ATG_ENOTFOUND) {
        key_id id = sign_key_id(&o->state.header.sender);
        char hex[2 * KEY_ID + 1];

        bytes_hex(id.bytes, KEY_ID, hex);
        return atg_fail(err, ATG_EDENIED,
                        "The sender of this bundle (key %s) is not known here: add the site with "
                        "its card, or do not open it",
                        hex);
    }
    return rc ? rc : bundles_has(d, &o->state.bundle, &o->peer.id, &o->result.before, err);
}

static int may_take_changed(db *d, const actor *who, atg_err *err) {
    static const uuid everywhere;
    uint32_t roles = 0;
    int rc = cases_roles(d, who, &everywhere, &roles, err);

    if (rc)
        return rc;
    rc = rights_action(roles, ACTION_KEYS, -1, -1, err);
    if (rc == ATG_EDENIED && !rights_wants_code(err))
        rc = atg_fail(err, rc,
                      "To go on with a site whose history changed is the administrator's decision "
                      "too");
    return rc;
}

static int read_operation(db *d, void *user, atg_err *err) {
    opening *o = user;
    db_value id = db_blob(o->operation.bytes, UUID_SIZE);
    bool joined = false;
    int64_t one;
    int rc = bundle_right(d, o->asked, &o->operation, err);

    if (rc)
        return rc;
    rc = db_get_one(d, &find_operation, &id, 1, 0, &one, err);
    o->known_operation = rc == ATG_OK;
    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    rc = peers_joined(d, &o->peer.id, &o->operation, &joined, err);
    if (rc == ATG_OK && o->known_operation && !joined)
        rc = atg_fail(err, ATG_EDENIED,
                      "%.*s takes no part in this operation: the board says so first, or the "
                      "bundle is not opened",
                      ATG_FMT(o->peer.name));
    if (rc == ATG_OK && o->order->changed_history)
        rc = may_take_changed(d, o->asked, err);
    return rc;
}

static int take_manifest(void *user, const bundle_manifest *m, atg_err *err) {
    opening *o = user;
    int rc;

    if (uuid_cmp(&m->store, &o->peer.id) != 0)
        return atg_fail(err, ATG_EDENIED, "This bundle is of another store than its signer's");
    o->manifest = *m;
    o->operation = o->result.operation = m->operation;
    rc = store_read(cases_store(o->c), read_operation, o, err);
    return rc;
}

/* ---- verifying ---- */

static int changed_history(const opening *o, atg_err *err) {
    return atg_fail(err, ATG_EDENIED,
                    "The history of %.*s is not the continuation of what it sent before. It may "
                    "have lost some of it (ask its people), or somebody falsified it",
                    ATG_FMT(o->peer.name));
}

static int check_checkpoint(void *user, const checkpoint *c, atg_err *err) {
    opening *o = user;
    checkpoint before;
    int rc = checkpoint_check(c, &o->state.header.sender, err);

    if (rc)
        return rc;
    o->last = *c;
    o->has_checkpoint = true;
    if (o->peer.checkpoint.n == 0 || o->order->changed_history)
        return ATG_OK;
    rc = checkpoint_read(o->peer.checkpoint, &before, err);
    if (rc)
        return rc;
    o->has_checkpoint = c->size >= before.size;
    return c->size == before.size && !hash_eq(&c->root, &before.root) ? changed_history(o, err)
                                                                      : ATG_OK;
}

typedef struct continuing {
    opening *o;
    const bundle_came *came;
} continuing;

/* Is the chain that came the continuation of what came before, or a beginning of it? */
static int read_continuation(db *d, void *user, atg_err *err) {
    const continuing *w = user;
    uint64_t last = 0, upto;
    hash256 hash;
    int rc = foreign_last(d, &w->o->peer.id, &w->came->f.id, &last, err);

    upto = last < w->came->n_entries ? last : w->came->n_entries;
    if (rc || upto == 0)
        return rc;
    rc = foreign_hash(d, &w->o->peer.id, &w->came->f.id, upto, &hash, err);
    if (rc == ATG_OK && !hash_eq(&hash, &w->came->entries[upto - 1].hash))
        rc = changed_history(w->o, err);
    return rc;
}

static int check_file(void *user, const bundle_came *came, atg_err *err) {
    continuing w = {user, came};

    return w.o->order->changed_history
               ? ATG_OK
               : store_read(cases_store(w.o->c), read_continuation, &w, err);
}

static const bundle_steps verify_steps = {
    .manifest = take_manifest, .checkpoint = check_checkpoint, .file = check_file};

/* ---- merging: records ---- */

typedef struct merging {
    opening *o;
    const bundle_came *came;
    bool with_pictures; /* records that name a picture, and the chain */
    bool all;           /* the file has no pictures: everything at once */
    bundle_opened result;
} merging;

static bool names_picture(const record *r) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (record_field(r->kind, f)->kind == FIELD_BLOB && r->fields[f].known)
            return true;
    return false;
}

/* Hashes of this store in the place of the sender's; none where the picture did not come. */
static void put_pictures(const opening *o, record *r) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        value *v = &r->fields[f];
        uint32_t i = 0;

        if (record_field(r->kind, f)->kind != FIELD_BLOB || !v->known)
            continue;
        while (i < o->n_pictures && memcmp(o->pictures[i].theirs, v->hash, RECORD_HASH) != 0)
            i++;
        if (i < o->n_pictures)
            memcpy(v->hash, o->pictures[i].ours, RECORD_HASH);
        else
            v->known = false;
    }
}

static void tell_refused(const opening *o, bundle_opened *result, const bundle_came *came,
                         const record *r, const atg_err *why) {
    atg_str code = came->records[0].r->code;
    char text[TOLD_MAX];

    if (result->refused >= BUNDLES_TOLD)
        return;
    (void)snprintf(text, sizeof(text), "%.*s, %s: %s", ATG_FMT(code), record_types[r->kind].title,
                   why->msg);
    result->told[result->refused] = atg_arena_str(o->arena, atg_str_of(text));
}

static void count(const merging *m, bundle_outcome what, const record *r, const atg_err *why,
                  bundle_opened *result) {
    switch (what) {
    case BUNDLE_ADDED:
        result->added++;
        break;
    case BUNDLE_UPDATED:
        result->updated++;
        break;
    case BUNDLE_CONFLICT:
        result->conflicts++;
        break;
    case BUNDLE_GONE:
        result->gone++;
        break;
    case BUNDLE_REFUSED:
        tell_refused(m->o, result, m->came, r, why);
        result->refused++;
        break;
    case BUNDLE_SAME:
    case BUNDLE_OLDER:
    case BUNDLE_OUTCOMES:
        result->same++;
        break;
    }
}

static int merge_one(merging *m, const bundle_at *at, const bundle_record *b, atg_err *err) {
    bundle_origin from = {.c = m->o->c, .peer = m->o->peer.id, .bundle = m->o->state.bundle};
    bundle_record copy = *b;
    bundle_outcome what = BUNDLE_SAME;
    atg_err why = {0};
    int rc;

    copy.r = record_copy(at->arena, b->r);
    if (!copy.r)
        return no_memory(err);
    put_pictures(m->o, copy.r);
    rc = bundle_merge(&from, at, &copy, &what, &why, err);
    if (rc == ATG_OK)
        count(m, what, b->r, &why, &m->result);
    return rc;
}

static int keep_chain(const merging *m, db *d, atg_err *err) {
    const uuid *from = &m->o->peer.id, *file = &m->came->f.id;
    uint64_t last = 0;
    int rc = m->o->order->changed_history ? foreign_cut(d, from, file, 1, err)
                                          : foreign_last(d, from, file, &last, err);

    for (uint64_t i = last; i < m->came->n_entries && !rc; i++) {
        const bundle_entry *e = &m->came->entries[i];

        rc = foreign_put(d, from, &(chain_link){e->e, e->prev, e->hash}, err);
    }
    return rc;
}

/* The operation is new here: so who sent it takes part in it. */
static int join_operation(const merging *m, db *d, atg_err *err) {
    return m->came->f.kind == RECORD_OPERATION && !m->o->known_operation
               ? peers_join(d, &m->o->peer.id, &m->o->operation, true, err)
               : ATG_OK;
}

static int merge_records(db *d, void *user, atg_err *err) {
    merging *m = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    bundle_at at = {.d = d, .arena = arena};
    int rc =
        arena ? cases_batch_new(m->o->c, d, &m->o->who, arena, &at.batch, err) : no_memory(err);

    m->result = (bundle_opened){.added = 0};
    for (uint32_t i = 0; i < m->came->n && !rc; i++)
        if (m->all || names_picture(m->came->records[i].r) == m->with_pictures)
            rc = merge_one(m, &at, &m->came->records[i], err);
    if (rc == ATG_OK)
        rc = cases_batch_end(at.batch, err);
    if (rc == ATG_OK)
        rc = join_operation(m, d, err);
    return rc || !(m->all || m->with_pictures) ? rc : keep_chain(m, d, err);
}

static void add_up(bundle_opened *to, const bundle_opened *from) {
    for (uint64_t i = 0; i < from->refused && i < BUNDLES_TOLD && to->refused + i < BUNDLES_TOLD;
         i++)
        to->told[to->refused + i] = from->told[i];
    to->added += from->added;
    to->updated += from->updated;
    to->same += from->same;
    to->conflicts += from->conflicts;
    to->gone += from->gone;
    to->refused += from->refused;
}

static int merge_with(opening *o, const bundle_came *came, bool with_pictures, bool all,
                      atg_err *err) {
    merging m = {.o = o, .came = came, .with_pictures = with_pictures, .all = all};
    int rc = store_write(cases_store(o->c), merge_records, &m, err);

    if (rc == ATG_OK)
        add_up(&o->result, &m.result);
    return rc;
}

/* ---- merging: pictures ---- */

/* The first picture of a file: its persons must be there before it can be sealed for one. */
static int begin_picture(void *user, const bundle_picture *p, atg_err *err) {
    opening *o = user;
    int rc = o->merged ? ATG_OK : ATG_EINVAL;

    if (rc)
        return atg_fail(err, rc, "A picture before its file");
    o->picture = *p;
    o->n_bytes = 0;
    o->bytes = mem_alloc(p->size);
    return o->bytes ? ATG_OK : no_memory(err);
}

static int records_came(void *user, const bundle_came *came, atg_err *err) {
    opening *o = user;
    bool any = false;
    int rc;

    for (uint32_t i = 0; i < came->n; i++)
        any |= names_picture(came->records[i].r);
    if (!any)
        return ATG_OK; /* with the chain, at once */
    rc = merge_with(o, came, false, false, err);
    o->merged = rc == ATG_OK;
    return rc;
}

static int remember_picture(opening *o, const hash256 *hash, atg_err *err) {
    if (o->n_pictures == o->pictures_room) {
        uint32_t room = o->pictures_room ? 2 * o->pictures_room : PICTURES_FIRST;
        came_picture *more = mem_grow(o->pictures, room * sizeof(*more));

        if (!more)
            return no_memory(err);
        o->pictures = more;
        o->pictures_room = room;
    }
    memcpy(o->pictures[o->n_pictures].theirs, o->picture.hash, RECORD_HASH);
    memcpy(o->pictures[o->n_pictures++].ours, hash->bytes, RECORD_HASH);
    o->result.pictures++;
    return ATG_OK;
}

static void drop_bytes(opening *o) {
    if (o->bytes)
        bytes_wipe(o->bytes, o->n_bytes);
    mem_free(o->bytes);
    o->bytes = NULL;
}

/* Stripped again, whatever the sender did: what is no picture of a format that has metadata (ridge
 * minutiae) is kept as it is. */
static int keep_picture(opening *o, atg_err *err) {
    blobs b = {cases_store(o->c), cases_keys(o->c), cases_directory(o->c)};
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)o->picture.size + (1 << 20));
    atg_str bytes = {o->bytes, o->n_bytes};
    picture stripped;
    hash256 hash;
    int rc = arena ? picture_strip(arena, bytes, &stripped, err) : ATG_ENOMEM;

    if (rc == ATG_ENOMEM)
        return no_memory(err);
    if (rc == ATG_OK)
        bytes = stripped.bytes;
    else if (picture_is(bytes))
        return ATG_OK; /* damaged, or of a kind that is not kept: its record comes without it */
    rc = blobs_put(&b, &o->operation, &o->picture.person, bytes, &hash, err);
    if (rc == ATG_ENOTFOUND)
        return ATG_OK; /* of somebody who was erased, or whose file was refused */
    return rc ? rc : remember_picture(o, &hash, err);
}

static int take_data(void *user, atg_str bytes, atg_err *err) {
    opening *o = user;
    int rc;

    memcpy(o->bytes + o->n_bytes, bytes.p, bytes.n);
    o->n_bytes += bytes.n;
    if (o->n_bytes < o->picture.size)
        return ATG_OK;
    rc = keep_picture(o, err);
    drop_bytes(o);
    return rc;
}

static int merge_file(void *user, const bundle_came *came, atg_err *err) {
    opening *o = user;
    int rc = merge_with(o, came, true, !o->merged, err);

    o->merged = false;
    o->n_pictures = 0;
    return rc;
}

/* ---- merging: who is gone ---- */

typedef struct erasing {
    opening *o;
    uuid person;
    int64_t at;
    bool erased;
} erasing;

static int read_erased(db *d, void *user, atg_err *err) {
    erasing *e = user;

    return keys_erased(d, &e->person, &e->erased, err);
}

/* Nobody knows them here: the tombstone keeps them from coming with another bundle. */
static int erase_unknown(db *d, void *user, atg_err *err) {
    erasing *e = user;

    return keys_erase(d, cases_keys(e->o->c), &e->o->operation, &e->person, &e->o->asked->account,
                      e->at, err);
}

static int take_tombstone(void *user, const bundle_tombstone *t, atg_err *err) {
    erasing e = {.o = user, .person = t->person, .at = t->at};
    int rc = store_read(cases_store(e.o->c), read_erased, &e, err);

    if (rc || e.erased)
        return rc;
    rc = cases_erase(e.o->c, e.o->asked, &t->person, err);
    if (rc == ATG_OK)
        e.o->result.erased++;
    if (rc != ATG_ENOTFOUND)
        return rc;
    e.o->erased_any = true;
    return store_write(cases_store(e.o->c), erase_unknown, &e, err);
}

typedef struct noticing {
    opening *o;
    const bundle_notice *n;
} noticing;

static int withdraw_donor(db *d, void *user, atg_err *err) {
    const noticing *w = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    record_row row;
    cases_batch *batch;
    change ch = {.what = CHANGE_EDIT};
    int rc = arena
                 ? records_get(d, cases_keys(w->o->c), arena, RECORD_DONOR, &w->n->donor, &row, err)
                 : no_memory(err);

    if (rc)
        return rc == ATG_ENOTFOUND ? ATG_OK : rc;
    if (row.erased || row.r->fields[DONOR_WITHDRAWN_ON].known)
        return ATG_OK;
    ch.r = record_copy(arena, row.r);
    if (!ch.r)
        return no_memory(err);
    ch.r->fields[DONOR_WITHDRAWN_ON] = (value){.known = true, .text = w->n->day};
    rc = cases_batch_new(w->o->c, d, &w->o->who, arena, &batch, err);
    if (rc == ATG_OK)
        rc = cases_apply(batch, &ch, err);
    return rc ? rc : cases_batch_end(batch, err);
}

static int take_notice(void *user, const bundle_notice *n, atg_err *err) {
    noticing w = {user, n};

    return store_write(cases_store(w.o->c), withdraw_donor, &w, err);
}

static const bundle_steps merge_steps = {.manifest = NULL,
                                         .tombstone = take_tombstone,
                                         .notice = take_notice,
                                         .records = records_came,
                                         .picture = begin_picture,
                                         .data = take_data,
                                         .file = merge_file};

/* ---- the whole ---- */

static int fetch(void *user, uint32_t number, atg_str *ret, atg_err *err) {
    opening *o = user;
    const atg_progress *p = o->order->progress;

    if (p && p->step && !p->step(p->user, "bundle", o->done_parts++, 2 * (uint64_t)o->state.parts))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    return bundle_files_part(o->files, number, ret, err);
}

static int go_through(opening *o, const bundle_steps *steps, atg_err *err) {
    bundle_source from = {
        .fetch = fetch, .user = o, .own = &o->own, .sender = &o->state.header.sender};
    int rc = bundle_follow_new(steps, o, &o->follow, err);

    if (rc == ATG_OK)
        rc = bundle_read(&from, bundle_follow_take, o->follow, err);
    bundle_follow_free(o->follow);
    o->follow = NULL;
    return rc;
}

static int note_opened(db *d, void *user, atg_err *err) {
    const opening *o = user;
    char text[CHECKPOINT_MAX];
    bundle_event e = {.action = "bundle-open",
                      .operation = &o->operation,
                      .bundle = &o->state.bundle,
                      .peer = &o->peer.id,
                      .site = o->peer.name,
                      .names = {"added", "conflicts", "erased", "refused", "updated"},
                      .numbers = {o->result.added, o->result.conflicts, o->result.erased,
                                  o->result.refused, o->result.updated}};
    bundle_row row = {.id = o->state.bundle,
                      .peer = o->peer.id,
                      .operation = o->operation,
                      .opened = true,
                      .mark = o->manifest.mark,
                      .at = clock_now(),
                      .account = o->asked->account};
    int rc = bundles_insert(d, &row, err);

    if (rc == ATG_OK && o->has_checkpoint) {
        size_t n = checkpoint_text(&o->last, text);

        rc = peers_set_checkpoint(d, &o->peer.id, (atg_str){text, n}, err);
    }
    return rc ? rc : bundle_tell(d, o->asked, &e, err);
}

static int check_parts(opening *o, atg_err *err) {
    int rc = bundle_files_check(o->files, o->order->progress, &o->state, err);

    if (rc)
        return rc;
    if (o->state.n_missing)
        return atg_fail(err, o->state.damaged ? ATG_EDENIED : ATG_ENOTFOUND,
                        "Part %u of this bundle is missing or was changed: copy it again, from "
                        "byte %llu of a file that holds all parts",
                        o->state.missing[0], (unsigned long long)o->state.first_missing_at);
    return ATG_OK;
}

static int open_it(opening *o, atg_err *err) {
    int rc = bundle_files_open(o->order->paths, o->order->n_paths, &o->files, err);

    if (rc == ATG_OK)
        rc = check_parts(o, err);
    if (rc == ATG_OK)
        rc = store_read(cases_store(o->c), read_keys, o, err);
    if (rc)
        return rc;
    o->result.bundle = o->who.bundle = o->state.bundle;
    o->result.from = o->peer.name;
    rc = go_through(o, &verify_steps, err);
    if (rc || o->result.before)
        return rc;
    rc = go_through(o, &merge_steps, err);
    if (rc == ATG_OK && o->erased_any)
        rc = cases_write_journal(o->c, err);
    return rc ? rc : store_write(cases_store(o->c), note_opened, o, err);
}

int bundles_open(cases *c, const actor *who, atg_arena *arena, const bundle_order *order,
                 bundle_opened *ret, atg_err *err) {
    opening o = {.c = c, .who = *who, .asked = who, .order = order, .arena = arena};
    int rc;

    o.who.carried = true;
    rc = open_it(&o, err);
    drop_bytes(&o);
    mem_free(o.pictures);
    bundle_files_close(o.files);
    box_pair_wipe(&o.own);
    if (rc == ATG_OK)
        *ret = o.result;
    return rc;
}
