/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/ready.h"

static const char no_memory[] = "Out of memory verifying the history";

int check_fault(check *c, const uuid *file, const char *fmt, ...) {
    va_list args;

    c->fault.file = file ? *file : (uuid){{0}};
    va_start(args, fmt);
    (void)vsnprintf(c->fault.text, sizeof(c->fault.text), fmt, args);
    va_end(args);
    return ATG_EDENIED;
}

static unsigned long long say(uint64_t x) {
    return x;
}

/* ---- sums ---- */

sum128 check_hash(const check *c, const uuid *file, uint64_t seq, const hash256 *hash) {
    unsigned char in[UUID_SIZE + 8 + HASH_SIZE];
    sum128 h;

    memcpy(in, file->bytes, UUID_SIZE);
    bytes_put64(in + UUID_SIZE, seq);
    memcpy(in + UUID_SIZE + 8, hash->bytes, HASH_SIZE);
    (void)crypto_shorthash_siphashx24((unsigned char *)&h, in, sizeof(in), c->key);
    return h;
}

static void add(sum128 *to, sum128 h) {
    to->a += h.a;
    to->b += h.b;
}

static void subtract(sum128 *from, sum128 h) {
    from->a -= h.a;
    from->b -= h.b;
}

static bool is_zero(const sum128 *s) {
    return (s->a | s->b) == 0;
}

/* ---- checkpoints ---- */

static int add_mark(check *c, mark m, atg_err *err) {
    if (c->n_marks == c->cap_marks) {
        uint32_t cap = c->cap_marks ? 2 * c->cap_marks : 64;
        mark *more = cap ? mem_grow(c->marks, cap * sizeof(*more)) : NULL;

        if (!more)
            return atg_fail(err, ATG_ENOMEM, no_memory);
        c->marks = more;
        c->cap_marks = cap;
    }
    c->marks[c->n_marks++] = m;
    return ATG_OK;
}

static int take_tree(void *user, const audit_row *row, atg_err *err) {
    check *c = user;

    (void)err;
    if (c->n_state || row->text.n > sizeof(c->state) || row->text.n < 8 ||
        row->n != (int64_t)bytes_get64((const unsigned char *)row->text.p))
        return check_fault(c, NULL, "The stored state of the audit tree is damaged");
    memcpy(c->state, row->text.p, row->text.n);
    c->n_state = row->text.n;
    return ATG_OK;
}

static int take_checkpoint(void *user, const audit_row *row, atg_err *err) {
    check *c = user;
    checkpoint note;

    if (checkpoint_read(row->text, &note, NULL) || note.size != (uint64_t)row->n ||
        note.at != row->e.at)
        return check_fault(c, NULL, "The checkpoint of %lld entries is damaged", (long long)row->n);
    if (checkpoint_check(&note, c->wanted->pub, NULL))
        return check_fault(c, NULL,
                           "The checkpoint of %lld entries is not signed with the key of this "
                           "store: it was changed or replaced",
                           (long long)row->n);
    c->report.checkpoints++;
    return add_mark(c, (mark){.size = note.size, .root = note.root, .kept = true}, err);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = ((const mark *)a)->size, y = ((const mark *)b)->size;

    return x < y ? -1 : x > y;
}

/* The store's own come sorted; they are the first n. */
static bool is_kept(const check *c, uint32_t n, const checkpoint *w) {
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (c->marks[middle].size < w->size)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && c->marks[low].size == w->size; low++)
        if (hash_eq(&c->marks[low].root, &w->root))
            return true;
    return false;
}

static int add_witnessed(check *c, atg_err *err) {
    uint32_t n = c->n_marks;
    int rc = ATG_OK;

    for (uint32_t i = 0; rc == ATG_OK && i < c->wanted->n_witnessed; i++) {
        const checkpoint *w = &c->wanted->witnessed[i];

        if (checkpoint_check(w, c->wanted->pub, NULL))
            return check_fault(c, NULL,
                               "The checkpoint of %llu entries that a witness kept is not signed "
                               "with the key of this store",
                               say(w->size));
        rc = add_mark(
            c,
            (mark){.size = w->size, .root = w->root, .witnessed = true, .kept = is_kept(c, n, w)},
            err);
    }
    if (rc == ATG_OK && c->n_marks)
        qsort(c->marks, c->n_marks, sizeof(*c->marks), by_size);
    return rc;
}

