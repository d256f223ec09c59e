/* SPDX-License-Identifier: Apache-2.0 */
/* Entries become leaves, and what the tree is becomes a checkpoint. */
#include <string.h>

#include "store/audit.h"

static const db_statement any_pending = {
    "any_pending", "SELECT CASE WHEN EXISTS (SELECT 1 FROM pending) THEN 1 ELSE 0 END"};
/* Makes the row or locks it: of several sequencers on PostgreSQL one goes on, and the others are
 * asked to run again when it is done. */
static const db_statement take_tree = {
    "take_tree", "INSERT INTO tree(one, size, state) VALUES (1, 0, $1) "
                 "ON CONFLICT (one) DO UPDATE SET size = tree.size RETURNING size, state"};
static const db_statement read_tree = {"read_tree", "SELECT size, state FROM tree WHERE one = 1"};
static const db_statement write_tree = {"write_tree",
                                        "UPDATE tree SET size = $1, state = $2 WHERE one = 1"};
static const db_statement insert_leaves = {
    "insert_leaves",
    "INSERT INTO leaf(n, file, seq, hash) "
    "SELECT $1 + row_number() OVER (ORDER BY file, seq) - 1, file, seq, hash FROM pending"};
static const db_statement new_leaves = {"new_leaves",
                                        "SELECT n, hash FROM leaf WHERE n >= $1 ORDER BY n"};
static const db_statement remove_pending = {"remove_pending", "DELETE FROM pending"};

static const db_statement last_checkpoint = {
    "last_checkpoint", "SELECT note FROM checkpoint ORDER BY size DESC, at DESC LIMIT 1"};
static const db_statement insert_checkpoint = {
    "insert_checkpoint", "INSERT INTO checkpoint(size, at, note) VALUES ($1, $2, $3)"};

/* ---- the sequencer ---- */

/* The row, if there is one. */
static int tree_row(db_rows *rows, tree *ret, atg_err *err) {
    int rc = db_next(rows, err);
    tree t = {0};

    if (rc <= 0)
        return rc;
    rc = tree_load(db_get_blob(rows, 1), &t, err);
    if (rc)
        return rc;
    if (t.size != (uint64_t)db_get_int(rows, 0))
        return atg_fail(err, ATG_EPARSE, "The stored size of the audit tree is damaged");
    *ret = t;
    return ATG_OK;
}

static int take(db *d, tree *ret, atg_err *err) {
    unsigned char empty[TREE_SAVED_MAX];
    db_value state = db_blob(empty, tree_save(&(tree){0}, empty));
    db_rows *rows = NULL;
    int rc = db_query(d, &take_tree, &state, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = tree_row(rows, ret, err);
    db_end(rows);
    return rc;
}

static int add_leaves(db *d, tree *t, atg_err *err) {
    db_value from = db_int((int64_t)t->size);
    db_rows *rows = NULL;
    int rc = db_stream(d, &new_leaves, &from, 1, &rows, err);

    if (rc || !rows)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        atg_str hash = db_get_blob(rows, 1), gap = ATG_STR("");
        hash256 leaf = tree_leaf(hash.n == HASH_SIZE ? hash : gap);

        if (db_get_int(rows, 0) != (int64_t)t->size || hash.n != HASH_SIZE) {
            rc = atg_fail(err, ATG_EDB, "The leaves of the audit tree are damaged at %llu",
                          (unsigned long long)t->size);
            break;
        }
        tree_add(t, &leaf);
    }
    db_end(rows);
    return rc;
}

