/* SPDX-License-Identifier: Apache-2.0 */
/* One change after the other, each checked, sealed, written, made findable, put into the history,
 * and given to the matcher. */
#include "app/cases_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/rights.h"
#include "app/rules.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "store/accounts.h"
#include "store/jobs.h"

enum { PAIRS_MAX = 1 << 20, KINDS_EXPECTED = RECORD_KINDS };

typedef struct numbers {
    int64_t n, code;
    uint32_t left;
} numbers;

struct cases_batch {
    cases *c;
    db *d;
    const actor *who;
    atg_arena *arena;
    uuid operation; /* that the next three are of */
    bool known;
    uint32_t roles;
    key256 token_key;
    numbers numbers[KINDS_EXPECTED];
    chain head;        /* of the file that was changed last */
    token_pair *pairs; /* of new files, written together */
    uint32_t n_pairs, cap_pairs;
    files_tally tally;
};

/* What one change has at hand. */
typedef struct applying {
    cases_batch *b;
    change *ch;
    const record_type *type;
    atg_arena *arena;
    record *before; /* NULL: new */
    file_row file;  /* of the record; not there yet for a new file */
    person_keys keys;
    const person_keys *sealing; /* &keys, or NULL */
    uint64_t fields;            /* that differ */
} applying;

int cases_batch_new(cases *c, db *d, const actor *who, atg_arena *arena, cases_batch **ret,
                    atg_err *err) {
    cases_batch *b = ATG_GET(arena, cases_batch, 1);

    if (!b)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a batch of changes");
    b->c = c;
    b->d = d;
    b->who = who;
    b->arena = arena;
    *ret = b;
    return ATG_OK;
}

/* Roles and the token key of an operation, remembered while changes stay in it. */
static int enter(cases_batch *b, const uuid *operation, atg_err *err) {
    if (b->known && uuid_cmp(&b->operation, operation) == 0)
        return ATG_OK;

    int rc = cases_roles(b->d, b->who, operation, &b->roles, err);

    if (!rc)
        rc = keys_operation(b->d, b->c->keys, operation, KEY_TOKENS, &b->token_key, err);
    if (rc)
        return rc;
    if (b->known)
        memset(b->numbers, 0, sizeof(b->numbers));
    b->operation = *operation;
    b->known = true;
    return ATG_OK;
}

static int reserve(cases_batch *b, record_kind kind, uint32_t n, atg_err *err) {
    numbers *own = &b->numbers[kind];
    int rc =
        files_numbers(b->d, record_types[kind].code, cases_site(b->c), n, &own->n, &own->code, err);

    if (!rc)
        own->left = n;
    return rc;
}

int cases_batch_expect(cases_batch *b, const uuid *operation, record_kind kind, uint32_t n,
                       atg_err *err) {
    int rc = enter(b, operation, err);

    return rc || !n ? rc : reserve(b, kind, n, err);
}

/* ---- checking ---- */

static int check_rights(const applying *a, atg_err *err) {
    static const action actions[] = {[CHANGE_ADD] = ACTION_ADD,
                                     [CHANGE_EDIT] = ACTION_EDIT,
                                     [CHANGE_STATE] = ACTION_STATE,
                                     [CHANGE_WITHDRAW] = ACTION_WITHDRAW};
    const record *r = a->ch->r;
    bool new = !a->before && a->type->is_file;
    record_kind in = new ? r->kind : a->file.kind;
    int state = !record_types[in].states[0] ? -1 : new ? (int)r->state : (int)a->file.state;
    int rc;

    if (a->b->who->carried)
        return rights_action(a->b->roles, ACTION_BUNDLE, -1, -1, err);
    rc = rights_in(a->b->roles, actions[a->ch->what], (int)r->kind, (int)in, state, err);

    if (!rc && a->before && a->ch->what == CHANGE_STATE)
        rc = rights_state(a->b->roles, r->kind, a->before->state, r->state, err);
    for (uint32_t f = 0; f < a->type->n_fields && !rc; f++)
        if (a->fields >> f & 1 && rights_field_in(a->b->roles, r->kind, (int)in, f) != ACCESS_WRITE)
            rc = atg_fail(err, ATG_EDENIED, "This account may not write '%s' of a %s",
                          a->type->fields[f].name, a->type->title);
    return rc;
}