/* The tree has grown to `c->t.size`. */
static void pass_marks(check *c) {
    hash256 root;
    bool made = false;

    for (; c->next_mark < c->n_marks && c->marks[c->next_mark].size <= c->t.size; c->next_mark++) {
        const mark *m = &c->marks[c->next_mark];

        if (!made)
            root = tree_root(&c->t);
        made = true;
        if (c->bad_mark < 0 && !hash_eq(&root, &m->root))
            c->bad_mark = c->next_mark;
    }
}

/* The tree is as it was signed up to there. */
static uint64_t last_good(const check *c) {
    int64_t i = c->bad_mark;

    while (i > 0 && c->marks[i - 1].size == c->marks[c->bad_mark].size)
        i--;
    return i > 0 ? c->marks[i - 1].size : 0;
}

static int check_marks(check *c) {
    const char *who[] = {"the checkpoint of that size was signed for", "a witness saw"};

    if (c->bad_mark >= 0) {
        const mark *m = &c->marks[c->bad_mark];

        return check_fault(c, NULL,
                           "The first %llu entries of the audit tree are not those that %s: leaf "
                           "%llu or one behind it was changed, moved or replaced",
                           say(m->size), who[m->witnessed], say(last_good(c)));
    }
    if (c->next_mark < c->n_marks)
        return check_fault(c, NULL,
                           "The audit tree ends after %llu entries, but %s has %llu: the end was "
                           "cut off",
                           say(c->t.size),
                           c->marks[c->next_mark].witnessed ? "a checkpoint that a witness kept"
                                                            : "a checkpoint",
                           say(c->marks[c->next_mark].size));
    for (uint32_t i = 0; i < c->n_marks; i++)
        if (!c->marks[i].kept)
            return check_fault(c, NULL,
                               "The checkpoint of %llu entries, which a witness kept, is missing "
                               "in the store",
                               say(c->marks[i].size));
    return ATG_OK;
}

/* ---- chains ---- */

/* The latest revision that the history of a file tells of one of its records. */
static int note_record(check *c, const seen_chain *file, const chain_entry *e, atg_err *err) {
    int kind = record_kind_of(e->kind);
    record_key key = {
        .id = e->record, .chain = audit_table_number(&c->chains, file), .kind = (uint32_t)kind};
    seen_record *r;

    if (kind < 0)
        return ATG_OK;
    r = audit_table_put(&c->records, &key);
    if (!r)
        return atg_fail(err, ATG_ENOMEM, no_memory);
    r->rev = e->rev > r->rev ? e->rev : r->rev;
    return ATG_OK;
}

static int take_entry(void *user, const audit_row *row, atg_err *err) {
    static const hash256 nothing;
    check *c = user;
    const chain_entry *e = &row->e;
    hash256 made = chain_hash(&row->prev, e);
    sum128 h = check_hash(c, &e->file, e->seq, &row->hash);
    seen_chain *file = audit_table_put(&c->chains, &e->file);

    if (!file)
        return atg_fail(err, ATG_ENOMEM, no_memory);
    if (!hash_eq(&made, &row->hash) || e->seq == 0 ||
        (e->seq == 1 && !hash_eq(&row->prev, &nothing))) {
        c->broken = true;
        return ATG_EDENIED;
    }
    add(&c->links, h);
    add(&c->leaves[check_bucket(h)], h);
    if (e->seq > 1)
        subtract(&c->links, check_hash(c, &e->file, e->seq - 1, &row->prev));
    file->n++;
    if (e->seq > file->last) {
        file->last = e->seq;
        file->head = h;
    }
    c->report.entries++;
    return e->rev ? note_record(c, file, e, err) : ATG_OK;
}