/* What waits becomes leaves behind those of `t`, which grows. */
static int move_pending(db *d, tree *t, atg_err *err) {
    unsigned char state[TREE_SAVED_MAX];
    db_value from = db_int((int64_t)t->size);
    uint64_t before = t->size;
    int64_t n = 0;
    int rc = db_run(d, &insert_leaves, &from, 1, &n, err);

    if (rc == ATG_OK)
        rc = add_leaves(d, t, err);
    if (rc == ATG_OK && t->size != before + (uint64_t)n)
        rc = atg_fail(err, ATG_EDB, "The audit tree has leaves that it did not grow");
    if (rc == ATG_OK)
        rc = db_post(d, &remove_pending, NULL, 0, err);
    if (rc)
        return rc;
    return db_post(d, &write_tree,
                   (db_value[]){db_int((int64_t)t->size), db_blob(state, tree_save(t, state))}, 2,
                   err);
}

int audit_sequence(db *d, uint64_t *ret_n, atg_err *err) {
    int64_t any = 0;
    tree t = {0};
    uint64_t before = 0;
    int rc = db_get_one(d, &any_pending, NULL, 0, 0, &any, err);

    if (rc == ATG_OK && any) {
        rc = take(d, &t, err);
        before = t.size;
        if (rc == ATG_OK)
            rc = move_pending(d, &t, err);
    }
    if (rc == ATG_OK && ret_n)
        *ret_n = t.size - before;
    return rc;
}

/* ---- checkpoints ---- */

int audit_last_checkpoint(db *d, checkpoint *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, &last_checkpoint, NULL, 0, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "No checkpoint was made yet");
    else if (rc > 0)
        rc = checkpoint_read(db_get_text(rows, 0), ret, err);
    db_end(rows);
    return rc;
}

static int read_size(db *d, tree *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, &read_tree, NULL, 0, &rows, err);

    if (rc || !rows)
        return rc;
    *ret = (tree){0};
    rc = tree_row(rows, ret, err);
    db_end(rows);
    return rc;
}

/* A signature must not cover up that entries are gone. */
static int check_growth(const checkpoint *last, const checkpoint *c, atg_err *err) {
    if (last->size < c->size || (last->size == c->size && hash_eq(&last->root, &c->root)))
        return ATG_OK;
    return atg_fail(err, ATG_EDENIED,
                    "The history of %llu entries does not continue that of the last checkpoint, "
                    "%llu entries: it was falsified, and is not signed",
                    (unsigned long long)c->size, (unsigned long long)last->size);
}

static int keep(db *d, const checkpoint *c, atg_err *err) {
    char note[CHECKPOINT_MAX];
    atg_str text = {note, checkpoint_text(c, note)};

    return db_post(d, &insert_checkpoint,
                   (db_value[]){db_int((int64_t)c->size), db_int(c->at), db_text(text)}, 3, err);
}

/* Is there nothing new to sign? */
static bool is_current(const checkpoint *last, const checkpoint *c, const sign_pair *pair) {
    key_id key = sign_key_id(&pair->pub);

    return last->size == c->size && key_id_eq(&last->key, &key) &&
           strcmp(last->origin, c->origin) == 0;
}

int audit_checkpoint(db *d, const sign_pair *pair, const char *origin, int64_t at, checkpoint *ret,
                     atg_err *err) {
    checkpoint last = {0}, c = {.at = at};
    size_t n = strlen(origin);
    tree t = {0};
    int rc = read_size(d, &t, err), found = rc ? rc : audit_last_checkpoint(d, &last, err);

    if (found && found != ATG_ENOTFOUND)
        return found;
    if (n >= sizeof(c.origin))
        return atg_fail(err, ATG_EINVAL, "The name of the history is too long");
    memcpy(c.origin, origin, n + 1);
    c.size = t.size;
    c.root = tree_root(&t);
    if (found == ATG_OK) {
        rc = check_growth(&last, &c, err);
        if (rc == ATG_OK && is_current(&last, &c, pair)) {
            *ret = last;
            return ATG_OK;
        }
    }
    if (rc == ATG_OK)
        rc = checkpoint_sign(&c, pair, err);
    if (rc == ATG_OK)
        rc = keep(d, &c, err);
    if (rc == ATG_OK)
        *ret = c;
    return rc;
}
