/* SPDX-License-Identifier: Apache-2.0 */
/* What exactly is broken: read again, when it is known that something is. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/audit_check.h"

/* ---- links ---- */

typedef struct follower {
    check *c;
    chain at;
} follower;

static int take_link(void *user, const audit_row *row, atg_err *err) {
    follower *f = user;
    const chain_entry *e = &row->e;
    const char *wrong;

    (void)err;
    if (uuid_cmp(&f->at.file, &e->file) != 0)
        f->at = chain_start(&e->file);
    wrong = chain_fault(&f->at, e, &row->prev, &row->hash);
    if (wrong)
        return check_fault(f->c, &e->file, "Entry %llu of the history of {file} is broken: %s",
                           (unsigned long long)e->seq, wrong);
    f->at.seq = e->seq;
    f->at.hash = row->hash;
    return ATG_OK;
}

int check_name_link(check *c, atg_err *err) {
    follower f = {.c = c};
    int rc = audit_scan(c->run, AUDIT_ENTRIES, true, take_link, &f, err);

    return rc ? rc : check_fault(c, NULL, "The entries of the histories do not fit together");
}

/* ---- leaves ---- */

typedef struct suspect {
    sum128 h; /* the key */
    uuid file;
    uint64_t seq;
    int64_t n; /* of the leaf; INT64_MAX: it waits */
    bool matched;
} suspect;

typedef struct suspects {
    check *c;
    audit_table table;
    int64_t from; /* look at no leaf before it */
    bool full;
} suspects;

static int take_suspect(suspects *s, const audit_row *row, int64_t n, atg_err *err) {
    sum128 h = check_hash(s->c, &row->e.file, row->e.seq, &row->hash);
    const sum128 *bucket = &s->c->leaves[check_bucket(h)];
    suspect *found;

    s->full |= s->table.n == CHECK_WINDOW;
    if (n < s->from || s->full || (bucket->a | bucket->b) == 0)
        return ATG_OK;
    found = audit_table_put(&s->table, &h);
    if (!found)
        return atg_fail(err, ATG_ENOMEM, "Out of memory verifying the history");
    *found = (suspect){.h = h, .file = row->e.file, .seq = row->e.seq, .n = n};
    return ATG_OK;
}

static int take_leaf(void *user, const audit_row *row, atg_err *err) {
    return take_suspect(user, row, row->n, err);
}

static int take_waiting(void *user, const audit_row *row, atg_err *err) {
    return take_suspect(user, row, INT64_MAX, err);
}

static int take_entry(void *user, const audit_row *row, atg_err *err) {
    suspects *s = user;
    sum128 h = check_hash(s->c, &row->e.file, row->e.seq, &row->hash);
    suspect *found = audit_table_get(&s->table, &h);

    (void)err;
    if (found)
        found->matched = true;
    return ATG_OK;
}

/* A checkpoint that the tree passed behind it vouches for the leaf. */
static bool is_signed(const check *c, int64_t n) {
    uint32_t passed = c->bad_mark < 0 ? c->next_mark : (uint32_t)c->bad_mark;

    return passed && c->marks[passed - 1].size > (uint64_t)n;
}

static int say_leaf(check *c, const suspect *s) {
    if (s->n == INT64_MAX)
        return check_fault(c, &s->file,
                           "Entry %llu of the history of {file} is not the one that waits for the "
                           "audit tree",
                           (unsigned long long)s->seq);
    if (is_signed(c, s->n))
        return check_fault(c, &s->file,
                           "Entry %llu of the history of {file} was replaced, and what follows it: "
                           "leaf %lld of the audit tree, which is signed, is of another",
                           (unsigned long long)s->seq, (long long)s->n);
    return check_fault(
        c, &s->file,
        "Leaf %lld of the audit tree is not entry %llu of the history of {file}: one "
        "of them was changed",
        (long long)s->n, (unsigned long long)s->seq);
}

static int look(suspects *s, atg_err *err) {
    audit_run *run = s->c->run;
    const suspect *first = NULL;
    int rc = audit_scan(run, AUDIT_LEAVES, false, take_leaf, s, err);

    if (rc == ATG_OK)
        rc = audit_scan(run, AUDIT_PENDING, false, take_waiting, s, err);
    if (rc == ATG_OK)
        rc = audit_scan(run, AUDIT_ENTRIES, false, take_entry, s, err);
    for (uint32_t i = 0; rc == ATG_OK && i < s->table.n; i++) {
        const suspect *x = audit_table_at(&s->table, i);

        if (!x->matched && (!first || x->n < first->n))
            first = x;
        s->from = x->n == INT64_MAX ? x->n : x->n + 1;
    }
    return first ? say_leaf(s->c, first) : rc;
}

int check_name_leaf(check *c, atg_err *err) {
    suspects s = {.c = c, .full = true};
    int rc = ATG_OK;

    while (rc == ATG_OK && s.full) {
        s.full = false;
        s.table = audit_table_of(sizeof(suspect), sizeof(sum128), c->key);
        rc = look(&s, err);
        audit_table_clear(&s.table);
    }
    return rc ? rc : check_fault(c, NULL, "The leaves of the audit tree do not fit the histories");
}

/* ---- words ---- */

typedef struct naming {
    const uuid *file;
    char name[UUID_TEXT + 10];
} naming;

/* What is shown may come from a file that somebody made. */
static bool is_plain(atg_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static int take_code(void *user, const audit_row *row, atg_err *err) {
    naming *n = user;

    (void)err;
    if (uuid_cmp(&row->e.file, n->file) == 0 && is_plain(row->text))
        (void)snprintf(n->name, sizeof(n->name), "%.*s", ATG_FMT(row->text));
    return ATG_OK;
}

int check_say(check *c, atg_err *err) {
    const char *where = strstr(c->fault.text, "{file}");
    naming n = {.file = &c->fault.file};
    char id[UUID_TEXT + 1];

    if (!where)
        return atg_fail(err, ATG_EDENIED, "%s", c->fault.text);
    uuid_text(&c->fault.file, id);
    (void)snprintf(n.name, sizeof(n.name), "file %s", id);
    /* without a code, or when not even that can be read, the identifier is as good */
    (void)audit_scan(
        &(audit_run){.source = c->run->source, .threads = 1, .phase = "verifying the history"},
        AUDIT_CODES, false, take_code, &n, NULL);
    return atg_fail(err, ATG_EDENIED, "%.*s%s%s", (int)(where - c->fault.text), c->fault.text,
                    n.name, where + strlen("{file}"));
}