static int check_chains(check *c, atg_err *err) {
    int rc = audit_scan(c->run, AUDIT_ENTRIES, false, take_entry, c, err);

    if (rc && !c->broken)
        return rc;
    for (uint32_t i = 0; i < c->chains.n; i++) {
        const seen_chain *file = audit_table_at(&c->chains, i);

        subtract(&c->links, file->head);
        c->broken |= file->n != file->last;
    }
    c->report.files = c->chains.n;
    return c->broken || !is_zero(&c->links) ? check_name_link(c, err) : ATG_OK;
}

/* ---- leaves ---- */

/* Where an entry stands, in words. */
static const char *place(int64_t n, char ret[40]) {
    (void)snprintf(ret, 40, n < 0 ? "what waits for the audit tree" : "leaf %lld", (long long)n);
    return ret;
}

/* Is it the next entry of its file?  `n` is the leaf, -1 when it waits. */
static int take_one(check *c, int64_t n, const audit_row *row) {
    seen_chain *file = audit_table_get(&c->chains, &row->e.file);
    uint64_t seq = row->e.seq;
    char what[40];

    if (!file || seq > file->last)
        return check_fault(c, &row->e.file,
                           "Entry %llu of the history of {file} is missing, but %s tells of it: "
                           "the end of the history was cut off",
                           say(file ? file->last + 1 : 1), place(n, what));
    if (seq != file->in_tree + 1)
        return check_fault(
            c, &row->e.file, "Entry %llu of the history of {file} stands %s in the audit tree (%s)",
            say(seq), seq <= file->in_tree ? "twice" : "before earlier ones", place(n, what));
    file->in_tree++;

    sum128 h = check_hash(c, &row->e.file, seq, &row->hash);

    subtract(&c->leaves[check_bucket(h)], h);
    return ATG_OK;
}

static int take_leaf(void *user, const audit_row *row, atg_err *err) {
    check *c = user;
    hash256 leaf = tree_leaf((atg_str){(const char *)row->hash.bytes, HASH_SIZE});
    int rc;

    (void)err;
    if (row->n != (int64_t)c->t.size)
        return check_fault(c, NULL, "Leaf %llu of the audit tree %s",
                           say(row->n > (int64_t)c->t.size ? c->t.size : (uint64_t)row->n),
                           row->n > (int64_t)c->t.size ? "is missing" : "is there twice");
    rc = take_one(c, row->n, row);
    if (rc)
        return rc;
    tree_add(&c->t, &leaf);
    pass_marks(c);
    c->report.leaves++;
    return ATG_OK;
}

static int take_waiting(void *user, const audit_row *row, atg_err *err) {
    check *c = user;

    (void)err;
    c->report.waiting++;
    return take_one(c, -1, row);
}

/* The first file, by identifier, with entries that are neither in the tree nor waiting. */
static int check_all_in_tree(check *c) {
    const seen_chain *first = NULL;

    for (uint32_t i = 0; i < c->chains.n; i++) {
        const seen_chain *file = audit_table_at(&c->chains, i);

        if (file->in_tree < file->last && (!first || uuid_cmp(&file->file, &first->file) < 0))
            first = file;
    }
    if (!first)
        return ATG_OK;
    return check_fault(c, &first->file,
                       "Entry %llu of the history of {file} is not in the audit tree and does not "
                       "wait for it: it was put in, or its leaf was removed",
                       say(first->in_tree + 1));
}

static int check_state(check *c) {
    unsigned char state[TREE_SAVED_MAX];
    size_t n = tree_save(&c->t, state);

    if (c->n_state == n ? memcmp(state, c->state, n) == 0 : c->n_state == 0 && c->t.size == 0)
        return ATG_OK;
    return check_fault(c, NULL, "The stored state of the audit tree is not that of its %llu leaves",
                       say(c->t.size));
}