static int check(applying *a, atg_err *err) {
    const record *r = a->ch->r;
    int rc = check_rights(a, err);

    if (!rc && a->ch->what != CHANGE_WITHDRAW)
        rc = record_check(r, err);
    if (!rc && a->before && (a->ch->what == CHANGE_STATE || a->ch->what == CHANGE_WITHDRAW) &&
        !cases_reason(a->b->who) && !actor_is_matcher(a->b->who))
        return atg_fail(err, ATG_EDENIED, "Write the reason for this change");
    if (!rc)
        rc =
            rules_check(a->b->d, a->b->who, !a->before && a->type->is_file ? r->kind : a->file.kind,
                        a->before, r, err);
    return rc;
}

/* ---- a new record ---- */

/* The file that a record stands in, and the operation. */
static int place_new(applying *a, atg_err *err) {
    record *r = a->ch->r;
    int rc = ATG_OK;

    if (uuid_none(&r->id))
        rc = uuid_new(&r->id, err);
    if (rc)
        return rc;
    if (a->type->is_file) {
        r->file = r->id;
        if (r->kind == RECORD_OPERATION) {
            r->operation = r->id;
            return keys_operation_new(a->b->d, a->b->c->keys, &r->id, err);
        }
        return uuid_none(&r->operation)
                   ? atg_fail(err, ATG_EINVAL, "A %s belongs to an operation", a->type->title)
                   : ATG_OK;
    }
    rc = files_get(a->b->d, a->arena, &r->file, &a->file, err);
    if (rc)
        return rc;
    if (!(a->type->in >> a->file.kind & 1))
        return atg_fail(err, ATG_EINVAL, "A %s does not stand in a %s", a->type->title,
                        record_types[a->file.kind].title);
    if (a->file.withdrawn && !a->b->who->carried)
        return atg_fail(err, ATG_EDENIED, "%.*s was withdrawn", ATG_FMT(a->file.code));
    r->operation = a->file.operation;
    return ATG_OK;
}

/* Whose key seals it. */
static uuid person_of(const applying *a) {
    const record *r = a->ch->r;
    int donor = a->type->person == PERSON_DONOR ? record_field_of(r->kind, ATG_STR("donor")) : -1;

    switch (a->type->person) {
    case PERSON_NONE:
        return (uuid){{0}};
    case PERSON_SELF:
        return r->id;
    case PERSON_DONOR:
        if (donor >= 0 && r->fields[donor].known)
            return r->fields[donor].ref;
        return r->file;
    case PERSON_FILE:
        break;
    }
    /* a file of no person (an operation) has no key to share */
    return record_types[a->file.kind].person == PERSON_SELF ? r->file : r->id;
}

static int open_keys(applying *a, atg_err *err) {
    record *r = a->ch->r;
    cases_batch *b = a->b;
    int rc;

    if (uuid_none(&r->person))
        return ATG_OK;
    if (!a->before && uuid_cmp(&r->person, &r->id) == 0)
        rc = keys_person_new(b->d, b->c->keys, &r->operation, &r->person, &a->keys, err);
    else
        rc = keys_person(b->d, b->c->keys, &r->person, &a->keys, err);
    if (rc == ATG_ENOTFOUND)
        return atg_fail(err, ATG_EDENIED, "The person of this %s was erased", a->type->title);
    a->sealing = &a->keys;
    return rc;
}