static int check_leaves(check *c, atg_err *err) {
    int rc = audit_scan(c->run, AUDIT_LEAVES, false, take_leaf, c, err);
    bool equal = true;

    if (rc == ATG_OK)
        rc = audit_scan(c->run, AUDIT_PENDING, false, take_waiting, c, err);
    if (rc == ATG_OK)
        rc = check_all_in_tree(c);
    for (int i = 0; i < CHECK_BUCKETS; i++)
        equal &= is_zero(&c->leaves[i]);
    if (rc == ATG_OK && !equal)
        rc = check_name_leaf(c, err);
    return rc;
}

/* ---- records ---- */

static int say_record(check *c, const uuid *file, uint32_t kind, const uuid *id, const char *what) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    return check_fault(c, file, "%s %s of {file} %s", record_types[kind].title, text, what);
}

static int take_record(void *user, const audit_row *row, atg_err *err) {
    check *c = user;
    const chain_entry *e = &row->e;
    const seen_chain *file = audit_table_get(&c->chains, &e->file);
    record_key key = {.id = e->record, .kind = (uint32_t)row->kind};
    seen_record *r = NULL;
    char what[120];

    (void)err;
    if (file) {
        key.chain = audit_table_number(&c->chains, file);
        r = audit_table_get(&c->records, &key);
    }
    if (!r)
        return say_record(c, &e->file, row->kind, &e->record,
                          "was put in behind the back of the history, which does not know it");
    if (r->rev != e->rev || r->found) {
        (void)snprintf(what, sizeof(what),
                       r->found ? "is there twice"
                                : "is revision %llu, but the last of its history is revision %llu",
                       say(e->rev), say(r->rev));
        return say_record(c, &e->file, row->kind, &e->record, what);
    }
    r->found = true;
    c->report.records++;
    return ATG_OK;
}

static int check_records(check *c, atg_err *err) {
    int rc = audit_scan(c->run, AUDIT_RECORDS, false, take_record, c, err);

    for (uint32_t i = 0; rc == ATG_OK && i < c->records.n; i++) {
        const seen_record *r = audit_table_at(&c->records, i);
        const seen_chain *file = audit_table_at(&c->chains, r->key.chain);

        if (!r->found)
            rc = say_record(c, &file->file, r->key.kind, &r->key.id,
                            "is in the history, but its row was removed");
    }
    return rc;
}

/* ---- everything ---- */

static int check_all(check *c, atg_err *err) {
    int rc = audit_scan(c->run, AUDIT_TREE, false, take_tree, c, err);

    if (rc == ATG_OK)
        rc = audit_scan(c->run, AUDIT_CHECKPOINTS, false, take_checkpoint, c, err);
    if (rc == ATG_OK)
        rc = add_witnessed(c, err);
    pass_marks(c);
    if (rc == ATG_OK)
        rc = check_chains(c, err);
    if (rc == ATG_OK)
        rc = check_leaves(c, err);
    if (rc == ATG_OK)
        rc = check_marks(c);
    if (rc == ATG_OK)
        rc = check_state(c);
    if (rc == ATG_OK)
        rc = check_records(c, err);
    return rc;
}

static double seconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int audit_check(audit_run *run, const audit_wanted *wanted, audit_report *ret, atg_err *err) {
    check *c = mem_zero(1, sizeof(*c));
    double start = seconds();
    atg_err own = {0};
    int rc;

    err = err ? err : &own;
    if (!c)
        return atg_fail(err, ATG_ENOMEM, no_memory);
    rc = crypto_ready(err);
    if (rc == ATG_OK) {
        randombytes_buf(c->key, sizeof(c->key));
        c->run = run;
        c->wanted = wanted;
        c->bad_mark = -1;
        c->chains = audit_table_of(sizeof(seen_chain), sizeof(uuid), c->key);
        c->records = audit_table_of(sizeof(seen_record), sizeof(record_key), c->key);
        rc = check_all(c, err);
    }
    if (rc == ATG_EDENIED && c->fault.text[0])
        rc = check_say(c, err);
    c->report.seconds = seconds() - start;
    if (rc == ATG_OK)
        *ret = c->report;
    audit_table_clear(&c->chains);
    audit_table_clear(&c->records);
    mem_free(c->marks);
    mem_free(c);
    return rc;
}