static int number_new(applying *a, atg_err *err) {
    record *r = a->ch->r;
    cases_batch *b = a->b;
    numbers *own = &b->numbers[r->kind];
    char code[FILE_CODE_MAX];
    int rc = ATG_OK;

    if (!a->type->code || (r->code.n && !a->type->is_file && !b->who->carried))
        return ATG_OK;
    if (r->code.n && b->who->carried)
        return files_taken(b->d, r->kind, r->code, a->type->is_file ? &a->file.n : NULL, err);
    if (!own->left)
        rc = reserve(b, r->kind, 1, err);
    if (rc)
        return rc;
    a->file.n = a->type->is_file ? own->n : a->file.n;
    if (!r->code.n) {
        files_code(a->type->code, cases_site(b->c), own->code, code);
        r->code = atg_arena_str(b->arena, atg_str_of(code));
        if (!r->code.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory for a code");
    }
    own->n++;
    own->code++;
    own->left--;
    return ATG_OK;
}

/* ---- the row of the file ---- */

static int sex_of(const record *r) {
    int f = record_field_of(r->kind, ATG_STR("sex"));

    return f >= 0 && r->fields[f].known ? (int)r->fields[f].choice : -1;
}

static int sort_of(const applying *a, const record *r, atg_str *ret, atg_err *err) {
    *ret = (atg_str){NULL, 0};
    for (uint32_t f = 0; f < a->type->n_fields; f++)
        if (a->type->fields[f].sort && r->fields[f].known)
            return tokens_sort_key(a->arena, r->fields[f].text, ret, err);
    return ATG_OK;
}

static int write_file(applying *a, atg_err *err) {
    const record *r = a->ch->r;
    bool new = !a->before && a->type->is_file;
    file_row *f = &a->file;

    if (new) {
        f->id = r->id;
        f->operation = r->operation;
        f->kind = r->kind;
        f->code = r->code;
    }
    f->changed = r->changed;
    if (a->type->is_file) {
        int rc = sort_of(a, r, &f->sort, err);

        if (rc)
            return rc;
        f->state = r->state;
        f->sex = sex_of(r);
        f->withdrawn = r->withdrawn;
    }
    return new ? files_insert(a->b->d, f, &a->b->tally, err)
               : files_update(a->b->d, f, &a->b->tally, err);
}

/* ---- finding it, matching it ---- */

static int compare_pairs(const void *x, const void *y) {
    const token_pair *a = x, *b = y;

    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return a->file < b->file ? -1 : a->file > b->file;
}

static int flush_pairs(cases_batch *b, atg_err *err) {
    if (!b->n_pairs)
        return ATG_OK;
    qsort(b->pairs, b->n_pairs, sizeof(*b->pairs), compare_pairs);

    int rc = tokens_insert(b->d, b->pairs, b->n_pairs, err);

    b->n_pairs = 0;
    return rc;
}

static int add_pairs(cases_batch *b, const token_set *set, int64_t file, atg_err *err) {
    if (set->n > PAIRS_MAX)
        return atg_fail(err, ATG_ELIMIT, "Too many words to search in one record");
    if (b->n_pairs + set->n > PAIRS_MAX) {
        int rc = flush_pairs(b, err);

        if (rc)
            return rc;
    }
    if (b->n_pairs + set->n > b->cap_pairs) {
        uint32_t cap = b->n_pairs + set->n;
        token_pair *more;

        /* room for one file at first, for many when many come */
        cap = b->cap_pairs && cap < PAIRS_MAX / 4 ? 4 * cap : b->cap_pairs ? PAIRS_MAX : cap;
        more = ATG_GET(b->arena, token_pair, cap);
        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory for search words");
        if (b->n_pairs)
            memcpy(more, b->pairs, b->n_pairs * sizeof(*more));
        b->pairs = more;
        b->cap_pairs = cap;
    }
    for (uint32_t i = 0; i < set->n; i++)
        b->pairs[b->n_pairs++] = (token_pair){set->tokens[i], file};
    return ATG_OK;
}

static int index_record(applying *a, atg_err *err) {
    cases_batch *b = a->b;
    token_set was = {.arena = a->arena}, is = {.arena = a->arena};
    int rc = tokens_of_change(&b->token_key, a->before, a->ch->r, a->fields, &was, &is, err);

    if (rc)
        return rc;
    if (!a->before && a->type->is_file)
        return add_pairs(b, &is, a->file.n, err);
    /* what stands in a file of this batch comes behind the file itself */
    if (!rc && (was.n || is.n) && b->n_pairs)
        rc = flush_pairs(b, err);
    if (!rc && (was.n || is.n))
        rc = tokens_change(b->d, a->file.n, &was, &is, err);
    return rc;
}

/* What a comparison looks at. */
static bool is_matched(record_kind kind) {
    static const record_kind kinds[] = {RECORD_OPERATION, RECORD_MISSING, RECORD_REMAINS,
                                        RECORD_FAMILY,    RECORD_DONOR,   RECORD_SAMPLE,
                                        RECORD_BATCH,     RECORD_PROFILE, RECORD_STAFF_PROFILE};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* What templates of faces depend on: photographs, and whether their person is searched for. */
static bool is_looked_at(const applying *a) {
    const record *r = a->ch->r;

    return r->kind == RECORD_PHOTOGRAPH ||
           (r->kind == RECORD_MISSING && a->before &&
            (a->before->state != r->state || a->before->withdrawn != r->withdrawn));
}

static int ask_matcher(const applying *a, atg_err *err) {
    const record *r = a->ch->r;
    char subject[UUID_TEXT + 1];
    int rc = ATG_OK;

    uuid_text(&r->file, subject);
    if (is_looked_at(a))
        rc = jobs_add(a->b->d, "faces", atg_str_of(subject), &r->operation, ATG_STR("{}"), 0, err);
    if (rc || !is_matched(r->kind))
        return rc;
    return jobs_add(a->b->d, "match", atg_str_of(subject), &r->operation, ATG_STR("{}"), 0, err);
}

/* Several changes of one file in a row look up the end of its chain once. */
static chain *head_of(applying *a) {
    cases_batch *b = a->b;

    if (uuid_none(&b->head.file) || uuid_cmp(&b->head.file, &a->ch->r->file) != 0)
        b->head = chain_start(&a->ch->r->file);
    return &b->head;
}

static int finish(applying *a, const char *done, atg_err *err) {
    cases_event event = {.action = done,
                         .before = a->before,
                         .after = a->ch->r,
                         .fields = a->fields,
                         .keys = a->sealing,
                         .first = !a->before && a->type->is_file,
                         .head = head_of(a)};
    int rc = write_file(a, err);

    if (!rc)
        rc = index_record(a, err);
    if (!rc)
        rc = cases_record_event(a->b->d, a->b->who, &event, err);
    return rc ? rc : ask_matcher(a, err);
}

static int add(applying *a, atg_err *err) {
    record *r = a->ch->r;
    int rc = place_new(a, err);

    if (!rc)
        rc = enter(a->b, &r->operation, err);
    if (rc)
        return rc;
    r->rev = 1;
    r->changed = clock_now();
    if (!a->b->who->carried)
        r->created = r->changed;
    r->person = person_of(a);
    rc = rules_prepare(a->b->d, a->b->who, a->b->arena, r, err);
    a->fields = cases_changed(NULL, r);
    if (!rc)
        rc = check(a, err);
    if (!rc)
        rc = open_keys(a, err);
    if (!rc)
        rc = number_new(a, err);
    if (!rc)
        rc = records_insert(a->b->d, a->b->c->keys, r, err);
    return rc ? rc : finish(a, "add", err);
}

/* ---- a record that is there ---- */

/* Somebody else was first: who, and what differs. */
static int conflict(const applying *a, atg_err *err) {
    uint64_t differ = cases_changed(a->before, a->ch->r);
    char list[200] = "";
    size_t n = 0;

    for (uint32_t f = 0; f < a->type->n_fields; f++) {
        const char *name = a->type->fields[f].name;

        if (differ >> f & 1 && n + strlen(name) + 3 < sizeof(list))
            n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", name);
    }
    return atg_fail(err, ATG_ECONFLICT,
                    "Somebody changed this %s meanwhile: it is at revision %lld, yours was read at "
                    "%lld; %s%s. Read it again and repeat what is still right",
                    a->type->title, (long long)a->before->rev, (long long)a->ch->r->rev,
                    n ? "now different: " : "no field differs", list);
}

/* What the account was not shown was not its to change: it stays as it is.  Not shown is what it
 * may not see, may not see without a reason, or not before it has concluded (rule 5). */
static int keep_unseen(const applying *a, atg_err *err) {
    const looker l = {a->b->who, a->b->roles, (int)a->file.kind};
    record *r = a->ch->r;
    uint64_t blind = 0;
    int rc = rules_blind(a->b->d, l.who, l.roles, a->before, &blind, err);

    for (uint32_t f = 0; f < a->type->n_fields && !rc; f++)
        if (!r->fields[f].known &&
            (blind >> f & 1 || rights_field_in(l.roles, r->kind, l.in, f) < ACCESS_WRITE ||
             !cases_may_see(&l, r->kind, f)))
            r->fields[f] = a->before->fields[f];
    return rc;
}

static const uuid *file_of(const record *r) {
    return record_types[r->kind].is_file ? &r->id : &r->file;
}

/* All that is read of a record before it is changed, in one question. */
static void foresee(cases *c, db *d, const actor *who, const record *r, bool roles) {
    records_foresee(d, r->kind, &r->id);
    if (roles && !actor_is_matcher(who))
        accounts_foresee_roles(d, &who->account, &r->operation);
    keys_foresee(d, c->keys);
    files_foresee(d, file_of(r));
    audit_foresee(d, file_of(r));
}

static int load(applying *a, atg_err *err) {
    cases_batch *b = a->b;
    record *r = a->ch->r;
    record_row row;
    int rc;

    foresee(b->c, b->d, b->who, r, !b->known || uuid_cmp(&b->operation, &r->operation) != 0);
    rc = records_get(b->d, b->c->keys, a->arena, r->kind, &r->id, &row, err);

    if (rc)
        return rc;
    if (row.erased)
        return atg_fail(err, ATG_EDENIED, "The person of this %s was erased", a->type->title);
    a->before = row.r;
    rc = enter(b, &row.r->operation, err);
    if (!rc)
        rc = files_get(b->d, a->arena, &row.r->file, &a->file, err);
    return rc;
}

static int shape_edit(const applying *a, uint32_t state, bool withdrawn, atg_err *err) {
    record *r = a->ch->r;
    uuid now;
    int rc = ATG_OK;

    if (a->b->who->carried) {
        r->state = state;
        r->withdrawn = withdrawn;
    } else {
        rc = keep_unseen(a, err);
    }
    if (rc || a->type->person != PERSON_DONOR)
        return rc;
    now = person_of(a);
    return uuid_cmp(&now, &a->before->person) == 0
               ? ATG_OK
               : atg_fail(err, ATG_EDENIED,
                          "A %s stays with its donor: withdraw it and add it anew", a->type->title);
}

/* The record as it shall be: the values given where they are to be changed, all else as it is. */
static int shape(applying *a, atg_err *err) {
    record *r = a->ch->r;
    record *is = a->before;
    value *fields = r->fields;
    int64_t rev = r->rev;
    uint32_t state = r->state;
    bool withdrawn = r->withdrawn;
    int rc = ATG_OK;

    if (rev != is->rev)
        return conflict(a, err);
    if (is->withdrawn && !a->b->who->carried)
        return atg_fail(err, ATG_EDENIED, "This %s was withdrawn", a->type->title);
    *r = *is;
    r->fields = fields;
    if (a->ch->what == CHANGE_EDIT) {
        rc = shape_edit(a, state, withdrawn, err);
    } else {
        memcpy(fields, is->fields, a->type->n_fields * sizeof(*fields));
        r->withdrawn = a->ch->what == CHANGE_WITHDRAW;
        r->state = a->ch->what == CHANGE_STATE ? state : is->state;
    }
    a->fields = cases_changed(is, r);
    return rc;
}

static int edit(applying *a, atg_err *err) {
    static const char *const names[] = {
        [CHANGE_EDIT] = "edit", [CHANGE_STATE] = "state", [CHANGE_WITHDRAW] = "withdraw"};
    record *r = a->ch->r;
    int rc = load(a, err);

    if (!rc)
        rc = shape(a, err);
    if (rc)
        return rc;
    if (a->ch->what != CHANGE_WITHDRAW && !a->fields && r->state == a->before->state &&
        r->withdrawn == a->before->withdrawn)
        return ATG_OK;
    rc = check(a, err);
    if (!rc)
        rc = open_keys(a, err);
    r->changed = clock_now();
    if (!rc)
        rc = records_rewrite(a->b->d, a->b->c->keys, r, err);
    return rc ? rc : finish(a, names[a->ch->what], err);
}

/* What was kept of the record as it was lies in this change's own memory, and may be what the
 * account cannot see: the caller gets its own values back. */
static int edit_copy(applying *a, atg_err *err) {
    change *wanted = a->ch;
    record *own = wanted->r;
    change ch = *wanted;
    int rc;

    ch.r = record_copy(a->arena, own);
    if (!ch.r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a change");
    a->ch = &ch;
    rc = edit(a, err);
    a->ch = wanted;
    if (rc)
        return rc;
    own->rev = ch.r->rev;
    own->state = ch.r->state;
    own->withdrawn = ch.r->withdrawn;
    own->changed = ch.r->changed;
    own->operation = ch.r->operation;
    own->file = ch.r->file;
    own->person = ch.r->person;
    return ATG_OK;
}

int cases_apply(cases_batch *b, change *ch, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    applying a = {.b = b, .ch = ch, .type = &record_types[ch->r->kind], .arena = arena};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a change");

    int rc = ch->what == CHANGE_ADD ? add(&a, err) : edit_copy(&a, err);

    db_foreseen_end(b->d);
    bytes_wipe(&a.keys, sizeof(a.keys));
    return rc;
}

int cases_batch_end(cases_batch *b, atg_err *err) {
    int rc = flush_pairs(b, err);

    if (!rc)
        rc = files_tally_write(b->d, &b->tally, err);
    key_wipe(&b->token_key);
    return rc;
}

/* ---- one change alone ---- */

typedef struct alone {
    cases *c;
    const actor *who;
    const change *wanted;
    record *done;
    atg_arena *arena;
} alone;

static int change_alone(db *d, void *user, atg_err *err) {
    alone *w = user;
    change ch = *w->wanted;
    cases_batch *b;
    int rc = cases_batch_new(w->c, d, w->who, w->arena, &b, err);

    if (rc)
        return rc;
    /* a closure that is run again starts from what was wanted, not from what it made of it */
    ch.r = w->done = record_copy(w->arena, w->wanted->r);
    if (!ch.r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a change");
    rc = cases_apply(b, &ch, err);
    return rc ? rc : cases_batch_end(b, err);
}

static void foresee_alone(db *d, void *user) {
    const alone *w = user;

    if (w->wanted->what != CHANGE_ADD)
        foresee(w->c, d, w->who, w->wanted->r, true);
}

int cases_change(cases *c, const actor *who, atg_arena *arena, change *ch, atg_err *err) {
    alone w = {.c = c, .who = who, .wanted = ch, .arena = arena};
    store_ahead ahead = {foresee_alone, {*file_of(ch->r), ch->r->id}};
    bool there = ch->what != CHANGE_ADD;
    int rc = store_change(c->s, change_alone, &w, there ? &ahead : NULL, err);

    if (!rc)
        *ch->r = *w.done;
    return rc;
}
